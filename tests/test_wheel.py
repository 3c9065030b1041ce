"""The wheel holds what the package needs, and nothing of the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[1] / "packaging" / "wheel_check.py"


@pytest.mark.posix("the Python for Windows that can be embedded has no venv")
def test_wheel_is_whole_and_starts_far_from_the_checkout() -> None:
    done = subprocess.run([sys.executable, CHECK, "--quick"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "built, installed, run" in done.stdout
