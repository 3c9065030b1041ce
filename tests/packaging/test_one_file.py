"""credtray.pyz: one file for servers, which unpacks itself once and runs isolated."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.uninstall.homes import differences, snapshot

pytestmark = pytest.mark.posix("a file for Linux")

PACKAGING = Path(__file__).parents[2] / "packaging"
HERE = f"cp3{sys.version_info.minor}-{platform.machine()}"
EPOCH = "1700000000"


def build(target: Path) -> None:
    command = [sys.executable, str(PACKAGING / "one_file.py"), str(target), "--only", HERE]
    environ = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the parts for this Python only, built once for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    place = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = place / "credtray.pyz"
    with (place / "credtray.pyz.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            build(place / "credtray.pyz.new")
            (place / "credtray.pyz.new").rename(made)
            assert run(made, place / "nobody", "version", **unpacked_before(made)).returncode == 0
    return made


def unpacked_before(file: Path) -> dict[str, str]:
    """Where it finds itself unpacked already, for tests that are about something else."""
    return {"XDG_CACHE_HOME": str(file.parent / "unpacked" / ".cache")}


def run(
    file: Path, home: Path, *words: str, python: str = sys.executable, **more: str
) -> subprocess.CompletedProcess[str]:
    home.mkdir(exist_ok=True)
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | more
    return subprocess.run(
        [python, str(file), *words], env=environ, cwd=home, capture_output=True, text=True, check=False
    )


def unpacked(home: Path) -> list[Path]:
    return sorted((home / ".cache" / "credtray" / "one-file").iterdir())


def test_it_unpacks_once_for_its_user_alone(file: Path, tmp_path: Path) -> None:
    first = run(file, tmp_path / "home", "version")
    (folder,) = unpacked(tmp_path / "home")
    before = (folder / "credtray" / "__init__.py").stat().st_mtime_ns
    second = run(file, tmp_path / "home", "version")

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout == "credtray 0.1.0\n"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert unpacked(tmp_path / "home") == [folder]
    assert (folder / "credtray" / "__init__.py").stat().st_mtime_ns == before


def test_a_link_with_dockers_name_is_the_helper_and_leaves_no_trace_of_its_own(
    file: Path, tmp_path: Path
) -> None:
    """What starts at login is the file, whatever was started last."""
    link = tmp_path / "docker-credential-credtray"
    link.symlink_to(file)
    home = tmp_path / "home"
    asked = run(link, home, "version")
    (folder,) = unpacked(home)

    assert (asked.returncode, asked.stdout) == (0, "docker-credential-credtray 0.1.0\n")
    assert str(link) not in (folder / "one-file").read_text()


def test_nothing_of_the_folder_or_of_python_variables_takes_part(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("typer.py", "credtray.py", "zipfile.py", "tempfile.py"):
        (home / name).write_text("raise RuntimeError(__name__)\n")
    done = run(file, home, "version", PYTHONPATH=str(home), **unpacked_before(file))

    assert (done.returncode, done.stdout, done.stderr) == (0, "credtray 0.1.0\n", "")


def test_what_lasts_names_the_file_and_not_the_cache(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = run(file, home, "autostart", "enable", **unpacked_before(file))
    entry = (home / ".config" / "autostart" / "credtray.desktop").read_text("utf-8")

    assert done.returncode == 0, done.stderr
    assert str(file) in entry
    assert ".cache" not in entry
    assert f"{file} start" in (home / ".local/share/applications/credtray.desktop").read_text("utf-8")
    assert run(file, home, "autostart", "status", **unpacked_before(file)).returncode == 0


def test_it_plays_the_whole_demo(file: Path, tmp_path: Path) -> None:
    done = run(file, tmp_path / "home", "demo", "--unattended", **unpacked_before(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your real home was not touched" in done.stdout


def test_the_documentation_is_in_it(file: Path, tmp_path: Path) -> None:
    done = run(file, tmp_path / "home", "help", "install", **unpacked_before(file))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Install it\n")
    assert "sudo apt install ./credtray_*_amd64.deb" in done.stdout


def test_a_cache_of_somebody_else_is_not_run(file: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to have a second user")
    home = tmp_path / "home"
    run(file, home, "version")
    (folder,) = unpacked(home)
    (folder / "credtray" / "__main__.py").write_text("raise RuntimeError\n")
    os.chown(folder, 12345, 12345)
    done = run(file, home, "version")

    assert (done.returncode, done.stdout) == (1, "")
    assert "belongs to somebody else" in done.stderr
    assert "hint: set XDG_CACHE_HOME" in done.stderr


def test_no_room_to_unpack_is_said_in_words(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run(file, tmp_path / "home", "version", HOME=str(tmp_path / "taken"))

    assert done.returncode == 1
    assert done.stderr.startswith("credtray: cannot unpack itself: ")
    assert "Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def bare(tmp_path: Path, *parts: str) -> Path:
    """Only what runs first, for a computer that has other Pythons."""
    text = (PACKAGING / "one_file" / "__main__.py").read_text("utf-8")
    with zipfile.ZipFile(tmp_path / "bare.pyz", "w") as made:
        made.writestr("__main__.py", text.replace("PARTS = ()", f"PARTS = {parts!r}"))
    return tmp_path / "bare.pyz"


def test_a_python_that_does_not_fit_is_told_what_does(tmp_path: Path) -> None:
    machine = platform.machine()
    done = run(bare(tmp_path, f"cp338-{machine}", f"cp339-{machine}"), tmp_path / "home", "version")

    assert done.returncode == 1
    assert "needs Python 3.38 to 3.39" in done.stderr
    assert f"is Python {platform.python_version()}" in done.stderr
    assert "hint: " in done.stderr


def test_a_fitting_python_elsewhere_on_the_path_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "python3.39").write_text('#!/bin/sh\necho "taken: $*"\n')
    (folder / "python3.39").chmod(0o755)
    file = bare(tmp_path, f"cp339-{platform.machine()}")
    done = run(file, tmp_path / "home", "status", "--json", PATH=f"{folder}:/usr/bin:/bin")

    assert done.stdout == f"taken: -I {file} status --json\n"


def test_another_processor_or_system_is_named(tmp_path: Path) -> None:
    done = run(bare(tmp_path, "cp311-vax"), tmp_path / "home", "version")

    assert done.returncode == 1
    assert f"no parts for {platform.machine()}" in done.stderr


def test_uninstalling_leaves_nothing_not_even_what_it_unpacked(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    before = snapshot(home)
    added = run(file, home, "launcher", "add")
    entry = (home / ".local" / "share" / "applications" / "credtray.desktop").read_text()
    between = snapshot(home)
    done = run(file, home, "uninstall", "--yes")

    assert (added.returncode, done.returncode) == (0, 0), (added.stderr, done.stderr)
    assert f"{file} start --clicked" in entry
    assert len(between) > 100
    assert f"The program itself is one file. Delete it: {file}" in done.stdout.replace("\n", " ")
    assert differences(before, snapshot(home)) == {}
