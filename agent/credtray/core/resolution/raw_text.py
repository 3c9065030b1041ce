"""A file of AWS settings as one client has read it, before anything is hidden or understood.

Values stand here as they are in the file; nothing of this leaves the package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from credtray.core.ini.text import IniProblem, decode

DEFAULT_PROFILE = "default"


class FileKind(Enum):
    """Which of the two files a text is: only the config file has prefixes in its headers."""

    CONFIG = "config"
    CREDENTIALS = "credentials"


_NAME = r"[A-Za-z0-9_.\-/%@+]+"
_SETTING = r"[a-z][a-z0-9_]* ?= ?(?![#;'\"])[!-~](?:[!-~]|[ ](?![#;]))*"
"""No capitals, no blanks before it, a value on the same line, and nothing that may be a comment or quotes."""
_PLAIN = {
    kind: re.compile(rf"(?:(?:{_SETTING}|\[(?:{header})\]|[#;][^\r\n]*|)\n)*", re.ASCII)
    for kind, header in (
        (FileKind.CONFIG, rf"default|profile (?!default\]){_NAME}|sso-session {_NAME}"),
        (FileKind.CREDENTIALS, rf"(?!DEFAULT\]){_NAME}"),
    )
}


def is_plain(data: bytes, kind: FileKind) -> bool:
    """Whether a text that botocore reads is one that all clients read alike."""
    text = decode(data)
    return _PLAIN[kind].fullmatch(text if text.endswith("\n") else text + "\n") is not None


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
