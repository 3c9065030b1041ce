"""Reads a file that other programs rewrite in place, without ever taking a half-written one for the whole.

The AWS CLI truncates ``~/.aws/credentials`` and writes it anew, without lock or rename. Nothing here writes.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from credtray.core.errors import FileContended
from credtray.files.atomic_file import INI_LIMIT, check_file, read_descriptor
from credtray.files.directory_safety import close, translated
from credtray.files.open_directory import OpenDirectory, Waiter

SETTLE_SECONDS = 0.02
"""Two looks this far apart must be equal before the content counts."""
EMPTY_SECONDS = 2.0
"""A file of 0 bytes counts as still being written for so long."""
_GIVE_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when somebody writes to a file or puts another one in its place."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """Take the stamp from a stat."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """Return the stamp of what is at *path* (a link is followed), None when it cannot be looked at."""
        try:
            return cls.of(os.stat(path))  # noqa: PTH116 - one system call; pathlib makes it three times dearer
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file at one moment; ``stamp`` is None when there was none."""

    data: bytes = field(repr=False)
    stamp: Stamp | None
    mode: int = 0o600
    group: int | None = None
    fd: int = -1
    """Still open on the very file that was read, to see who writes to it later; -1 where that cannot be."""

    def close(self) -> None:
        """Let go of the file."""
        if self.fd >= 0:
            close(self.fd)


def stamp_at(directory: OpenDirectory, name: str) -> Stamp | None:
    """Return the stamp of what lies under *name* now, None when nothing does."""
    try:
        return Stamp.of(directory.stat(name))
    except FileNotFoundError:
        return None


def settled(directory: OpenDirectory, path: Path, waiter: Waiter, known: Stamp | None = None) -> Snapshot:
    """Read *path* (in *directory*) at a moment when nobody is writing it.

    An empty file counts as being written for 2 s, unless it has the *known* stamp: we left it empty.

    Raises:
        FileContended: it has not been left alone for long enough within 5 s.
        FileRefused: not a regular file of this user, or larger than 16 MiB.
        FileUnwritable: it cannot be read.
    """
    deadline = waiter.monotonic() + _GIVE_UP_SECONDS
    empty_since: float | None = None
    while waiter.monotonic() < deadline:
        with translated(path, "reading"), _found(directory, path) as (fd, first):
            waiter.sleep(SETTLE_SECONDS)
            if first is None:
                if stamp_at(directory, path.name) is None:
                    return Snapshot(b"", None)
                continue
            doubtful = first.st_size == 0 and Stamp.of(first) != known
            empty_since = (empty_since or waiter.monotonic()) if doubtful else None
            if _may_be_unfinished(first, empty_since, waiter):
                continue
            data = read_descriptor(fd, path, INI_LIMIT)
            stamp = Stamp.of(os.fstat(fd))
            if stamp == Stamp.of(first) == stamp_at(directory, path.name):
                return Snapshot(data, stamp, stat.S_IMODE(first.st_mode), first.st_gid, _kept(fd))
    raise FileContended(f"{path} keeps changing")


def settled_text(fd: int, path: Path, waiter: Waiter) -> bytes:
    """Return what a late writer leaves in the replaced file behind *fd*; b"" when it stays empty for 2 s."""
    deadline = waiter.monotonic() + EMPTY_SECONDS
    with translated(path, "reading"):
        while True:
            before = Stamp.of(os.fstat(fd))
            waiter.sleep(SETTLE_SECONDS)
            data = read_descriptor(fd, path, INI_LIMIT)
            rests = data and Stamp.of(os.fstat(fd)) == before
            if rests or waiter.monotonic() >= deadline:
                return data


@contextmanager
def _found(directory: OpenDirectory, path: Path) -> Iterator[tuple[int, os.stat_result | None]]:
    try:
        fd = directory.open(path.name)
    except FileNotFoundError:
        yield -1, None
        return
    try:
        found = os.fstat(fd)
        check_file(path, found)
        yield fd, found
    finally:
        close(fd)


def _kept(fd: int) -> int:
    """A second descriptor on the same file; on Windows none, since an open file cannot be replaced there."""
    return -1 if sys.platform == "win32" else os.dup(fd)


if sys.platform == "linux":
    import fcntl

    def open_for_writing(fd: int) -> bool:
        """Tell whether a program has the file behind *fd* (read-only) open for writing; False if not known.

        The system gives a read lease only on a file that nobody may write (fcntl(2), F_SETLEASE); it is given
        back at once. SIGURG, which nobody minds, in place of SIGIO, which would end us.
        """
        with suppress(OSError):  # no leases on this file system, or not our file
            fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
            try:
                fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            except BlockingIOError:
                return True
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return False

else:

    def open_for_writing(fd: int) -> bool:  # noqa: ARG001 -- the other systems cannot be asked
        """Tell whether some program has the file behind *fd* open for writing; False if not known."""
        return False


def _may_be_unfinished(found: os.stat_result, empty_since: float | None, waiter: Waiter) -> bool:
    if empty_since is None:
        return False
    age = waiter.wall() - found.st_mtime
    return age < EMPTY_SECONDS and waiter.monotonic() - empty_since < EMPTY_SECONDS
