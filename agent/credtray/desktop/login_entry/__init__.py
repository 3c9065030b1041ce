"""What starts at login, as every system has it: one entry per program. Touches nothing; see ``autostart``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from credtray.core.errors import AutostartRefused, FileRefused, FileUnwritable
from credtray.files.atomic_file import read_bounded, write_atomically
from credtray.files.directory_safety import translated


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that is there."""

    content: bytes
    """All of it."""
    ours: bool
    """It carries credtray's mark."""
    starts: str
    """The command in the entry's own notation."""
    program: str | None
    """The absolute path of the program it starts, where the entry tells."""
    words: tuple[str, ...] = ()
    """The command taken apart; empty where the entry has none."""
    switched_off: str | None = None
    """Why it starts nothing all the same, in a sentence for a person."""


class LoginEntry(Protocol):
    """The entry of credtray. Every method raises AutostartRefused when it cannot do what it is for."""

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        ...

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return the whole entry that starts this command."""
        ...

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the command in the entry's own notation."""
        ...

    def found(self) -> Found | None:
        """Return the entry that is there; None: there is none."""
        ...

    def write(self, content: bytes) -> None:
        """Put the entry in its place, whole or not at all, and switch it on."""
        ...

    def remove(self) -> None:
        """Take the entry away, if there is one."""
        ...


# The file in which a desktop keeps one program that starts at login. Knows nothing of what is in it.


_LARGEST = 64 * 1024
"""Bytes; an entry has less than one."""
_MODE = 0o644
"""Nothing in it is secret, and some desktops look at it as another user."""


class EntryFile:
    """One such file; never one that a link leads to. Every method raises AutostartRefused."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """Return its content, or None when it is not there."""
        with _refused():
            return None if self._is_missing() else read_bounded(self.path, _LARGEST)

    def write(self, content: bytes) -> None:
        """Put it there whole or not at all, for everybody to read."""
        with _refused():
            self._is_missing()
            write_atomically(self.path, content, mode=_MODE)

    def remove(self) -> None:
        """Remove it, if it is there."""
        with _refused():
            if not self._is_missing():
                with translated(self.path, "removing"):
                    self.path.unlink(missing_ok=True)

    def _is_missing(self) -> bool:
        with translated(self.path, "looking at"):
            try:
                self.path.lstat()
            except FileNotFoundError:
                return True
            if self.path.is_symlink():
                raise AutostartRefused(
                    f"{self.path} is a symbolic link, which credtray did not create",
                    hint="Move it away, then try again.",
                )
        return False


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (FileRefused, FileUnwritable) as error:
        raise AutostartRefused(error.detail) from error
