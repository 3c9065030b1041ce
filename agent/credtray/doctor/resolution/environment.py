"""What a client's search for credentials looks at, as one value: variables, both files, token files.

Reads nothing itself and keeps no secret: keys, tokens and commands are replaced by words about them.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from credtray.aws.cache_format import read_fields
from credtray.core.config.sections import MAX_FILE, OUR_SESSION, read_config
from credtray.core.config.sections import Section as ConfigSection
from credtray.core.ini import scan
from credtray.core.ini.text import DEFAULT_SECTION, IniProblem, SectionSpan
from credtray.core.ports.files import Mark
from credtray.core.section_mark import key_digest
from credtray.core.words import NOTED_ENDS, read_date
from credtray.doctor.resolution.read_by_line import (
    FileKind,
    RawFile,
    RawSection,
    Refused,
    is_plain,
    read_go,
    read_java,
    read_javascript,
)

# Reads AWS INI text as boto3 and the AWS CLI do, by the rules of ``core.ini`` and ``core.config.sections``.
#
# Source: botocore 1.44 configloader.py; the AWS CLI carries the same parser.


def read_botocore(data: bytes, kind: FileKind) -> RawFile:
    """Read one file.

    Raises:
        Refused: it is not what botocore reads, or larger than credtray reads.
    """
    if len(data) > MAX_FILE:
        raise Refused(1, f"it is larger than {MAX_FILE // 1024 // 1024} MiB")
    found = scan(data)
    if found.problem is not None:
        raise Refused(found.problem.line, found.problem.text)
    line_at = _lines(found.text)
    defaults: dict[str, tuple[str, int]] = {}
    spans: dict[str, dict[str, tuple[str, int]]] = {}
    for span in found.sections:
        into = defaults if span.name == DEFAULT_SECTION else spans.setdefault(span.name, {})
        into.update(_values(span, line_at))
    if kind is FileKind.CREDENTIALS:
        headers = {span.name: span.header_line for span in found.sections}
        return RawFile({name: RawSection(headers[name], {**defaults, **own}) for name, own in spans.items()})
    config = read_config(data)
    sections = (config.profiles, config.sso_sessions)
    profiles, sessions = (_named(named, spans, defaults) for named in sections)
    return RawFile(profiles, sessions)


def _named(
    sections: Mapping[str, ConfigSection],
    spans: Mapping[str, dict[str, tuple[str, int]]],
    defaults: Mapping[str, tuple[str, int]],
) -> dict[str, RawSection]:
    """Put the lines to what ``read_config`` has sorted; nested blocks name no credentials."""
    return {
        name: RawSection(
            section.span.header_line,
            {
                key: (own.get(key) or defaults[key])
                for key, value in section.settings.items()
                if isinstance(value, str)
            },
        )
        for name, section in sections.items()
        for own in (spans[section.span.name],)
    }


def _values(span: SectionSpan, line_at: Callable[[int], int]) -> dict[str, tuple[str, int]]:
    return {option.name: (option.value, line_at(option.start)) for option in span.options}


def _lines(text: str) -> Callable[[int], int]:
    """Return what tells the line of a position; lines end as a text file's do."""
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    ends = [end.start() for end in re.finditer("\n", text)]
    return lambda position: bisect_right(ends, position - 1) + 1


SET = "set"
"""Stands for a value that is not shown."""
TEMPORARY = "temporary"
"""Stands for the access key id of temporary keys, which need a session token."""
OURS = "credtray"
"""Stands for a credential process that runs credtray."""

HIDDEN = frozenset({SET, TEMPORARY, OURS})

ACCESS_KEY_ID = "aws_access_key_id"
SECRET_ACCESS_KEY = "aws_secret_access_key"  # noqa: S105 - the name of a setting
SESSION_TOKEN = "aws_session_token"  # noqa: S105 - the name of a setting
SECURITY_TOKEN = "aws_security_token"  # noqa: S105 - the name of a setting
WEB_IDENTITY = "web_identity_token_file"
PROCESS = "credential_process"
LOGIN = "login_session"

_SHOWN = frozenset(
    {"role_arn", "source_profile", "credential_source", "region", *NOTED_ENDS}
    | {"sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region"}
    | {"sso_registration_scopes"}
)
_HIDDEN = frozenset({SECRET_ACCESS_KEY, SESSION_TOKEN, SECURITY_TOKEN, WEB_IDENTITY, LOGIN, "mfa_serial"})
_VARIABLES = frozenset(
    {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CREDENTIAL_EXPIRATION", "AWS_ROLE_ARN"}
    | {"AWS_EC2_METADATA_DISABLED", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}
    | {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}
)
_SECRET_VARIABLES = frozenset(
    {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_SECRET_KEY"}
    | {"AWS_WEB_IDENTITY_TOKEN_FILE"}
)
_ACCESS_KEY_VARIABLES = frozenset({"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"})
_COMMENT = re.compile(r"\s[#;]")
_OUR_COMMAND = re.compile(
    r"(?:\bcredtray(?:\.exe)?|[/\\](?:credtray|agent)[/\\]__main__\.py)['\"]?\s.*\bcredentials\b"
)


class Dialect(Enum):
    """The ways in which clients read the two files."""

    BOTOCORE = "botocore"
    JAVASCRIPT = "javascript"
    GO = "go"
    JAVA = "java"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and its line, counted from 1."""

    value: str
    line: int
    commented: bool = False
    """The value ends in what looks like a comment; botocore takes it as part of the value."""


@dataclass(frozen=True, slots=True)
class Section:
    """One profile or sso-session as one client reads it from one file."""

    line: int
    """Of its header, counted from 1."""
    settings: Mapping[str, Setting]
    mark: Mark | None = None
    """Ours, and the access key is still the one that it was made for."""


@dataclass(frozen=True, slots=True)
class FileView:
    """One file as one client reads it."""

    profiles: Mapping[str, Section] = field(default_factory=lambda: MappingProxyType({}))
    sso_sessions: Mapping[str, Section] = field(default_factory=lambda: MappingProxyType({}))
    problem: IniProblem | None = None
    """Why this client refuses the file as a whole."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file of the SSO token cache."""

    expires_at: datetime | None
    """None: the file does not contain a complete token."""
    refreshable: bool = False


@dataclass(frozen=True, slots=True)
class OtherInputs:
    """What is found beside the two files."""

    tokens: Mapping[str, TokenFile] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the file in ~/.aws/sso/cache without ``.json``."""
    marks: Sequence[Mark] = ()
    """All marks of ours in the credentials file."""
    endpoint_answers: bool | None = None
    """Whether what AWS_CONTAINER_CREDENTIALS_FULL_URI names is ours and answers; None: not asked."""


@dataclass(frozen=True, slots=True)
class ClientEnvironment:
    """Everything a client's search looks at."""

    environ: Mapping[str, str]
    """The variables that matter; secret ones as ``SET`` or ``TEMPORARY``."""
    config: Mapping[Dialect, FileView]
    credentials: Mapping[Dialect, FileView]
    tokens: Mapping[str, TokenFile]
    endpoint_answers: bool | None
    now: datetime


def environment_of(
    config: bytes | None,
    credentials: bytes | None,
    environ: Mapping[str, str],
    now: datetime,
    beside: OtherInputs = OtherInputs(),
) -> ClientEnvironment:
    """Read the bytes of both files (None: there is none) into what ``resolve`` looks at. Never raises."""
    marks = {mark.section: mark for mark in beside.marks}
    return ClientEnvironment(
        _variables(environ),
        _views(config, FileKind.CONFIG, {}),
        _views(credentials, FileKind.CREDENTIALS, marks),
        beside.tokens,
        beside.endpoint_answers,
        now,
    )


def token_file(data: bytes, now: datetime) -> TokenFile:
    """Read a file of the SSO token cache for its dates; what is no whole token has no date."""
    try:
        fields = read_fields(data)
        expires_at = read_date(fields.get("expiresAt"))
    except ValueError:
        return TokenFile(None)
    if not isinstance(fields.get("accessToken"), str):
        return TokenFile(None)
    needed = (fields.get(name) for name in ("refreshToken", "clientId", "clientSecret"))
    try:
        registered = read_date(fields.get("registrationExpiresAt")) > now
    except ValueError:
        registered = False
    return TokenFile(expires_at, refreshable=registered and all(needed))


def token_name(text: str) -> str:
    """Return the name of the token file of an sso-session or, for legacy profiles, of a start URL.

    Source: botocore 1.44 utils.py ``SSOTokenLoader``; the SDKs do the same.
    """
    return hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


_READERS: Mapping[Dialect, Callable[[bytes, FileKind], RawFile]] = MappingProxyType(
    {
        Dialect.BOTOCORE: read_botocore,
        Dialect.JAVASCRIPT: read_javascript,
        Dialect.GO: read_go,
        Dialect.JAVA: read_java,
    }
)


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep what matters; a security token that says the same as the session token harms nobody."""
    kept = {name: value for name, value in environ.items() if name in _VARIABLES}
    for name in _SECRET_VARIABLES & environ.keys():
        kept[name] = SET if environ[name] else ""
    for name in _ACCESS_KEY_VARIABLES & environ.keys():
        kept[name] = _kind_of_key(environ[name]) if environ[name] else ""
    if environ.get("AWS_SECURITY_TOKEN") == environ.get("AWS_SESSION_TOKEN"):
        kept.pop("AWS_SECURITY_TOKEN", None)
    return kept


def _views(data: bytes | None, kind: FileKind, marks: Mapping[str, Mark]) -> dict[Dialect, FileView]:
    """Read a file in all dialects; one reading serves them all where they cannot differ."""
    first = _view(Dialect.BOTOCORE, data, kind, marks)
    named = (*first.profiles.values(), *first.sso_sessions.values())
    plain = data is not None and first.problem is None and is_plain(data, kind)
    if plain and all(section.settings for section in named):  # JavaScript does not see an empty section
        return dict.fromkeys(Dialect, first)
    others = (dialect for dialect in Dialect if dialect is not Dialect.BOTOCORE)
    return {Dialect.BOTOCORE: first, **{each: _view(each, data, kind, marks) for each in others}}


def _view(dialect: Dialect, data: bytes | None, kind: FileKind, marks: Mapping[str, Mark]) -> FileView:
    if data is None:
        return FileView()
    try:
        raw = _READERS[dialect](data, kind)
    except Refused as refused:
        return FileView(problem=refused.problem)
    return FileView(
        {name: _section(section, marks.get(name)) for name, section in raw.profiles.items()},
        {name: _section(section, None) for name, section in raw.sso_sessions.items()},
    )


def _section(raw: RawSection, mark: Mark | None) -> Section:
    held, _ = raw.values.get(ACCESS_KEY_ID, ("", 0))
    ours = mark is not None and key_digest(held) == mark.digest
    settings: dict[str, Setting] = {}
    for name, (value, line) in raw.values.items():
        if name in _SHOWN or not value:
            shown = value
        elif name in _HIDDEN:
            shown = SET
        elif name == ACCESS_KEY_ID:
            shown = _kind_of_key(value)
        elif name == PROCESS:
            shown = OURS if OUR_SESSION in raw.values or _OUR_COMMAND.search(value) else SET
        else:
            continue
        settings[name] = Setting(shown, line, _COMMENT.search(value) is not None)
    _drop_twin(raw, settings)
    return Section(raw.line, settings, mark if ours else None)


def _drop_twin(raw: RawSection, settings: dict[str, Setting]) -> None:
    """Forget ``aws_security_token`` where it says the same as ``aws_session_token``: then it harms nobody."""
    old, new = raw.values.get(SECURITY_TOKEN), raw.values.get(SESSION_TOKEN)
    if old is not None and new is not None and old[0] == new[0]:
        del settings[SECURITY_TOKEN]


def _kind_of_key(access_key_id: str) -> str:
    return TEMPORARY if access_key_id.startswith("ASIA") else SET
