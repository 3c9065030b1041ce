"""What the resolution table says: which keys one client really uses for one profile, and why.

Values only; nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
