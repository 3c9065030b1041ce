"""What was observed of a computer: the input of every finding. Gathered by agent/credtray/doctor/collect.

Values only, and not one secret among them: of a key it is known that it is set, of a token when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from urllib.parse import urlsplit

from credtray.core.addresses import shown
from credtray.core.ini.text import IniProblem
from credtray.core.models import AwsConfig, CredentialStatus
from credtray.core.own_commands import OwnCommand
from credtray.core.protocol.results import ErrorEntry, PartStatus, StatusDocument
from credtray.files.obstacles import InTheWay


@dataclass(frozen=True, slots=True)
class FileFacts:
    """How one file lies there."""

    path: str
    """For a person: below ``~`` where it is."""
    exists: bool = False
    mode: int | None = None
    """Permission bits, such as 0o600; None where the system has none, or the file is absent."""
    open_above: str | None = None
    """A directory above it in which others may swap files."""
    foreign_owner: bool = False
    without_modes: bool = False
    """Its file system keeps no modes: who can read it is decided where it is mounted."""
    link: str | None = None
    """Where a symbolic link leads."""
    unread: str | None = None
    """Why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """A section of a file."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Misread:
    """A line of an AWS file that boto3 for Windows does not read as it is written."""

    line: int
    ours: str
    """The header, or the name of the setting; never its value."""
    theirs: str | None
    """The same as boto3 reads it; None: it cannot be read, and neither can the file."""


@dataclass(frozen=True, slots=True)
class IniFacts:
    """An AWS file as text."""

    file: FileFacts
    problem: IniProblem | None = None
    """The first reason why the AWS tools refuse the whole file."""
    duplicates: tuple[tuple[Place, ...], ...] = ()
    """Headers of the same name, all places of each."""
    code_page: str | None = None
    """In which boto3 reads the file (Windows: ``cp1252``); None: in UTF-8, as it is written."""
    misread: tuple[Misread, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """The config file."""

    text: IniFacts
    config: AwsConfig = AwsConfig()
    sections: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Every profile's name -> line of its header."""
    sessions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Every sso-session's name -> line of its header."""
    ignored: tuple[Place, ...] = ()
    """Headers that no program reads, such as ``[profile my dev]`` without quotes."""
    without_region: tuple[str, ...] = ()
    processes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Profile -> program of its credential_process, as written."""
    own_commands: Mapping[str, OwnCommand] = field(default_factory=lambda: MappingProxyType({}))
    """Profile -> its credential_process, where that is ours."""


class KeyKind(Enum):
    """What an access key id tells of itself (AWS IAM user guide, "unique identifiers")."""

    LONG_TERM = "long_term"
    """AKIA: of an IAM user."""
    TEMPORARY = "temporary"
    """ASIA."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class KeySection:
    """A section of the credentials file that holds keys."""

    name: str
    line: int
    kind: KeyKind
    profile: str | None = None
    """The profile whose keys credtray wrote here; None: they are not ours."""
    expires_at: datetime | None = None
    """As our mark, or another tool's, says."""
    digest: str = ""
    """Of the access key that our mark was made for; see core/section_mark."""
    half: bool = False
    """Only one half of the pair is there."""
    old_token: bool = False
    """It holds aws_security_token, and not the same as aws_session_token."""
    pasted: bool = False
    """They came by `credtray import`: nobody can renew them."""
    edited: bool = False
    """It carries our mark, and another key than the mark was made for."""


@dataclass(frozen=True, slots=True)
class CredentialsFacts:
    """The credentials file."""

    text: IniFacts
    sections: tuple[str, ...] = ()
    keys: tuple[KeySection, ...] = ()


class Held(Enum):
    """What lies where a token should."""

    NOTHING = "nothing"
    TOKEN = "token"  # noqa: S105 -- a word, no secret
    UNREADABLE = "unreadable"
    MISMATCH = "mismatch"
    """A token of another start URL or region."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The token cache file of one session."""

    file: FileFacts
    held: Held = Held.NOTHING
    reason: str = ""
    """Why it is unreadable, or what does not match."""
    expires_at: datetime | None = None
    has_refresh_token: bool = False
    registration_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionSight:
    """One session as the agent knows it."""

    state: CredentialStatus
    trouble: ErrorEntry | None = None


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """The running agent, if any."""

    running: bool = False
    version: str | None = None
    trouble: ErrorEntry | None = None
    """Why it could not be asked, when something listens."""
    problems: tuple[ErrorEntry, ...] = ()
    credentials_file: ErrorEntry | None = None
    sessions: Mapping[str, SessionSight] = field(default_factory=lambda: MappingProxyType({}))
    profiles: Mapping[str, ErrorEntry] = field(default_factory=lambda: MappingProxyType({}))
    """Profile -> what is wrong with it."""
    desktop: Mapping[str, PartStatus] = field(default_factory=lambda: MappingProxyType({}))
    endpoint: bool = False
    """The local credentials endpoint is open: somebody uses it."""

    @classmethod
    def of(cls, document: StatusDocument) -> AgentFacts:
        """Return what a running agent tells of itself."""
        sessions = {item.name: SessionSight(item.state, item.error) for item in document.sessions}
        profiles = {item.name: item.error for item in document.profiles if item.error is not None}
        return cls(
            running=True,
            version=document.agent.version,
            problems=document.problems,
            credentials_file=document.credentials_file,
            sessions=MappingProxyType(sessions),
            profiles=MappingProxyType(profiles),
            desktop=MappingProxyType(document.desktop.parts),
            endpoint=document.endpoint.port is not None,
        )


@dataclass(frozen=True, slots=True)
class AutostartFacts:
    """Starting at login."""

    enabled: bool = False
    trouble: str | None = None
    """Why it starts nothing, or something else."""
    outdated: str | None = None
    """Why what is started there cannot start; None: it can, or there is nothing."""


@dataclass(frozen=True, slots=True)
class OldUnit:
    """A systemd unit of this user that starts a credtray which is gone."""

    place: str
    """The file, as a person would name it."""
    name: str
    """Of the unit, for systemctl."""
    reason: str
    command: str
    """What ``ExecStart`` should say."""


class Surrounding(Enum):
    """Where the commands run, as far as it matters to a browser."""

    DESKTOP = "a desktop"
    SSH = "an SSH session"
    WSL = "WSL"
    CONTAINER = "a container"
    BARE = "a machine without a desktop"


@dataclass(frozen=True, slots=True)
class EndpointSight:
    """One try to reach a service."""

    session: str
    host: str
    trouble: ErrorEntry | None = None
    proxy: str | None = None
    """Without its login."""
    clock_error: timedelta | None = None
    """The service's clock minus ours."""
    override: str | None = None
    """What names this host in place of AWS's; None: it is AWS's own."""


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """settings.toml."""

    path: str = ""
    trouble: str | None = None
    line: int | None = None
    proxies: tuple[str, ...] = ()
    """Sessions with a proxy of their own."""
    bundles: tuple[str, ...] = ()
    """Sessions with CA bundles of their own."""
    locked: tuple[str, ...] = ()
    """Settings that the organisation sets."""
    policy_places: tuple[str, ...] = ()
    """Where it does so."""
    policy_mistakes: tuple[str, ...] = ()
    """What cannot be used of it."""
    guards: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    """Profile with settings -> whether its keys are not for coding agents, or only if a person says so."""
    guards_others: bool = False
    """The same for profiles without settings."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was observed."""

    now: datetime
    version: str
    """Of this command."""
    config: ConfigFacts
    credentials: CredentialsFacts
    tokens: Mapping[str, TokenFacts] = field(default_factory=lambda: MappingProxyType({}))
    """By session."""
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What programs started from here inherit; see ``environment.spoken``: secrets are only ``set``."""
    missing_bundles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Where it is named -> a CA bundle that cannot be read."""
    old_commands: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Profile -> why its credential process, which is ours, can start nothing."""
    missing_programs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Profile -> program of its credential_process that does not exist."""
    active: tuple[str, ...] = ()
    """Profiles kept fresh, the one that ``[default]`` mirrors included."""
    agent: AgentFacts = AgentFacts()
    autostart: AutostartFacts = AutostartFacts()
    old_units: tuple[OldUnit, ...] = ()
    settings: SettingsFacts = SettingsFacts()
    surrounding: Surrounding = Surrounding.DESKTOP
    browser: bool = True
    """A command that opens a browser was found."""
    aws_cli: tuple[int, ...] | None = None
    """Version of the `aws` that is found first; None: there is none, or it did not say."""
    endpoints: tuple[EndpointSight, ...] = ()
    """Only with --online."""
    endpoint_answers: bool | None = None
    """Whether our endpoint answers where the environment leads; False: nothing does; None: it is not ours."""
    in_the_way: tuple[InTheWay, ...] = ()
    """What keeps credtray or the AWS CLI from writing their files."""
    unknown: tuple[str, ...] = ()
    """What could not be looked at in time."""


# The variables that matter to AWS programs, fit to be shown: secrets are only ``set``.
#
# Takes the environment as a mapping and reads nothing by itself.


SET = "set"
"""Stands for a value that is not shown."""

SHOWN = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "AWS_SDK_LOAD_CONFIG",
        "NO_PROXY",
        "no_proxy",
    }
)
PROXIES = frozenset({"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"})
"""Shown without their login."""


FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
"""To boto3 an empty one names no file; every other empty variable is as good as none."""


def spoken(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that are set and matter; of those that may hold a secret only that they are."""
    found: dict[str, str] = {}
    for name, value in environ.items():
        if not value and name not in FILES:
            continue
        if name in SHOWN:
            found[name] = value
        elif name in PROXIES:
            found[name] = without_login(value)
        elif name.startswith("AWS_"):
            found[name] = SET
    return MappingProxyType(found)


def without_login(address: str) -> str:
    """Return a proxy's scheme, host and port; ``set`` when it cannot be taken apart."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return SET
    host = parts.hostname or ""
    return shown(f"{parts.scheme}://{host}{port}").strip('"') if host else SET
