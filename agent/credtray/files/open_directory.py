"""A directory held open, so that nobody can swap it while a file in it is being replaced.

POSIX works by directory descriptor throughout. Windows has none: there the path is used, and replacing is
retried while a scanner or another program holds the target open. The Windows half is type-checked and its
retry is unit-tested; it is not claimed to have run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from credtray.core.errors import FileRefused
from credtray.files.directory_safety import check_directory, close, sync_directory

# Time as the file layer sees it: a clock to read and a way to wait, both injected so that tests never
# sleep.
#
# Waits for short moments only (milliseconds to seconds); anything longer belongs to the daemon's ticks.


class Waiter(Protocol):
    """A clock and a pause."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, comparable with a file's modification time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        ...


class RealWaiter:
    """The computer's own time."""

    def monotonic(self) -> float:
        """See ``Waiter``."""
        return time.monotonic()

    def wall(self) -> float:
        """See ``Waiter``."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See ``Waiter``."""
        time.sleep(seconds)


_RETRIED_WINDOWS_ERRORS = frozenset({5, 32, 33})  # access denied, sharing violation, lock violation
_RETRY_SECONDS = 2.5
_RETRY_PAUSE = 0.05


class OpenDirectory(Protocol):
    """File operations on bare names in one directory; every method raises OSError."""

    path: Path

    def create(self, name: str) -> int:
        """Create a new file 0600 for reading and writing; never an existing one, never through a link."""
        ...

    def open(self, name: str) -> int:
        """Open an existing file for reading without following a link and without ever blocking."""
        ...

    def stat(self, name: str) -> os.stat_result:
        """Look at a name without following a link."""
        ...

    def replace(self, source: str, target: str) -> None:
        """Put *source* in the place of *target*, atomically."""
        ...

    def unlink(self, name: str) -> None:
        """Remove a name."""
        ...

    def sync(self) -> None:
        """Make the last ``replace`` survive a power cut."""
        ...

    def close(self) -> None:
        """Let go of the directory."""
        ...


if sys.platform == "win32":
    READ_FLAGS = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
else:
    READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_directory(path: Path, waiter: Waiter) -> OpenDirectory:
    """Open *path* (already resolved) and check that it is safe to write in.

    Raises:
        FileRefused: others could swap files in it.
        OSError: it cannot be opened.
    """
    return _opened(path, waiter)


def replace_with_retry(replace: Callable[[], None], waiter: Waiter) -> None:
    """Call *replace* until it works, for at most about 2.5 s, while Windows says that the target is in use.

    Only the errors 5, 32 and 33 are retried (virus scanners, indexers, OneDrive, another reader).

    Raises:
        OSError: any other error at once, and the last one when the time is over.
    """
    deadline = waiter.monotonic() + _RETRY_SECONDS
    while True:
        try:
            return replace()
        except OSError as error:
            if (
                getattr(error, "winerror", None) not in _RETRIED_WINDOWS_ERRORS
                or waiter.monotonic() >= deadline
            ):
                raise
        waiter.sleep(_RETRY_PAUSE)


if sys.platform != "win32":

    class _PosixDirectory:
        def __init__(self, path: Path) -> None:
            self.path = path
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                check_directory(path, os.fstat(self._fd))
            except BaseException:
                close(self._fd)
                raise

        def create(self, name: str) -> int:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.open(name, flags, 0o600, dir_fd=self._fd)

        def open(self, name: str) -> int:
            return os.open(name, READ_FLAGS, dir_fd=self._fd)

        def stat(self, name: str) -> os.stat_result:
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False)

        def replace(self, source: str, target: str) -> None:
            os.rename(source, target, src_dir_fd=self._fd, dst_dir_fd=self._fd)

        def unlink(self, name: str) -> None:
            os.unlink(name, dir_fd=self._fd)

        def sync(self) -> None:
            sync_directory(self._fd)

        def close(self) -> None:
            close(self._fd)

    def _opened(path: Path, _waiter: Waiter) -> OpenDirectory:
        return _PosixDirectory(path)

else:

    class _WindowsDirectory:
        def __init__(self, path: Path, waiter: Waiter) -> None:
            self.path = path
            self._waiter = waiter
            if not path.is_dir():
                raise FileRefused(f"{path} is not a directory")

        def create(self, name: str) -> int:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_BINARY | os.O_NOINHERIT
            return os.open(self.path / name, flags, 0o600)

        def open(self, name: str) -> int:
            return os.open(self.path / name, READ_FLAGS)

        def stat(self, name: str) -> os.stat_result:
            return (self.path / name).lstat()

        def replace(self, source: str, target: str) -> None:
            replace_with_retry(
                lambda: os.replace(self.path / source, self.path / target),  # noqa: PTH105 - returns None
                self._waiter,
            )

        def unlink(self, name: str) -> None:
            (self.path / name).unlink()

        def sync(self) -> None:
            """Windows offers no such call for directories."""

        def close(self) -> None:
            """Nothing is held open."""

    def _opened(path: Path, waiter: Waiter) -> OpenDirectory:
        return _WindowsDirectory(path, waiter)
