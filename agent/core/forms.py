"""The forms in which role credentials are handed out. How each is written: core/shells."""

from __future__ import annotations

from enum import Enum


class Form(Enum):
    """How role credentials are written for pasting."""

    POSIX = "posix"
    """bash, zsh and sh."""
    FISH = "fish"
    POWERSHELL = "powershell"
    CMD = "cmd"
    SECTION = "section"
    """A section of the credentials file."""
