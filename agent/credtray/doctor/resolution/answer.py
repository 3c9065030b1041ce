"""What one client searches for the keys of one profile, and what the resolution table then says and why.

Values only: the rules are in the chains, nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from credtray.doctor.resolution.environment import FileView, Section, Setting, TokenFile


class Client(Enum):
    """Those whose search for credentials is known. The value is how people call it."""

    AWS_CLI = "AWS CLI v2"
    BOTO3 = "boto3"
    GO = "AWS SDK for Go v2"
    JAVASCRIPT = "AWS SDK for JavaScript v3"
    JAVA = "AWS SDK for Java 2.x"

    @property
    def proven(self) -> bool:
        """True: its rules are compared with the real program by tests; False: documented, not run."""
        return self not in {Client.GO, Client.JAVA}


class Provider(Enum):
    """Where credentials come from."""

    ENVIRONMENT = "environment variables"
    CREDENTIALS_FILE = "keys in the credentials file"
    CONFIG_FILE = "keys in the config file"
    SSO_SESSION = "SSO (sso-session)"
    SSO_LEGACY = "SSO (legacy, without sso-session)"
    ASSUME_ROLE = "assumed role"
    WEB_IDENTITY = "web identity token"
    PROCESS = "credential process"
    LOGIN = "aws login"
    CONTAINER = "container credentials endpoint"
    INSTANCE_METADATA = "EC2 instance metadata"
    NONE = "nothing"


class Place(Enum):
    """Which of the three places decided."""

    ENVIRONMENT = "environment"
    CONFIG = "config file"
    CREDENTIALS = "credentials file"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Where:
    """The variable, or the line of a file, that decided."""

    place: Place
    name: str = ""
    """The variable, or the name of the section's setting."""
    line: int | None = None
    """In the file, counted from 1; None for a variable."""


class TroubleKind(Enum):
    """What is wrong, for whoever finds a cure; the value is stable and goes into JSON."""

    FILE_UNPARSABLE = "file-unparsable"
    """This client refuses a file as a whole, or reads it otherwise than the others."""
    PROFILE_MISSING = "profile-missing"
    INCOMPLETE_KEYS = "incomplete-keys"
    TOKENLESS_KEYS = "tokenless-keys"
    """Temporary keys without their session token."""
    MIXED_KEYS = "mixed-keys"
    """One part of the keys comes from the config file, another from the credentials file."""
    INCOMPLETE_SSO = "incomplete-sso"
    SSO_MALFORMED = "sso-malformed"
    """A setting that is there and cannot be right, such as one with a comment behind it."""
    SESSION_MISSING = "session-missing"
    SESSION_INCONSISTENT = "session-inconsistent"
    TOKEN_MISSING = "token-missing"  # noqa: S105 - the name of a trouble
    TOKEN_UNREADABLE = "token-unreadable"  # noqa: S105 - the name of a trouble
    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - the name of a trouble
    COMMENT_IN_VALUE = "comment-in-value"
    """A comment behind a value, which this client takes as part of the value."""
    KEYS_EXPIRED = "keys-expired"
    KEYS_SHADOWED = "keys-shadowed"
    """Keys of ours are there, but something else is used."""
    SSO_SHADOWED = "sso-shadowed"
    """Keys in the files are used instead of the profile's SSO settings."""
    STALE_SECURITY_TOKEN = "stale-security-token"  # noqa: S105 - the name of a trouble
    ENVIRONMENT_WINS = "environment-wins"
    VARIABLES_DISAGREE = "variables-disagree"
    """AWS_PROFILE and AWS_DEFAULT_PROFILE name different profiles."""
    ROLE_UNUSABLE = "role-unusable"
    """``role_arn`` without a source, with two, or in a loop."""
    ENDPOINT_SILENT = "endpoint-silent"
    UNSUPPORTED = "unsupported"
    """This client does not know such a provider, or not without help."""
    NOTHING_FOUND = "nothing-found"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong."""

    kind: TroubleKind
    text: str
    """One sentence. Holds no secret."""
    fatal: bool
    """True: the client gets no credentials, or such that AWS refuses."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one client does for one profile."""

    client: Client
    asked: str | None
    """The profile it was asked for; None: no profile named."""
    profile: str
    """The profile it really uses."""
    provider: Provider
    """Whose answer decides: the credentials, or the error when ``trouble`` is fatal."""
    where: Where
    why: str
    """One sentence."""
    kept_fresh_by_us: bool
    troubles: tuple[Trouble, ...]
    """The gravest one first."""
    will_notice_renewal: bool
    """Whether a long-running process of this client gets new keys from this provider by itself."""
    base: Provider | None = None
    """Of an assumed role: where the credentials come from that assume it."""
    base_where: Where | None = None

    @property
    def trouble(self) -> Trouble | None:
        """The gravest one; None: nothing is known to be wrong."""
        return self.troubles[0] if self.troubles else None

    @property
    def works(self) -> bool:
        """False: the client gets no credentials, or such that AWS refuses."""
        return self.trouble is None or not self.trouble.fatal


# One client's search for the credentials of one profile: what it sees, and what a rule of its chain finds.
#
# Holds no rule itself; see the chains.


@dataclass(frozen=True, slots=True)
class ProfileSections:
    """One profile in both files; the credentials file has the last word on each setting, for every client."""

    config: Section | None
    credentials: Section | None

    def find(self, name: str) -> tuple[Place, Setting] | None:
        """Return a setting and where it stands."""
        if self.credentials is not None and name in self.credentials.settings:
            return Place.CREDENTIALS, self.credentials.settings[name]
        if self.config is not None and name in self.config.settings:
            return Place.CONFIG, self.config.settings[name]
        return None

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def text(self, name: str) -> str:
        """Return a setting, empty when there is none."""
        found = self.find(name)
        return "" if found is None else found[1].value

    def where(self, *names: str) -> Where:
        """Return the place of the first of these settings that is there, or of the section."""
        for name in names:
            found = self.find(name)
            if found is not None:
                return Where(found[0], name, found[1].line)
        if self.config is not None:
            return Where(Place.CONFIG, "", self.config.line)
        if self.credentials is not None:
            return Where(Place.CREDENTIALS, "", self.credentials.line)
        return Where(Place.NOWHERE)


@dataclass(frozen=True, slots=True)
class ChainMatch:
    """What one rule came upon."""

    provider: Provider
    where: Where
    why: str
    troubles: tuple[Trouble, ...] = ()
    goes_on: bool = False
    """True: the client looks further, and comes to grief here only if it finds nothing else."""
    kept_fresh: bool = False
    renews: bool = False
    """A long-running process gets new keys from here by itself."""
    temporary: bool = False
    """Keys that stand somewhere and end, with nothing to renew them."""
    base: ChainMatch | None = None
    """Of an assumed role."""

    @property
    def fatal(self) -> bool:
        """Whether the client is left without usable credentials."""
        return any(trouble.fatal for trouble in self.troubles)


@dataclass(frozen=True, slots=True)
class Search:
    """What the rules of a chain look at."""

    client: Client
    profile: str
    """The one that is really used."""
    both: ProfileSections
    """Its settings."""
    named: bool
    """False: nobody named a profile, and ``default`` need not exist."""
    explicit: bool
    """The profile was given to the program itself."""
    environ: Mapping[str, str]
    config: FileView
    credentials: FileView
    tokens: Mapping[str, TokenFile]
    endpoint_answers: bool | None
    now: datetime

    def of(self, profile: str) -> ProfileSections:
        """Return another profile's settings."""
        return ProfileSections(self.config.profiles.get(profile), self.credentials.profiles.get(profile))

    def knows(self, profile: str) -> bool:
        """Whether either file has the profile."""
        return profile in self.config.profiles or profile in self.credentials.profiles

    def looking_at(self, profile: str) -> Search:
        """Return the search in a source profile: what the environment says does not count there."""
        return replace(self, profile=profile, both=self.of(profile), named=True, explicit=True)


Rule = Callable[[Search], ChainMatch | None]
Chain = tuple[Rule, ...]


def follow(chain: Chain, search: Search) -> ChainMatch | None:
    """Return what the first rule finds that does not go on, else what the first one of all found."""
    passed: ChainMatch | None = None
    for rule in chain:
        found = rule(search)
        if found is None:
            continue
        if not found.goes_on:
            return found if passed is None else replace(found, troubles=found.troubles + noted(passed))
        passed = passed or found
    return passed


def first(chain: Chain, search: Search) -> ChainMatch | None:
    """Return what the first rule finds, even if the client goes on behind the whole of *chain*."""
    return next((found for rule in chain if (found := rule(search)) is not None), None)


def noted(passed: ChainMatch) -> tuple[Trouble, ...]:
    """Return the troubles of what was passed over: they did not stop the search."""
    return tuple(replace(trouble, fatal=False) for trouble in passed.troubles)


def going_on(rule: Rule) -> Rule:
    """Return the rule of a client that looks further when this one fails."""

    def tried(search: Search) -> ChainMatch | None:
        found = rule(search)
        return replace(found, goes_on=True) if found is not None and found.fatal else found

    return tried


def fatal(kind: TroubleKind, text: str) -> tuple[Trouble]:
    """Return a trouble that leaves the client without credentials."""
    return (Trouble(kind, text, fatal=True),)


def noticed(kind: TroubleKind, text: str) -> tuple[Trouble]:
    """Return a trouble that a person should know of."""
    return (Trouble(kind, text, fatal=False),)
