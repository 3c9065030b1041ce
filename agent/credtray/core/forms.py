"""The forms in which role credentials are handed out. How each is written: core/shells.

Pure: names only.
"""

from __future__ import annotations

from enum import Enum


class Form(Enum):
    """How role credentials, and variables that lead to them, are written."""

    POSIX = "posix"
    """bash, zsh and sh."""
    FISH = "fish"
    POWERSHELL = "powershell"
    CMD = "cmd"
    DOTENV = "dotenv"
    """``NAME=value`` lines that docker, python-dotenv, systemd and sh read alike."""
    JSON = "json"
    """One object of variables."""
    SECTION = "section"
    """A section of the credentials file."""
