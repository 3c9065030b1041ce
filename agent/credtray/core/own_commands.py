"""Recognises commands of credtray in files of the user, also as earlier versions wrote them. Pure.

The credential process of a profile, and what starts the agent at login.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from credtray.core.shell_words import command_words

_DOOR = re.compile(r"[\\/](?:(agent|credtray)[\\/]__main__\.py|credtray[^\\/]*\.pyz)\Z")
_SCRIPT = re.compile(r"[\\/]credtray(\.exe)?\Z")
_WHOLE_PATH = re.compile(r"[/~]|[A-Za-z]:[\\/]")
_ENV = "/usr/bin/env"
_NOW = "credtray"
"""The name of the import package; it was ``agent`` before."""


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """One command line of ours, taken apart."""

    python: str
    """The program: Python, or the script of ours that starts it."""
    door: str | None
    """The script it starts; None: a module by its name."""
    package: str
    profile: str
    """Empty where it starts the agent."""

    def outdated(self, exists: Callable[[str], bool]) -> str | None:
        """Return why it starts nothing, in a sentence; None while it can work. *exists* knows paths."""
        for path in (self.python, self.door):
            if path is not None and _WHOLE_PATH.match(path) and not exists(path):
                return f"{path} does not exist"
        return None if self.package == _NOW or self.door is not None else f"there is no module {self.package}"


@dataclass(frozen=True, slots=True)
class OldStart:
    """What starts at login, and can start nothing any more."""

    place: str
    """The file, or the value of the registry."""
    before: str
    """The command in the system's own notation."""
    after: str
    """That of this installation."""
    reason: str


def own_command(text: str) -> OwnCommand | None:
    """Return what a ``credential_process`` of ours says; None for every other program."""
    try:
        words = command_words(text, windows="\\" in text)
    except ValueError:
        return None
    return _taken_apart(words, "credentials", words[-1]) if "credentials" in words[2:-1] else None


def own_start(words: Sequence[str]) -> OwnCommand | None:
    """Return what a command of ours that starts the agent says; None for every other program."""
    if words and words[0] == _ENV:
        words = words[1:]
    if len(words) > 1 and words[1] == "run" and _SCRIPT.search(words[0]):
        return OwnCommand(words[0], None, _NOW, "")
    return _taken_apart(words, "run", "") if "run" in words[2:] else None


def _taken_apart(words: Sequence[str], verb: str, profile: str) -> OwnCommand | None:
    at = words.index(verb, 2) - 1
    door = _DOOR.search(words[at])
    if door is not None:
        return OwnCommand(words[0], words[at], door[1] or _NOW, profile)
    if words[at - 1] == "-m" and words[at] in {"agent", _NOW}:
        return OwnCommand(words[0], None, words[at], profile)
    return None
