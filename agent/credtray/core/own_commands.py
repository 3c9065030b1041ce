"""Recognises a credential process of credtray in the config file, also as earlier versions wrote it. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_DOOR = re.compile(r"[\\/](agent|credtray)[\\/]__main__\.py\Z")
_NOW = "credtray"
"""The name of the import package; it was ``agent`` before."""


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """One command line of ours, taken apart."""

    python: str
    door: str | None
    """The script it starts; None: a module by its name."""
    package: str
    profile: str

    def outdated(self, exists: Callable[[str], bool]) -> str | None:
        """Return why it starts nothing, in a sentence; None while it can work. *exists* knows paths."""
        for path in (self.python, self.door):
            if path is not None and path.startswith(("/", "~")) and not exists(path):
                return f"{path} does not exist"
        return None if self.package == _NOW or self.door is not None else f"there is no module {self.package}"


def own_command(text: str) -> OwnCommand | None:
    """Return what a ``credential_process`` of ours says; None for every other program."""
    try:
        words = shlex.split(text, posix="\\" not in text)
    except ValueError:
        return None
    words = [word.strip('"') for word in words]
    if "credentials" not in words[2:-1]:
        return None
    at = words.index("credentials", 2) - 1
    door = _DOOR.search(words[at])
    if door is not None:
        return OwnCommand(words[0], words[at], door[1], words[-1])
    if words[at - 1] == "-m" and words[at] in {"agent", _NOW}:
        return OwnCommand(words[0], None, words[at], words[-1])
    return None
