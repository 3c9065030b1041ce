"""Whoever builds the same commit gets the same bytes: what tells so, and what packs.

The packages of Linux and of Windows are packed twice where they are tried: test_linux_packages, tests/wine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak import SOAK

pytestmark = pytest.mark.posix("builds on Linux")

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
EPOCH = "1700000000"
MADE = "Tue Nov 14 22:13:20 2023"


def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"SOURCE_DATE_EPOCH": EPOCH} | more
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def compared(*words: str) -> tuple[int, list[str]]:
    done = run(sys.executable, str(PACKAGING / "compare_builds.py"), *words)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def build(folder: Path, content: bytes = b"the same") -> Path:
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "part").write_bytes(content)
    (folder / "link").symlink_to("lib/part")
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    return folder


def test_two_equal_builds_are_said_to_be(tmp_path: Path) -> None:
    first, second = str(build(tmp_path / "first")), str(build(tmp_path / "second"))

    assert compared("--modes", first, second) == (0, [f"{first} and {second} are equal, byte for byte"])


def test_each_kind_of_difference_is_found(tmp_path: Path) -> None:
    first, second = build(tmp_path / "first"), build(tmp_path / "second", b"the  same")
    (second / "lib" / "more").touch()
    (second / "lib" / "part").chmod(0o600)
    (second / "link").unlink()
    (second / "link").symlink_to("lib")

    assert compared(str(first), str(second)) == (
        1,
        [
            f"lib/more: only in {second}",
            "lib/part: 8 bytes, 9",
            "lib/part: differs from byte 4 on: b'the same', b'the  same'",
            "link: leads to lib/part, lib",
        ],
    )
    code, lines = compared("--modes", str(first), str(second))
    assert code == 1
    assert "lib/part: mode -rw-r--r--, -rw-------" in lines
    assert any(line.startswith("lib: time 1700000000, ") for line in lines)


def test_nothing_is_no_build(tmp_path: Path) -> None:
    assert compared(str(tmp_path), str(tmp_path)) == (1, [f"{tmp_path} is empty"])


@pytest.fixture
def msi_tools() -> None:
    if shutil.which("wixl") is None and os.geteuid() != 0:
        pytest.skip("needs the tools for packages: run `make packages` once")
    assert run("sh", "packaging/environment.sh", "packages").returncode == 0


def small_msi(place: Path, name: str, content: bytes) -> bytes:
    tree = place / name / "tree"
    (tree / "python").mkdir(parents=True)
    (tree / "python" / "pythonw.exe").write_bytes(content)
    shutil.copy(ROOT / "assets" / "credtray-256.png", tree / "credtray.ico")
    for path in tree.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    msi, script = place / name / "credtray.msi", str(PACKAGING / "windows_msi.py")
    described = run(sys.executable, script, "describe", str(tree), "0.1.0")
    (place / name / "credtray.wxs").write_text(described.stdout)
    made = run("wixl", "--arch", "x64", "--output", str(msi), str(place / name / "credtray.wxs"))
    assert made.returncode == 0, made.stderr
    before = msi.read_bytes()
    settled = run(sys.executable, script, "settle", str(msi))
    assert settled.returncode == 0, settled.stderr
    assert msi.read_bytes() != before
    return msi.read_bytes()


def test_an_msi_depends_on_nothing_but_what_is_in_it(tmp_path: Path, msi_tools: None) -> None:
    first, second, other = (
        small_msi(tmp_path, name, content)
        for name, content in (("first", b"the same"), ("second", b"the same"), ("other", b"another"))
    )
    said = [
        run("msiinfo", "suminfo", str(tmp_path / name / "credtray.msi"), TZ="UTC0").stdout
        for name in ("first", "other")
    ]
    codes = {line for text in said for line in text.splitlines() if "UUID" in line}

    assert first == second
    assert first != other
    assert len(codes) == 2, "two different files with the code of one are installed as if they were the same"
    assert all(f"Created: {MADE}\nLast saved: {MADE}\n" in text for text in said)


def test_what_is_no_msi_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.msi").write_bytes(b"something else")
    done = run(sys.executable, str(PACKAGING / "windows_msi.py"), "settle", str(tmp_path / "x.msi"))

    assert done.returncode == 1
    assert done.stderr == "windows_msi: this file has no summary, or several\n"
    assert (tmp_path / "x.msi").read_bytes() == b"something else"


@pytest.mark.timeout(3600)
def test_two_builds_are_equal(tmp_path: Path) -> None:
    """In a soak of everything, in `make test` of what takes seconds; the rest is packed twice elsewhere."""
    if SOAK and os.geteuid() != 0:
        pytest.skip("needs root, to install the tools for packages")
    folders = {"CREDTRAY_DIST": str(tmp_path / "dist"), "CREDTRAY_BUILD": str(tmp_path / "build")}
    done = run("sh", "packaging/packages.sh", "twice", *([] if SOAK else ["python"]), **folders)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "are equal, byte for byte" in done.stdout
