"""A file of AWS settings as one client has read it, before anything is hidden or understood.

Values stand here as they are in the file; nothing of this leaves the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from agent.core.ini_text import IniProblem

DEFAULT_PROFILE = "default"


class FileKind(Enum):
    """Which of the two files a text is: only the config file has prefixes in its headers."""

    CONFIG = "config"
    CREDENTIALS = "credentials"


@dataclass(slots=True)
class RawSection:
    """A section; of every setting the value and its line, counted from 1."""

    line: int
    values: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class RawFile:
    """The sections by the names that profiles and sso-sessions go by."""

    profiles: dict[str, RawSection] = field(default_factory=dict)
    sso_sessions: dict[str, RawSection] = field(default_factory=dict)
    problem: IniProblem | None = None
    """Why the client refuses the file as a whole; then it has no sections."""


class Refused(Exception):
    """The client does not get beyond this line."""

    def __init__(self, line: int, text: str) -> None:
        self.problem = IniProblem(line, text)
        super().__init__(text)
