"""What starts at login, as every system has it: one entry per program. Touches nothing; see ``autostart``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
