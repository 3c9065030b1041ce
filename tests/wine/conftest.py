"""What the tests under Wine share: a Python for Windows."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.soak import QUICK

collect_ignore_glob = ["test_*.py"] if QUICK or sys.platform == "win32" else []
"""They start Windows' programs from outside."""
ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / ".venv" / "windows"
SET_UP = "sh packaging/windows.sh setup"
_NAMES = ("CREDTRAY_WINDOWS_PYTHON", "CREDTRAY_WINDOWS_PREFIX")
_GIVEN = {name: os.environ[name] for name in _NAMES if name in os.environ}
"""Read here, because no test sees the caller's variables."""


@dataclass(frozen=True, slots=True)
class WindowsPython:
    """A Python for Windows that runs this checkout under Wine."""

    command: Sequence[str]
    """It takes the variables DISPLAY, XAUTHORITY and WINDOWS_PREFIX; its output has to be piped."""
    prefix: Path
    """Wine's C: drive."""


def lacking(reason: str, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the test; on a build server, where nobody would notice that, let it fail."""
    if environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def windows_python() -> WindowsPython:
    """That of packaging/windows.sh; CREDTRAY_WINDOWS_PYTHON and _PREFIX name another one."""
    command, prefix = (_GIVEN.get(name, "") for name in _NAMES)
    found = WindowsPython(
        shlex.split(command) or ["sh", str(ROOT / "packaging" / "windows.sh"), "python"],
        Path(prefix or BUILD / "prefix"),
    )
    if not shutil.which("wine") or not (found.prefix / "drive_c").exists():
        lacking(f"needs Wine and a Python for Windows: {SET_UP}")
    return found
