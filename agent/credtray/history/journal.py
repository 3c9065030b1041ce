"""The two files of the history in the state directory: appended to, rotated, read, cleared.

Knows nothing of what happened (see ``entries``). A reader takes no lock: a line is there as a whole, or it is
counted as unreadable.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from credtray.core.errors import FileRefused
from credtray.files.atomic_file import check_file, read_bounded
from credtray.files.directory_safety import close, make_directory, translated
from credtray.history.entries import Entry, Lines, decode, encode, header

NAME = "history.jsonl"
OLDER = "history.older.jsonl"
LIMIT = 2 * 1024 * 1024
"""Bytes of one file; then it becomes the older one, and what was the older one is gone."""
_PRIVATE = 0o600


class Journal:
    """The history in one directory."""

    def __init__(self, directory: Path, limit: int = LIMIT) -> None:
        """Name the files; nothing is opened."""
        self.path = directory / NAME
        self.older = directory / OLDER
        self._limit = limit

    def append(self, entries: Iterable[Entry]) -> None:
        """Write these entries at the end.

        Raises:
            FileUnwritable, FileRefused: none of them is there; what was there before still is.
        """
        data = encode(entries)
        make_directory(self.path.parent)
        with translated(self.path, "writing"):
            self._make_room(len(data))
            descriptor = self._opened()
            try:
                _append(descriptor, data)
            finally:
                close(descriptor)

    def _make_room(self, size: int) -> None:
        """Begin a new file where the current one is full; that is the older one from now on."""
        there = self.signature()[1]
        if not there or there + size <= self._limit:
            return
        close(self._opened())  # of a newer version, or not ours: it stays
        try:
            self.path.replace(self.older)
        except PermissionError:  # on Windows, while another program has one of them open
            if there > 2 * self._limit:
                os.truncate(self.path, 0)

    def _opened(self) -> int:
        """Return a descriptor of the current file, made where it is not there.

        Raises:
            FileRefused: it is no file of ours, or a newer credtray has begun it.
            OSError: it cannot be opened.
        """
        # Without O_NONBLOCK a FIFO in its place would stop the file work for ever.
        extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | extra, _PRIVATE)
        try:
            found = os.fstat(descriptor)
            check_file(self.path, found)
            if sys.platform != "win32" and stat.S_IMODE(found.st_mode) & 0o077:
                os.fchmod(descriptor, _PRIVATE)
            self._refuse_newer(os.read(descriptor, len(header()) + 8))
        except BaseException:
            close(descriptor)
            raise
        return descriptor

    def _refuse_newer(self, beginning: bytes) -> None:
        if decode(beginning).newer:
            raise FileRefused(
                f"{self.path} was written by a newer credtray",
                hint="Update credtray, or start a new history: credtray history --clear",
            )

    def read(self) -> Lines:
        """Return everything, oldest first.

        Raises:
            FileUnwritable, FileRefused: it cannot be read.
        """
        parts = [decode(read_bounded(path, 4 * self._limit) or b"") for path in (self.older, self.path)]
        entries = (entry for part in parts for entry in part.entries)
        return Lines(
            entries=tuple(sorted(entries, key=lambda entry: entry.at)),  # counts are written a minute later
            unreadable=sum(part.unreadable for part in parts),
            newer=any(part.newer for part in parts),
        )

    def signature(self) -> tuple[int, int]:
        """Return what changes whenever something is written: cheap, for who waits for news."""
        try:
            found = self.path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def clear(self) -> bool:
        """Remove both files; False where there were none.

        Raises:
            FileUnwritable, FileRefused: one of them is still there.
        """
        removed = False
        for path in (self.older, self.path):
            with translated(path, "removing"), contextlib.suppress(FileNotFoundError):
                path.unlink()
                removed = True
        return removed


def _append(descriptor: int, data: bytes) -> None:
    """Write the data, or nothing: half a line would cost the next one, too.

    Raises:
        OSError: nothing was written.
    """
    size = os.fstat(descriptor).st_size
    if size == 0:
        data = header() + data
    elif not _ends_with_a_line(descriptor, size):
        data = b"\n" + data
    os.lseek(descriptor, 0, os.SEEK_END)
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def _ends_with_a_line(descriptor: int, size: int) -> bool:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
