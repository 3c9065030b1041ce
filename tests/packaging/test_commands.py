"""The two scripts that are `credtray` on POSIX systems: isolated wherever they are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.posix("scripts for sh")

COMMANDS = Path(__file__).parents[2] / "packaging" / "commands"
TOLD = """\
import json, os, sys
def main():
    print(json.dumps([sys.argv[1:], dict(os.environ), sys.path, __file__]))
"""
"""Stands in for the package: says what reached it."""
TRAP = "raise RuntimeError(__name__)\n"
NAMES = ("credtray/__init__.py", "re.py", "json.py", "os.py", "sitecustomize.py", "usercustomize.py")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment below a path with blanks, with the scripts as an installer puts them there."""
    root = tmp_path_factory.mktemp("an environment") / "it's here"
    venv.create(root, with_pip=False, symlinks=True)
    (packages,) = root.glob("lib/python*/site-packages")
    package = packages / "credtray"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(TOLD)
    put_commands(root / "bin", root / "bin" / "python")
    return root / "bin" / "credtray"


def put_commands(into: Path, python: Path, options: str = "") -> None:
    into.mkdir(exist_ok=True, parents=True)
    shutil.copy(COMMANDS / "credtray", into)
    text = (COMMANDS / "credtray-python").read_text("utf-8")
    assert text.startswith("#!python\n")
    (into / "credtray-python").write_text(text.replace("#!python", f"#!{python}{options}", 1), "utf-8")
    (into / "credtray-python").chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which every import would fail."""
    for name in NAMES:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TRAP)
    return tmp_path / "folder"


def run(command: Path, folder: Path, *words: str, **more: str) -> tuple[list[str], dict[str, str], str]:
    done = subprocess.run(
        [command, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **more},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    arguments, environ, path, place = json.loads(done.stdout)
    assert str(folder) not in path
    assert "" not in path
    return arguments, environ, place


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"PYTHONPATH": "."}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONPATH": ".:/nowhere:"}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONHOME": "/nowhere"}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONOPTIMIZE": "2", "PYTHONINSPECT": "1"}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONPLATLIBDIR": "nowhere", "PYTHONVERBOSE": "1"}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONSTARTUP": "re.py", "PYTHONUSERBASE": "."}, marks=pytest.mark.met("F3")),
        pytest.param({"PYTHONSAFEPATH": "", "PYTHONCASEOK": "1"}, marks=pytest.mark.met("F3")),
        pytest.param({}, marks=pytest.mark.met("F3")),
    ],
    ids=lambda more: "-".join(more) or "the folder alone",
)
def test_nothing_of_folder_or_environment_reaches_the_program(
    installed: Path, folder: Path, tmp_path: Path, more: dict[str, str]
) -> None:
    link = tmp_path / "credtray"
    link.symlink_to(installed)
    for command in (installed, link):
        arguments, environ, _place = run(command, folder, "status", "a b", "", "-x", "*", **more)

        assert arguments == ["status", "a b", "", "-x", "*"]
        assert more.items() <= environ.items()


def test_children_get_the_environment_to_the_letter(installed: Path, folder: Path) -> None:
    given = {
        "BASH_FUNC_module%%": "() {  echo loaded\n}",
        "with.dot": "1",
        "npm_config_//registry/:_x": "a=b",
        "1st": "",
        "LINES_OF_IT": "one\nx.y=2\n",
        "python": "/usr/bin/python2",
        "ENV": "re.py",
        "BASH_ENV": "re.py",
        "CDPATH": "/",
        "PYTHONPATH": ".",
    }
    _arguments, environ, _place = run(installed, folder, "exec", "p", "--", "true", **given)

    del environ["PATH"], environ["PWD"]  # the shell says where it is
    environ.pop("LC_CTYPE", None)  # Python's own, for the C locale
    assert environ == given


def test_program_of_an_installer_that_names_its_python_otherwise_isolates_itself(
    installed: Path, folder: Path, tmp_path: Path
) -> None:
    put_commands(tmp_path / "bin", installed.parent / "python")
    program = tmp_path / "bin" / "credtray-python"
    lines = f"#!/bin/sh\n'''exec' '{installed.parent}'/python \"$0\" \"$@\"\n' '''\n".replace(
        "it's", "it'\"'\"'s"
    )
    program.write_text(lines + program.read_text("utf-8").partition("\n")[2], "utf-8")
    (folder / "sitecustomize.py").unlink()  # these two run before the first line of any program
    (folder / "os.py").unlink()
    arguments, _environ, place = run(tmp_path / "bin" / "credtray", folder, "a b", PYTHONPATH=".")

    assert arguments == ["a b"]
    assert Path(place).is_relative_to(installed.parents[1])


def test_options_that_an_installer_adds_are_no_part_of_the_path(
    installed: Path, folder: Path, tmp_path: Path
) -> None:
    put_commands(tmp_path / "bin", installed.parent / "python", " -E")  # pipx does

    assert run(tmp_path / "bin" / "credtray", folder, "x", PYTHONHOME="/nowhere")[0] == ["x"]


def test_installation_for_one_user_is_found_though_user_packages_are_left_out(
    folder: Path, tmp_path: Path, installed: Path
) -> None:
    home = tmp_path / "home"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = home / ".local" / "lib" / version / "site-packages"
    shutil.copytree(
        Path(next(iter(installed.parents[1].glob("lib/*/site-packages/credtray")))), packages / "credtray"
    )
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False, symlinks=True)
    put_commands(home / ".local" / "bin", bare / "bin" / "python")
    _arguments, _environ, place = run(
        home / ".local" / "bin" / "credtray", folder, PYTHONUSERBASE="/nowhere", PYTHONPATH="."
    )

    assert Path(place).is_relative_to(packages)


def test_python_that_is_gone_is_said_with_the_way_out(tmp_path: Path) -> None:
    put_commands(tmp_path / "bin", tmp_path / "old" / "bin" / "python3")
    done = subprocess.run([tmp_path / "bin" / "credtray"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"its Python is gone ({tmp_path}/old/bin/python3): install credtray again" in done.stderr


@pytest.mark.met("F3")
def test_python_m_begins_again_without_folder_and_variables(tmp_path: Path) -> None:
    """``python -m`` has imported by then what it needs itself: only later imports can be kept away."""
    for name in ("typer.py", "msgspec.py", "botocore.py", "schedule.py", "tomlkit.py"):
        (tmp_path / name).write_text(TRAP)
    environ = {**os.environ, "PYTHONPATH": ".", "HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-m", "credtray", "profiles"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
