"""The file layer as it behaves on macOS, with stand-ins for what only that system has."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from credtray.core.errors import FileUnwritable
from credtray.files.atomic_file import write_atomically


class MacDisk:
    """fcntl(2) of macOS with F_FULLFSYNC, and a record of what has reached the disk."""

    F_FULLFSYNC = 51  # sys/fcntl.h

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: int | None = None) -> None:
        self.error = error
        self.log: list[str] = []
        self._fcntl, self._fsync, self._rename = fcntl.fcntl, os.fsync, os.rename
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", self.F_FULLFSYNC, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", self.fcntl)
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "rename", self.rename)

    def fcntl(self, fd: int, command: int, *arguments: Any) -> Any:
        if command != self.F_FULLFSYNC:
            return self._fcntl(fd, command, *arguments)
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        self.log.append(f"flush {self._kind(fd)}")
        return 0

    def fsync(self, fd: int) -> None:
        self._fsync(fd)
        self.log.append(f"fsync {self._kind(fd)}")

    def rename(self, source: str, target: str, **where: int) -> None:
        self._rename(source, target, **where)
        self.log.append("rename")

    @staticmethod
    def _kind(fd: int) -> str:
        return "directory" if Path(f"/proc/self/fd/{fd}").is_dir() else "file"


def test_drive_has_written_the_bytes_before_the_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = MacDisk(monkeypatch)
    write_atomically(tmp_path / "credentials", b"[default]\n")

    assert disk.log == ["flush file", "rename", "flush directory"]


@pytest.mark.parametrize("error", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_file_system_without_that_call_is_synced_as_it_can_be(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = MacDisk(monkeypatch, error)
    write_atomically(tmp_path / "credentials", b"[default]\n")

    assert disk.log == ["fsync file", "rename", "fsync directory"]


def test_drive_that_cannot_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(b"old")
    disk = MacDisk(monkeypatch, errno.EIO)
    with pytest.raises(FileUnwritable):
        write_atomically(path, b"new")

    assert (path.read_bytes(), disk.log, list(tmp_path.iterdir())) == (b"old", [], [path])
