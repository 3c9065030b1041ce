"""Replaces a file whole or not at all, and reads one without trusting its size or kind.

Every file credtray writes goes through here. Nothing is ever written in place, and nothing is copied over a
file when renaming fails.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from credtray.core.errors import FileRefused, FileUnwritable
from credtray.core.shell_words import WRITABLE
from credtray.files.directory_safety import check_reachable, close, flush, make_directory, resolve, translated
from credtray.files.in_the_way import in_the_way, keeps_modes, unsupported
from credtray.files.obstacles import Obstacle
from credtray.files.open_directory import (
    OpenDirectory,
    RealWaiter,
    Unchanged,
    Waiter,
    open_directory,
    open_to_read,
)

LEFTOVER_PREFIX = ".credtray-"
"""How every temporary file of ours begins; none ends in .json, because the AWS CLI opens those."""
INI_LIMIT = 16 * 1024 * 1024
"""Bytes; what a config or credentials file may have."""
CACHE_LIMIT = 1024 * 1024
"""Bytes; what a token cache or state file may have."""
_LEFTOVER_SECONDS = 60.0
_TEMPORARY = f"Make room, or set {'TEMP' if sys.platform == 'win32' else 'TMPDIR'} to another directory."


def write_atomically(
    path: Path,
    data: bytes,
    *,
    mode: int = 0o600,
    waiter: Waiter | None = None,
    unchanged: Unchanged | None = None,
) -> bool:
    """Make *data* the whole content of *path*: after a crash it holds the old bytes or the new, never a mix.

    A symbolic link of the user is followed and kept; a missing directory is created 0700. When this returns,
    the bytes have reached the disk. False: *unchanged*, asked right before, said no, and nothing was written.

    Raises:
        FileUnwritable: disk full, no permission, read-only, I/O error; the old content is still there.
        FileRefused: the path leads somewhere unsafe, or to something that is not a file of this user.
    """
    target = resolve(path)
    make_directory(target.parent)
    with opened(target.parent, waiter or RealWaiter()) as directory:
        check_replaceable(directory, target)
        with translated(target, "writing"), Draft(directory) as draft:
            draft.fill(data, mode)
            return draft.publish(target.name, unchanged)


def check_writable(path: Path, size: int, *, waiter: Waiter | None = None) -> None:
    """Find out whether *size* bytes could be written to *path* now; the file itself is not touched.

    Raises:
        FileUnwritable, FileRefused: as ``write_atomically`` would.
    """
    target = resolve(path)
    make_directory(target.parent)
    with opened(target.parent, waiter or RealWaiter()) as directory:
        check_replaceable(directory, target)
        with translated(target, "writing"), Draft(directory) as draft:
            draft.fill(bytes(size), 0o600)
    there = in_the_way(target)
    if there is not None and there.obstacle is Obstacle.IMMUTABLE:  # only the renaming would fail
        raise FileUnwritable(f"writing {target}: {there.path} {there.text}", hint=there.cure)


def read_bounded(path: Path, limit: int) -> bytes | None:
    """Return the content of *path*, or None when there is no such file; never blocks on what is not a file.

    Raises:
        FileRefused: larger than *limit* bytes, a directory, FIFO or device, or somebody else's file.
        FileUnwritable: it cannot be read.
    """
    target = resolve(path)
    with translated(target, "reading"):
        try:
            fd = open_to_read(target, RealWaiter())
        except FileNotFoundError:
            check_reachable(target)
            return None
        try:
            check_file(target, os.fstat(fd))
            return read_descriptor(fd, target, limit)
        finally:
            close(fd)


def is_null(path: Path) -> bool:
    """Whether it is a device such as /dev/null, by which one says that there shall be no file."""
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:  # reading it tells why
        return False


def sweep_leftovers(directory: Path, now: datetime) -> int:
    """Remove temporary files of ours that a crash left in *directory*; return how many went.

    Only regular files of this user with our prefix that are older than a minute. What cannot be removed
    stays for the next time.
    """
    removed = 0
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(LEFTOVER_PREFIX):
                with suppress(OSError):
                    removed += _swept(entry, now)
    return removed


def _swept(entry: os.DirEntry[str], now: datetime) -> bool:
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode) or now.timestamp() - found.st_mtime < _LEFTOVER_SECONDS:
        return False
    if sys.platform != "win32" and found.st_uid != os.geteuid():
        return False
    os.unlink(entry.path)  # noqa: PTH108 - the entry has a str
    return True


@contextmanager
def opened(path: Path, waiter: Waiter) -> Iterator[OpenDirectory]:
    """Hold the directory *path* open for the body.

    Raises:
        FileRefused, FileUnwritable: it is unsafe to write in, or cannot be opened.
    """
    with translated(path, "opening the directory"):
        directory = open_directory(path, waiter)
    with closing(directory):
        yield directory


def check_file(path: Path, found: os.stat_result) -> None:
    """Refuse what is not a regular file of this user (or root).

    Raises:
        FileRefused: a directory, FIFO, socket or device, or somebody else's file.
    """
    if not stat.S_ISREG(found.st_mode):
        raise FileRefused(f"{path} is not a regular file")
    if sys.platform != "win32" and found.st_uid not in {os.geteuid(), 0} and keeps_modes(path):
        there = in_the_way(path)
        raise FileRefused(f"{path} belongs to another user", hint=None if there is None else there.cure)


def check_replaceable(directory: OpenDirectory, target: Path) -> os.stat_result | None:
    """Look at the file to be replaced and refuse what must stay as it is; None when there is no file yet.

    Raises:
        FileRefused: not a regular file, somebody else's, or made read-only by its owner.
    """
    with translated(target, "looking at"):
        try:
            found = directory.stat(target.name)
        except FileNotFoundError:
            return None
    check_file(target, found)
    if sys.platform != "win32" and found.st_uid != os.geteuid() and keeps_modes(target):
        there = in_the_way(target)
        raise FileRefused(f"{target} belongs to root", hint=None if there is None else there.cure)
    if not found.st_mode & stat.S_IWUSR:
        raise FileRefused(f"{target} is read-only", hint=f"Run: {WRITABLE.on(str(target))}")
    return found


def read_descriptor(fd: int, path: Path, limit: int) -> bytes:
    """Return everything from the beginning of the open file.

    Raises:
        FileRefused: it holds more than *limit* bytes.
        OSError: it cannot be read.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    pieces = []
    left = limit + 1
    while left > 0 and (piece := os.read(fd, min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    if left <= 0:
        raise FileRefused(f"{path} is larger than {limit} bytes")
    return b"".join(pieces)


class Draft:
    """A temporary file that becomes the real one by ``publish``, or disappears.

    Every method raises OSError; callers translate. ``fd`` stays open until the end of the ``with``.
    """

    def __init__(self, directory: OpenDirectory) -> None:
        self._directory = directory
        self._name = f"{LEFTOVER_PREFIX}{os.urandom(8).hex()}.tmp"
        self._published = False
        self.fd = -1

    def __enter__(self) -> Self:
        self.fd = self._directory.create(self._name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            close(fd)
        if not self._published:
            with suppress(OSError):
                self._directory.unlink(self._name)

    def keep_open(self) -> int:
        """Hand the descriptor over to the caller, who closes it."""
        fd, self.fd = self.fd, -1
        return fd

    def fill(self, data: bytes, mode: int, group: int | None = None) -> None:
        """Write all of *data*, set the mode (and the group, if the system lets us) and wait for the disk."""
        view = memoryview(data)
        while view:
            written = _written(self.fd, view)
            if not written:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            view = view[written:]
        _set_mode(self.fd, mode, group)
        flush(self.fd)

    def publish(self, target: str, unchanged: Unchanged | None = None) -> bool:
        """Put the draft in the place of *target* and make that last.

        False: *unchanged*, asked right before, said no, and nothing was done.
        """
        self._let_go()
        return self._lasting(done=self._directory.replace(self._name, target, unchanged))

    def exchange(self, target: str, unchanged: Unchanged) -> bool:
        """Do the same to a file of the user (see ``OpenDirectory.exchange``).

        From then on ``fd`` only reads: what we hold open for longer must not look like a writer at work.
        """
        self._let_go()
        if self.fd >= 0:
            reading = self._directory.open(self._name)
            close(self.fd)
            self.fd = reading
        return self._lasting(done=self._directory.exchange(self._name, target, unchanged))

    def _let_go(self) -> None:
        if sys.platform == "win32":
            close(self.fd)  # Windows does not rename an open file
            self.fd = -1

    def _lasting(self, *, done: bool) -> bool:
        self._published = done
        if done:
            self._directory.sync()
        return done


def _written(fd: int, data: memoryview) -> int:
    """Write some of *data* and return how much.

    Where only a part has room, a C runtime may fail with whatever errno was left before: Wine's does, and
    a full disk was "no such file". What keeps the rest out, the next call says.
    """
    before = os.lseek(fd, 0, os.SEEK_CUR)
    try:
        return os.write(fd, data)
    except OSError:
        part = os.lseek(fd, 0, os.SEEK_CUR) - before
        if part <= 0:
            raise
        return part


@contextmanager
def scratch_directory(prefix: str) -> Iterator[Path]:
    """Give a temporary directory of our own; nothing of it is left afterwards.

    Raises:
        FileUnwritable: no place for temporary files can be written to.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError as error:  # its errno is "no such file" when every place is full
        raise FileUnwritable(
            f"no temporary directory can be made: {error.strerror}", hint=_TEMPORARY
        ) from error
    with directory as name:
        yield Path(name)


if sys.platform == "win32":

    def _set_mode(fd: int, mode: int, group: int | None) -> None:
        """Windows has access lists: one for the owner alone came with the file's creation."""

else:

    def _set_mode(fd: int, mode: int, group: int | None) -> None:
        if group is not None and os.fstat(fd).st_gid != group:
            try:
                os.fchown(fd, -1, group)
            except PermissionError:
                mode &= ~0o070  # the bits were meant for a group the file cannot stay in
        with unsupported():
            os.fchmod(fd, mode)
