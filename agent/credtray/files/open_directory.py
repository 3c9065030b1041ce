"""A directory held open, so that nobody can swap it while a file in it is being replaced.

POSIX works by directory descriptor throughout. Windows has none: there the path is used, an open file cannot
be replaced, and everything is tried again while a scanner or another program has a file open.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from credtray.core.errors import FileRefused
from credtray.files.directory_safety import IN_USE, check_directory, close, sync_directory

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


Unchanged = Callable[[], bool]
"""Tells whether a file is still the one that was read."""


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

    def replace(self, source: str, target: str, unchanged: Unchanged | None = None) -> bool:
        """Put *source* in the place of *target*, atomically; False: *unchanged* said no, nothing was done.

        It is asked right before, and again before each further try.
        """
        ...

    def exchange(self, source: str, target: str, unchanged: Unchanged) -> bool:
        """Do the same to a file of the user: on Windows it keeps its access list, attributes and streams."""
        ...

    def left_aside(self, target: str) -> str | None:
        """Return the name of the old file that a crash in the middle of ``exchange`` left, None if none."""
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


def open_directory(path: Path, waiter: Waiter) -> OpenDirectory:
    """Open *path* (already resolved) and check that it is safe to write in.

    Raises:
        FileRefused: others could swap files in it.
        OSError: it cannot be opened.
    """
    return _opened(path, waiter)


# How Windows replaces a file. Needs nothing of Windows, so that the rules can be tried on every system.


class FileCalls(Protocol):
    """What Windows does with whole paths; every method raises OSError with ``winerror``."""

    def hold(self, path: str) -> int:
        """Open a file so that nobody writes to it until ``release``; others may read, rename or delete it."""
        ...

    def release(self, handle: int) -> None:
        """Let go of what ``hold`` opened."""
        ...

    def exchange(self, target: str, source: str, aside: str) -> None:
        """Rename *target* to *aside*, and *source* to *target* (ReplaceFileW).

        The new file has the access list, attributes and streams of the old one.
        """
        ...

    def move(self, source: str, target: str) -> None:
        """Give a file another name, never one that is taken."""
        ...

    def unlink(self, path: str) -> None:
        """Remove a file."""
        ...


_TARGET_IS_ASIDE = 1177
"""ERROR_UNABLE_TO_MOVE_REPLACEMENT_2 of ReplaceFileW: the second of its two renames failed."""
_PASSING = IN_USE | {5, 183, 1175, 1176, _TARGET_IS_ASIDE}
"""Access denied (a target that is open, or about to be deleted), already exists, and ReplaceFileW's own codes
for a file that it could not move."""
_RETRY_SECONDS = 2.5
_RETRY_PAUSE = 0.05

_Result = TypeVar("_Result")


def winerror_of(error: OSError) -> int | None:
    """Return what GetLastError said; None on other systems."""
    code: int | None = getattr(error, "winerror", None)
    return code


def tried_again(act: Callable[[], _Result], waiter: Waiter, passing: frozenset[int] = _PASSING) -> _Result:
    """Return what *act* does, trying for about 2.5 s while Windows says that a file is in use.

    Whoever replaces a file compares inside *act*, at each try, whether it is still the file that was read.

    Raises:
        OSError: an error that is not in *passing* at once, and the last one when the time is over.
    """
    deadline = waiter.monotonic() + _RETRY_SECONDS
    while True:
        try:
            return act()
        except OSError as error:
            if winerror_of(error) not in passing or waiter.monotonic() >= deadline:
                raise
        waiter.sleep(_RETRY_PAUSE)


def exchanged(calls: FileCalls, source: str, target: str, unchanged: Unchanged, waiter: Waiter) -> bool:
    """Put *source* in the place of *target*; False: *unchanged* said no, and nothing was done.

    Nobody can write to the file between that question and its replacement. Whatever happens, the old text has
    its name or lies under ``aside_of(target)``.

    Raises:
        OSError: it could not be replaced for 2.5 s, or cannot be at all.
    """
    aside = aside_of(target)

    def act() -> bool:
        try:
            handle = calls.hold(target)
        except FileNotFoundError:
            if unchanged():
                calls.move(source, target)
                return True
            return False
        try:
            if not unchanged():
                return False
            calls.exchange(target, source, aside)
        except OSError as error:
            if winerror_of(error) == _TARGET_IS_ASIDE:
                tried_again(lambda: calls.move(aside, target), waiter)
            raise
        finally:
            calls.release(handle)
        return True

    done = tried_again(act, waiter)
    if done:
        with suppress(OSError):  # a scanner has it: it goes with the next edit
            tried_again(lambda: calls.unlink(aside), waiter, IN_USE)
    return done


def aside_of(target: str) -> str:
    """Return where the old file lies in the middle of an exchange; never swept as a leftover."""
    return f"{target}.credtray-replaced"


if sys.platform != "win32":
    READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

    def open_to_read(path: Path, _waiter: Waiter) -> int:
        """Open an existing file for reading, never through a link, never blocking; raises OSError."""
        return os.open(path, READ_FLAGS)

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

        def replace(self, source: str, target: str, unchanged: Unchanged | None = None) -> bool:
            if unchanged is not None and not unchanged():
                return False
            os.rename(source, target, src_dir_fd=self._fd, dst_dir_fd=self._fd)
            return True

        def exchange(self, source: str, target: str, unchanged: Unchanged) -> bool:
            return self.replace(source, target, unchanged)

        def left_aside(self, target: str) -> str | None:  # noqa: ARG002 -- a rename is one step here
            return None

        def unlink(self, name: str) -> None:
            os.unlink(name, dir_fd=self._fd)

        def sync(self) -> None:
            sync_directory(self._fd)

        def close(self) -> None:
            close(self._fd)

    def _opened(path: Path, _waiter: Waiter) -> OpenDirectory:
        return _PosixDirectory(path)

else:
    from credtray.files import on_windows

    def open_to_read(path: Path, waiter: Waiter) -> int:
        """Open an existing file for reading; waits while another program keeps it shut. Raises OSError."""
        try:
            return tried_again(lambda: on_windows.open_shared(path), waiter, IN_USE)
        except PermissionError:
            if path.is_dir():  # which Windows does not open as a file
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)) from None
            raise

    class _WindowsDirectory:
        def __init__(self, path: Path, waiter: Waiter) -> None:
            self.path = path
            self._waiter = waiter
            self._calls = on_windows.WindowsCalls()
            if not path.is_dir():
                raise FileRefused(f"{path} is not a directory")

        def create(self, name: str) -> int:
            return on_windows.create_private(self.path / name)

        def open(self, name: str) -> int:
            return open_to_read(self.path / name, self._waiter)

        def stat(self, name: str) -> os.stat_result:
            return (self.path / name).lstat()

        def replace(self, source: str, target: str, unchanged: Unchanged | None = None) -> bool:
            def act() -> bool:
                if unchanged is not None and not unchanged():
                    return False
                os.replace(self.path / source, self.path / target)  # noqa: PTH105 -- its result is not needed
                return True

            with self._blamed(target):
                return tried_again(act, self._waiter)

        def exchange(self, source: str, target: str, unchanged: Unchanged) -> bool:
            with self._blamed(target):
                return exchanged(
                    self._calls, str(self.path / source), str(self.path / target), unchanged, self._waiter
                )

        def left_aside(self, target: str) -> str | None:
            aside = aside_of(target)
            return aside if self.path.joinpath(aside).exists() else None

        @contextmanager
        def _blamed(self, target: str) -> Iterator[None]:
            """Say "in use" where Windows says "access denied" of a file that another program has open."""
            try:
                yield
            except OSError as error:
                if winerror_of(error) in _PASSING - IN_USE and self.path.joinpath(target).exists():
                    on_windows.check_deletable(self.path / target)
                raise

        def unlink(self, name: str) -> None:
            tried_again((self.path / name).unlink, self._waiter, IN_USE)

        def sync(self) -> None:
            """Windows offers no such call for directories."""

        def close(self) -> None:
            """Nothing is held open."""

    def _opened(path: Path, waiter: Waiter) -> OpenDirectory:
        return _WindowsDirectory(path, waiter)
