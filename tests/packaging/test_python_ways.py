"""credtray installed by uv in an empty home without a network; in a soak by pipx, pip and make, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak import SOAK

WAYS = Path(__file__).parents[2] / "packaging" / "python_ways.py"
pytestmark = pytest.mark.posix("a home with ~/.local/bin")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", ["uv", "pipx", "pip", "venv"] if SOAK else ["uv"])
def test_it_is_installed_started_upgraded_restarted_and_removed(way: str) -> None:
    done = subprocess.run([sys.executable, WAYS, way], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{way}: installed, started, upgraded, restarted, removed\n"
