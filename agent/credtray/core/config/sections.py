"""The sections of the AWS config file as botocore sorts them, and where a profile takes its keys from.

Knows nothing of what the settings mean; see ``sso``. Never interprets, expands or executes a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from credtray.core.addresses import check_region, shown, start_url_kind
from credtray.core.errors import ConfigInvalid, CredtrayError
from credtray.core.ini import scan
from credtray.core.ini.text import DEFAULT_SECTION, SectionSpan, split_lines
from credtray.core.models import SsoSession
from credtray.core.shell_words import command_words
from credtray.core.words import did_you_mean

MAX_FILE = 16 * 1024 * 1024
"""Bytes; a larger config file is refused."""
MAX_VALUE = 64 * 1024
"""Characters; a longer value is not used."""

_KIND_AND_NAME = 2
_KINDS = ("profile", "sso-session", "services")

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_PLAIN_BODY = re.compile(rf"(?:{_NAME}[ \t]*=[^\r\n]*(?:\n|\Z)|[ \t]*\n|[#;][^\r\n]*(?:\n|\Z))*\Z")
_PLAIN_LINE = re.compile(rf"^({_NAME})[ \t]*=([^\n]*)$", re.MULTILINE)
"""A body of plain ``name = value`` lines, as nearly all are: read at once, five times as fast."""

Value = str | Mapping[str, str]
"""A setting, or the nested block of one such as ``s3 =`` with indented lines."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its settings, names in lower case, values that are too long left out."""

    settings: Mapping[str, Value]
    span: SectionSpan
    oversized: tuple[str, ...] = ()
    """Settings left out because their value is longer than ``MAX_VALUE``."""
    over: Section | None = None
    """What the credentials file says of this profile, and is in ``settings`` already; see ``merging``."""

    def text(self, name: str) -> str | None:
        """Return a plain setting; None when it is absent or a nested block."""
        value = self.settings.get(name)
        return value if isinstance(value, str) else None

    def in_credentials(self, name: str) -> bool:
        """Whether it is the credentials file that says this setting, or else has the section."""
        if self.over is None:
            return False
        return name in self.over.settings or name in self.over.oversized or self.span is self.over.span

    def line_of(self, name: str) -> int:
        """Return the line of a setting, counted from 1, or of the header when the section lacks it.

        It is a line of the credentials file where ``in_credentials`` says so.
        """
        if self.over is not None and self.span is not self.over.span and self.in_credentials(name):
            return self.over.line_of(name)
        for option in self.span.options:
            if option.name == name:
                above, _ = split_lines(self.span.text[self.span.start : option.start])
                return self.span.header_line + len(above)
        return self.span.header_line


@dataclass(frozen=True, slots=True)
class ConfigText:
    """The sections of the file by what they are (botocore 1.44 configloader.py ``build_profile_map``)."""

    profiles: Mapping[str, Section]
    sso_sessions: Mapping[str, Section]
    services: Mapping[str, Section]


def read_config(data: bytes) -> ConfigText:
    """Read the bytes of a config file.

    Raises:
        ConfigInvalid: botocore would refuse the whole file too, or it is larger than ``MAX_FILE``; line and
            reason are named, the text of the line is not (it may be a secret).
    """
    if len(data) > MAX_FILE:
        raise ConfigInvalid(f"it is larger than {MAX_FILE // 1024 // 1024} MiB")
    found = scan(data)
    if found.problem is not None:
        raise ConfigInvalid(f"line {found.problem.line}: {found.problem.text}")
    defaults: dict[str, str] = {}
    for span in found.sections:
        if span.name == DEFAULT_SECTION:
            defaults |= span.values
    config = ConfigText({}, {}, {})
    for span in found.sections:
        _sort_in(span, defaults, config)
    return config


def is_config_header(header: str) -> bool:
    """Whether a header is of the config file's kinds: ``profile x``, ``sso-session x``, ``services x``."""
    return header.startswith(_KINDS) and len(_words(header)) == _KIND_AND_NAME


def _sort_in(span: SectionSpan, defaults: Mapping[str, str], config: ConfigText) -> None:
    # The prefixes are compared without the blank that should follow, because botocore does so.
    kinds = (config.profiles, config.sso_sessions, config.services)
    for prefix, named in zip(_KINDS, kinds, strict=True):
        if span.name.startswith(prefix):
            words = _words(span.name)
            if len(words) == _KIND_AND_NAME:  # botocore ignores a header of more words
                _put(named, words[1], read_section(span, defaults))
            return
    if span.name == "default":
        _put(config.profiles, "default", read_section(span, defaults))


def _put(named: Mapping[str, Section], name: str, section: Section) -> None:
    if isinstance(named, dict):
        named[name] = section


def read_section(span: SectionSpan, defaults: Mapping[str, str]) -> Section:
    """Return one section; *defaults* is what ``[DEFAULT]`` says in the same file."""
    settings: dict[str, Value] = {}
    oversized: list[str] = []
    for name, value in {**defaults, **_values(span)}.items():
        if len(value) > MAX_VALUE:
            oversized.append(name)
        else:
            settings[name] = _nested(value) if value.startswith("\n") else value
    return Section(settings, span, tuple(oversized))


def _values(span: SectionSpan) -> dict[str, str]:
    if _PLAIN_BODY.match(span.text, span.header_end, span.end):
        pairs = _PLAIN_LINE.findall(span.text, span.header_end, span.end)
        return {name.lower(): value.strip() for name, value in pairs}
    return span.values


def _nested(block: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in block.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _words(header: str) -> list[str]:
    if not re.search(r"[\\'\"]", header):  # shlex takes 20 times as long, and most names have no quotes
        return re.findall(r"[^ \t\r\n]+", header)
    try:
        return command_words(header, windows=False)
    except ValueError:
        return []


# Why a value of the config file is not what somebody meant: a comment behind it, quotes, a digit too many.
#
# Source: botocore 1.44 configloader.py reads with Python's RawConfigParser, whose values go to the end of
# the line: ``;`` and ``#`` begin a comment only at the beginning of a line, and quotes are part of the
# value.


_COMMENT = re.compile(r"\s+[;#].*\Z", re.DOTALL)
_QUOTES = "\"'\u201c\u201d\u2018\u2019"
_BETWEEN_DIGITS = re.compile(r"[\s\u2010-\u2015.-]")
_ACCOUNTS = ("sso_account_id", "credtray_account_id")
_DIGITS = 12


def meant(value: str) -> str:
    """Return the value without comment and quotes: what it was probably to be."""
    return _COMMENT.sub("", value).strip().strip(_QUOTES).strip()


def advice(key: str, value: str) -> tuple[str, str] | None:
    """Return what is wrong with a refused value and the line to write instead; None: nothing of this kind."""
    plain = meant(value)
    if _COMMENT.search(value):
        text = f"{key} is {shown(value)}: what follows the value on its line is part of it"
        return text, f"Put the comment on a line of its own, and write: {key} = {plain}"
    if plain != value.strip():
        text = f"{key} is {shown(value)}: quotes are part of the value"
        return text, f"Write it without quotes: {key} = {plain}"
    return _of_account(key, plain) if key in _ACCOUNTS else None


def _of_account(key: str, value: str) -> tuple[str, str] | None:
    digits = _BETWEEN_DIGITS.sub("", value)
    if not (digits.isascii() and digits.isdigit()):
        return None
    if digits != value and len(digits) == _DIGITS:
        text = f"{key} is {shown(value)}, with characters that are no digits"
        return text, f"Write only the digits: {key} = {digits}"
    if len(digits) < _DIGITS:
        hint = "Write all 12 digits, zeros at the beginning included."
    else:
        hint = "Write the 12 digits of the account number."
    return f"{key} is {shown(value)}: it has {len(digits)} digits, not 12", hint


# Tells where one profile section itself takes its credentials from, in botocore's order.
#
# Looks at no other profile; ``chains`` follows ``source_profile``. Never runs a credential process.


ACCOUNT_ID = re.compile(r"\d{12}\Z", re.ASCII)
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}\Z", re.ASCII)
"""The form that IAM demands of a role name."""

OUR_SESSION = "credtray_sso_session"
OUR_ACCOUNT = "credtray_account_id"
OUR_ROLE = "credtray_role_name"
"""What a profile made by ``credtray setup --credential-process`` carries instead of ``sso_*`` settings, which
would win over the credential process (botocore 1.44 credentials.py). Other programs ignore these keys."""

RUN_SETUP = "or run `credtray setup`"


class Unusable(Exception):
    """A profile or sso-session that was meant for SSO and cannot be used: becomes a ``ConfigWarning``."""

    def __init__(self, text: str, hint: str, key: str = "") -> None:
        self.text = text
        self.hint = hint
        self.key = key
        """The setting it is about; the section's header when empty."""
        super().__init__(text)


class OtherSource(Exception):
    """A profile that takes its credentials from elsewhere: becomes a ``ForeignProfile``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class SsoSource:
    """An SSO role: the first credentials of a profile."""

    session: SsoSession
    account_id: str
    role_name: str


def read_session(name: str, section: Section) -> SsoSession:
    """Read an ``[sso-session]`` section.

    Raises:
        Unusable: a setting is missing or refused.
    """
    settings = _require(section.settings, ("sso_start_url", "sso_region"), f"[sso-session {name}]")
    scopes = section.text("sso_registration_scopes")
    return SsoSession(
        name,
        settings["sso_start_url"],
        settings["sso_region"],
        # AWS CLI 2.36 parse_sso_registration_scopes: an empty list is not the same as none in cache keys
        None if scopes is None else tuple(scope.strip() for scope in scopes.split(",") if scope.strip()),
    )


def own_source(section: Section, config: ConfigText, sessions: Mapping[str, SsoSession]) -> SsoSource:
    """Return the SSO role this section itself names; ``sessions`` are the usable sso-sessions.

    The order is botocore's: web identity, SSO, keys in the credentials file, ``aws login``, credential
    process, keys in the config file.

    Raises:
        NotOurs: it takes its credentials from elsewhere.
        Unusable: SSO settings that are incomplete or contradict each other.
    """
    if section.text("web_identity_token_file"):
        raise OtherSource("takes its credentials from a web identity token (web_identity_token_file)")
    if "sso_account_id" in section.settings or "sso_role_name" in section.settings:
        return _sso_role(section, config, sessions)
    if section.over is not None and "aws_access_key_id" in section.over.settings:
        raise OtherSource("holds static keys in the credentials file (aws_access_key_id)")
    if "login_session" in section.settings:
        raise OtherSource("takes its credentials from `aws login` (login_session)")
    if "credential_process" in section.settings:
        return _our_process(section, sessions)
    if "aws_access_key_id" in section.settings or "aws_secret_access_key" in section.settings:
        raise OtherSource("holds static keys (aws_access_key_id)")
    raise _without_credentials(section)


def _sso_role(section: Section, config: ConfigText, sessions: Mapping[str, SsoSession]) -> SsoSource:
    name = section.text("sso_session")
    if name is None:
        wanted = ("sso_start_url", "sso_region", "sso_account_id", "sso_role_name")
        settings = _require(section.settings, wanted, "the profile")
        url = settings["sso_start_url"]
        session = SsoSession(url, url, settings["sso_region"], legacy=True)
    else:
        merged = {**section.settings, **_consistent(name, section, config).settings}
        settings = _require(merged, ("sso_account_id", "sso_role_name"), "the profile")
        session = _usable(name, sessions)
    return SsoSource(session, settings["sso_account_id"], settings["sso_role_name"])


def _consistent(name: str, section: Section, config: ConfigText) -> Section:
    session = config.sso_sessions.get(name)
    if session is None:
        found = advice("sso_session", name) if meant(name) in config.sso_sessions else None
        if found is not None:
            raise Unusable(*found, "sso_session")
        nearest = did_you_mean(name, config.sso_sessions)
        raise Unusable(
            f"it names the sso-session {shown(name)}, which does not exist{f'.{nearest}' if nearest else ''}",
            f"Add a section [sso-session {name}] with sso_start_url and sso_region, {RUN_SETUP}.",
            "sso_session",
        )
    for key, value in session.settings.items():
        if section.settings.get(key, value) != value:
            raise Unusable(
                f"{key} differs between the profile and its sso-session {shown(name)}",
                f"Remove {key} from the profile.",
                key,
            )
    return session


def _our_process(section: Section, sessions: Mapping[str, SsoSession]) -> SsoSource:
    if not any(key in section.settings for key in (OUR_SESSION, OUR_ACCOUNT, OUR_ROLE)):
        raise OtherSource("takes its credentials from another program (credential_process)")
    settings = _require(section.settings, (OUR_SESSION, OUR_ACCOUNT, OUR_ROLE), "the profile")
    return SsoSource(_usable(settings[OUR_SESSION], sessions), settings[OUR_ACCOUNT], settings[OUR_ROLE])


def _usable(name: str, sessions: Mapping[str, SsoSession]) -> SsoSession:
    session = sessions.get(name)
    if session is None or session.legacy:
        raise Unusable(
            f"its sso-session {shown(name)} does not exist or cannot be used",
            f"Correct the section [sso-session {name}], {RUN_SETUP}.",
        )
    return session


def _without_credentials(section: Section) -> Exception:
    if "sso_session" in section.settings:
        return OtherSource("names only an sso-session: it gives a bearer token, not role credentials")
    if "sso_start_url" in section.settings or "sso_region" in section.settings:
        return Unusable(
            "it lacks sso_account_id and sso_role_name",
            f"Add sso_account_id and sso_role_name, {RUN_SETUP}.",
        )
    return OtherSource("names no source of credentials in either file")


def _require(settings: Mapping[str, Value], wanted: tuple[str, ...], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in wanted:
        value = settings.get(key)
        if isinstance(value, str):
            found[key] = value
    missing = [key for key in wanted if not found.get(key)]
    if missing:
        listed = " and ".join(missing)
        raise Unusable(f"it lacks {listed}", f"Add {listed} to {where}, {RUN_SETUP}.")
    for key, value in found.items():
        try:
            _CHECKS.get(key, _no_check)(key, value)
        except Unusable as problem:
            text, hint = advice(key, value) or (problem.text, problem.hint)
            raise Unusable(text, hint, key) from None
    return found


def _no_check(_key: str, _value: str) -> None:
    return None


def _check_start_url(key: str, value: str) -> None:
    try:
        start_url_kind(value)
    except CredtrayError as error:
        raise Unusable(str(error), error.advice, key) from None


def _check_region(key: str, value: str) -> None:
    try:
        check_region(value)
    except CredtrayError as error:
        raise Unusable(str(error), error.advice, key) from None


def _check_account(key: str, value: str) -> None:
    if not ACCOUNT_ID.match(value):
        raise Unusable(
            f"{key} is {shown(value)}, not 12 digits", "Write the account number with all digits.", key
        )


def _check_role(key: str, value: str) -> None:
    if not ROLE_NAME.match(value):
        raise Unusable(
            f"{key} is {shown(value)}, which no role can be called",
            "Role names have at most 64 letters, digits and +=,.@_-",
            key,
        )


_CHECKS = {
    "sso_start_url": _check_start_url,
    "sso_region": _check_region,
    "sso_account_id": _check_account,
    "sso_role_name": _check_role,
    OUR_ACCOUNT: _check_account,
    OUR_ROLE: _check_role,
}
