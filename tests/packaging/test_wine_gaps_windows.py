"""The gaps of Wine that packaging/windows fills; on a real Windows all of this holds without it."""

from __future__ import annotations

import ctypes
import errno
import msvcrt
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

assert sys.platform == "win32"

pytestmark = pytest.mark.windows


def test_random_bytes_come_from_the_system() -> None:
    drawn = [ctypes.create_string_buffer(32) for _ in range(2)]
    for buffer in drawn:
        assert ctypes.WinDLL("bcryptprimitives").ProcessPrng(buffer, ctypes.c_size_t(32))

    assert len({bytes(32), *(buffer.raw for buffer in drawn)}) == 3


def test_child_knows_its_parent() -> None:
    command = [sys.executable, "-c", "import os; print(os.getppid())"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert int(told) == os.getpid()


def test_system_has_a_name() -> None:
    assert platform.uname().system == "Windows"


def test_files_are_copied(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    shutil.copy(tmp_path / "a", tmp_path / "b")

    assert (tmp_path / "b").read_bytes() == b"text"


def test_locked_file_says_that_access_is_denied(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("wb") as ours, path.open("r+b") as other:
        msvcrt.locking(ours.fileno(), msvcrt.LK_NBLCK, 1)
        with pytest.raises(PermissionError) as caught:
            msvcrt.locking(other.fileno(), msvcrt.LK_NBLCK, 1)

    assert caught.value.errno == errno.EACCES
