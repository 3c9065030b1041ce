"""Every locked dependency has a wheel for each system and each Python: nobody has to compile anything.

Asks the registry that pip is set up for. Downloads what describes the packages, and no package: whether the
wheels have the locked hashes is found out when they are installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "runtime.txt"
SYSTEMS = {
    "linux": "x86_64-manylinux_2_28",
    "macos-arm": "aarch64-apple-darwin",
    "macos-intel": "x86_64-apple-darwin",
    "windows": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13")
CALLER = dict(os.environ)
"""With the proxy and the registry of whoever runs the tests, which no other test may see."""

pytestmark = [
    pytest.mark.posix("a shell script"),
    pytest.mark.skipif(not (ROOT / ".venv/bin/uv").exists(), reason="needs uv: packaging/environment.sh dev"),
]


def refusal(folder: Path, system: str, python: str, requirements: Path) -> str:
    """What uv says against installing *requirements* for *system*; empty if all is well."""
    command = [
        "sh",
        "packaging/wheels.sh",
        SYSTEMS[system],
        python,
        "--dry-run",
        "--target",
        str(folder / "to"),
    ]
    command += ["--cache-dir", str(ROOT / ".venv" / "wheels-cache"), "-r", str(requirements)]
    done = subprocess.run(command, cwd=ROOT, env=CALLER, capture_output=True, text=True, check=False)
    if "Failed to fetch" in done.stderr:
        pytest.skip(f"needs a registry: {done.stderr}")
    assert (done.returncode == 0) == ("Would install" in done.stderr)
    return "" if done.returncode == 0 else done.stderr


def entry(name: str) -> str:
    """The lines of the lock about *name*, without its marker."""
    (found,) = re.findall(rf"^{name}==(?:.*\\\n)*.*\n", LOCK.read_text("utf-8"), re.MULTILINE)
    return re.sub(r" ; [^\\\n]*", " ", found)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_locked_wheel_is_there(tmp_path: Path, system: str, python: str) -> None:
    assert refusal(tmp_path, system, python, LOCK) == ""


def test_package_without_a_wheel_for_a_system_is_noticed(tmp_path: Path) -> None:
    planted = tmp_path / "planted.txt"
    planted.write_text(entry("dbus-fast"), "utf-8")  # has wheels for Linux only, and an archive of sources

    assert refusal(tmp_path, "linux", "3.13", planted) == ""
    assert "dbus-fast" in refusal(tmp_path, "windows", "3.13", planted)


def test_these_are_the_pythons_of_the_classifiers() -> None:
    told = re.findall(
        r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8")
    )

    assert tuple(told) == PYTHONS
    assert sys.version_info >= tuple(map(int, PYTHONS[0].split(".")))
