"""A lock between processes, and between the threads of one process, on a file of our own.

The lock file is never deleted and never broken by age or pid: the system lets go of it when its holder dies.
Nothing is ever written into it.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from credtray.core.errors import FileContended, FileRefused
from credtray.files.directory_safety import close, private_directory, translated, translation
from credtray.files.open_directory import RealWaiter, Waiter

_log = logging.getLogger(__name__)

_PAUSES = (0.002, 0.005, 0.01, 0.02, 0.05)
_HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})
_UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})


def _never() -> bool:
    return False


@cache
def _warn_once(place: Path, fallback: Path) -> None:
    _log.warning(
        "the file system of %s has no locks; those in %s keep this computer's processes apart, not those of "
        "others",
        place,
        fallback,
    )


class FileLock:
    """``with FileLock(path):`` holds the lock alone; waits for at most *timeout* seconds.

    The agent's own lock is one of these, taken with ``acquire`` and kept until the process is gone.

    Args:
        path: the lock file; its directory is created 0700 when it is missing.
        timeout: seconds to wait for another holder.
        fallback: a directory on a local disk, used when the file system of *path* has no locks (NFS without
            a lock daemon answers ENOLCK).
        waiter: time, injected by tests.
        given_up: asked every few hundredths of a second while waiting; True ends the wait.

    Raises (on entering, and by ``acquire``):
        FileContended: another process or thread still holds it after *timeout*, or when *given_up* says so.
        FileRefused: the path is a link, or the directory is not ours.
        FileUnwritable: the lock file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout: float = 10.0,
        fallback: Path | None = None,
        waiter: Waiter | None = None,
        given_up: Callable[[], bool] = _never,
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._fallback = fallback
        self._given_up = given_up
        self._waiter: Waiter = waiter if waiter is not None else RealWaiter()
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """True between ``acquire`` and ``release``."""
        return self._fd is not None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Wait for the lock and take it; raises as the class says."""
        if self._fd is not None:
            raise RuntimeError("a FileLock is not entered twice; make one for each thread")
        deadline = self._waiter.monotonic() + self._timeout
        try:
            self._fd = self._acquire(self._path, deadline)
        except OSError as error:
            if error.errno not in _UNSUPPORTED or self._fallback is None:
                raise translation(error, self._path, "locking") from error
            _warn_once(self._path.parent, self._fallback)
            path = self._fallback / self._path.name
            with translated(path, "locking"):
                self._fd = self._acquire(path, deadline)

    def release(self) -> None:
        """Give the lock back; the file stays."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            close(fd)  # closing lets go of the lock on every platform

    def _acquire(self, path: Path, deadline: float) -> int:
        private_directory(path.parent)
        while True:
            fd = _open(path)
            try:
                self._wait_for(fd, path, deadline)
                if _same_file(fd, path):
                    return fd
            except BaseException:
                close(fd)
                raise
            close(fd)  # a cleaner removed the file meanwhile: the lock on it binds nobody

    def _wait_for(self, fd: int, path: Path, deadline: float) -> None:
        attempt = 0
        while not _try_lock(fd):
            if self._waiter.monotonic() >= deadline or self._given_up():
                raise FileContended(f"another credtray process is busy with the file (it holds {path})")
            self._waiter.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1


def _same_file(fd: int, path: Path) -> bool:
    held = os.fstat(fd)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)


if sys.platform == "win32":
    import msvcrt

    def _open(path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_BINARY | os.O_NOINHERIT, 0o600)

    def _try_lock(fd: int) -> bool:
        try:
            os.lseek(fd, 0, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise
        return True

else:
    import fcntl

    def _open(path: Path) -> int:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            close(fd)
            raise FileRefused(f"{path} is not a lock file of this user")
        return fd

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise
        return True
