"""What a client's search for credentials looks at, as one value: variables, both files, token files.

Reads nothing itself and keeps no secret: a value that is one, or may be one, is replaced by ``set``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from agent.core.ini_text import IniProblem
from agent.core.ports.files import Mark

SET = "set"
"""Stands for a value that is not shown."""


class Dialect(Enum):
    """The ways clients read the two files."""

    BOTOCORE = "botocore"
    JAVASCRIPT = "javascript"
    GO = "go"
    JAVA = "java"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and its line, counted from 1."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """One profile or sso-session as one client reads it from one file."""

    line: int
    """Of its header, counted from 1."""
    settings: Mapping[str, Setting]
    mark: Mark | None = None
    """Ours, and the access key is still the one it was made for."""


@dataclass(frozen=True, slots=True)
class FileView:
    """One file as one client reads it."""

    profiles: Mapping[str, Section]
    sso_sessions: Mapping[str, Section]
    problem: IniProblem | None = None
    """Why this client refuses the file as a whole."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file of the SSO token cache."""

    expires_at: datetime | None
    """None: the file holds no whole token."""
    refreshable: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """What is found beside the two files."""

    tokens: Mapping[str, TokenFile] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the file in ~/.aws/sso/cache without ``.json``."""
    marks: Sequence[Mark] = ()
    """All marks of ours in the credentials file."""
    endpoint_answers: bool | None = None
    """Whether the endpoint of AWS_CONTAINER_CREDENTIALS_FULL_URI is ours and answers; None: not asked."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a client's search looks at."""

    environ: Mapping[str, str]
    """The variables that matter; secret ones as ``set``."""
    config: Mapping[Dialect, FileView]
    credentials: Mapping[Dialect, FileView]
    tokens: Mapping[str, TokenFile]
    endpoint_answers: bool | None
    now: datetime


def surroundings_of(
    config: bytes | None,
    credentials: bytes | None,
    environ: Mapping[str, str],
    now: datetime,
    beside: Beside = Beside(),
) -> Surroundings:
    """Read the bytes of both files (None: there is none) into what ``resolve`` looks at."""
    raise NotImplementedError
