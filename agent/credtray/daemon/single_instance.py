"""One agent per user: a lock that the kernel gives back when its holder dies, however it dies.

Never deletes the lock file and never breaks a lock by age or process id: a stopped agent still owns it.
"""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path

from credtray.core.errors import AgentRefused

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Start(Enum):
    """What came of the wish to be the one agent."""

    ACQUIRED = "acquired"
    """We are it, until ``release`` or the end of the process."""
    ALREADY_RUNNING = "already_running"
    """Another process is it (running or stopped); we should say so and exit 0."""


class SingleInstance:
    """The lock of one runtime directory. The directory must have been prepared."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "agent.lock"
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """True between a successful ``acquire`` and ``release``."""
        return self._descriptor is not None

    def acquire(self) -> Start:
        """Try once, without waiting.

        Raises:
            AgentRefused: the lock file cannot be opened, is a link, or the file system has no locks.
        """
        while self._descriptor is None:
            descriptor = self._open()
            try:
                _try_lock(descriptor)
            except (BlockingIOError, PermissionError):  # Windows: EACCES says that another one holds it
                os.close(descriptor)
                return Start.ALREADY_RUNNING
            except OSError as error:
                os.close(descriptor)
                raise AgentRefused(f"{self._path} cannot be locked: {error.strerror}") from None
            if self._still_there(descriptor):
                self._descriptor = descriptor
            else:  # somebody emptied the directory between open and lock: a lock on a lost file locks nobody
                os.close(descriptor)
        return Start.ACQUIRED

    def release(self) -> None:
        """Give the lock back; the file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            return os.open(self._path, flags, 0o600)
        except OSError as error:
            raise AgentRefused(f"{self._path} cannot be opened: {error.strerror}") from None

    def _still_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.lstat())
        except FileNotFoundError:
            return False
