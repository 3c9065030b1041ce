"""The wheel holds what the package needs, and nothing of the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECK = ROOT / "packaging" / "wheel_check.py"


@pytest.mark.posix("the Python for Windows that can be embedded has no venv")
def test_wheel_is_whole_and_starts_far_from_the_checkout() -> None:
    done = subprocess.run([sys.executable, CHECK, "--quick"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "built, installed, run" in done.stdout


@pytest.mark.posix("the Python for Windows that can be embedded has no pip")
def test_an_older_python_is_told_which_one_it_takes(tmp_path: Path) -> None:
    build = [sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    pip = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-index",
        "--dest",
        str(tmp_path / "got"),
    ]
    older = [
        *pip,
        "--find-links",
        str(tmp_path),
        "--only-binary",
        ":all:",
        "--python-version",
        "3.10",
        "credtray",
    ]
    done = subprocess.run(older, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "requires a different Python: 3.10.0 not in '>=3.11'" in done.stderr
