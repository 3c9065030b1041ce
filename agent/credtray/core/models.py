"""The nouns of the field as frozen values: sso-sessions, profiles, tokens, role credentials.

Times are aware UTC. Secrets are ``Secret`` and have no repr. Nothing here reads a file or a clock.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import NoReturn

# A string that cannot be printed by accident.
#
# Tokens and keys travel as ``Secret``; only the places that must hand them out call ``reveal()``.


class Secret:
    """Hides its text from repr, str, format, pickling and comparison timing."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Search for callers to see where secrets leave the program."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True, slots=True)
class Sources:
    """What named each part of ``Endpoints``, as a person finds it: a variable, a setting, a line."""

    oidc: str | None = None
    portal: str | None = None
    sts: str | None = None
    ca_bundle: str | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where requests go, and how, when it is not AWS's default: overrides in botocore's order."""

    oidc: str | None = None
    portal: str | None = None
    sts: str | None = None
    ca_bundle: str | None = None
    signin: str | None = None
    """In place of the console's federation endpoint."""
    proxy: Secret | None = None
    """The session's own proxy, which may carry a password; None: as the environment says."""
    fips: bool = False
    """The hosts with validated cryptography, where no address is named outright."""
    dual_stack: bool = False
    """The hosts that speak IPv6 as well, where no address is named outright."""
    global_sts: bool = False
    """``sts_regional_endpoints = legacy``: the one STS of the first regions."""
    sources: Sources = field(default=Sources(), compare=False)
    """For texts only: the same way named elsewhere is the same way."""


@dataclass(frozen=True, slots=True)
class SsoSession:
    """A named sso-session, or the start URL that legacy profiles share."""

    name: str
    """The session's name; for legacy profiles the start URL as written. Its sha1 names the token file."""
    start_url: str
    """Exactly as written in the config file: it is part of cache keys."""
    region: str
    scopes: tuple[str, ...] | None = None
    """As configured; None where the config file names none."""
    legacy: bool = False
    """True: no refresh token, device authorization grant only."""
    endpoints: Endpoints = Endpoints()


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """One `role_arn` step of a chained profile."""

    role_arn: str
    role_session_name: str | None = None
    external_id: str | None = None
    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile credtray can serve: an SSO role, optionally followed by assumed roles."""

    name: str
    session: str
    """``SsoSession.name``."""
    account_id: str
    role_name: str
    region: str | None = None
    endpoints: Endpoints | None = None
    """The profile's own; None: those of its session. See ``endpoints_in``."""
    chain: tuple[AssumedRole, ...] = ()
    """Roles assumed through STS after the SSO role, the first one first."""

    @property
    def role(self) -> tuple[str, str]:
        """Return account id and name of the SSO role."""
        return self.account_id, self.role_name

    def endpoints_in(self, session: SsoSession) -> Endpoints:
        """Return where its calls go: a profile's own settings choose its hosts, as for every SDK."""
        return session.endpoints if self.endpoints is None else self.endpoints


@dataclass(frozen=True, slots=True)
class ForeignProfile:
    """A profile that is not ours, with the reason why it is left alone."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """Something in the AWS files a person should correct; everything else in it is still used."""

    profile: str
    """The section it is about."""
    line: int
    text: str
    hint: str
    in_credentials: bool = False
    """The line is one of the credentials file."""


@dataclass(frozen=True, slots=True)
class AwsConfig:
    """What both files say of profiles, as far as credtray is concerned."""

    sessions: Mapping[str, SsoSession] = field(default_factory=lambda: MappingProxyType({}))
    profiles: Mapping[str, Profile] = field(default_factory=lambda: MappingProxyType({}))
    foreign: tuple[ForeignProfile, ...] = ()
    warnings: tuple[ConfigWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """What RegisterClient gave us; cached in the AWS CLI's own format."""

    client_id: str
    client_secret: Secret
    expires_at: datetime
    scopes: tuple[str, ...] | None = None
    grant_types: tuple[str, ...] | None = None
    """Present only in registrations made for the authorization code grant."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The bearer token of one sso-session, as the token cache holds it."""

    value: Secret
    expires_at: datetime
    refresh_token: Secret | None = None
    registration: ClientRegistration | None = None
    """The client it was issued to: needed to refresh it."""
    issued_at: datetime | None = field(default=None, compare=False)
    """When it was issued (for a token found on the disk: when its file was written), where that is known."""
    found: bool = field(default=False, compare=False)
    """It was read from the token cache, where anybody may have put it; else it was issued to us."""

    @property
    def refreshable(self) -> bool:
        """True when a silent refresh can be tried: both the refresh token and its client are known."""
        return self.refresh_token is not None and self.registration is not None


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """The keys programs use."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expires_at: datetime
    """In this computer's time: the portal's instant corrected by a known clock error."""
    fetched_at: datetime

    @property
    def life(self) -> timedelta:
        """How long they were good for when they were fetched."""
        return self.expires_at - self.fetched_at


class Delivery(StrEnum):
    """How the programs of an active profile get its role credentials."""

    FILE = "file"
    """Its keys are written into a section of the credentials file."""
    PROCESS = "process"
    """Held in memory for ``credtray credentials``; nothing is written."""
    ENDPOINT = "endpoint"
    """Held in memory for the local endpoint, which is open then; nothing is written."""


class Way(StrEnum):
    """By which way keys reach whoever uses them."""

    FILE = "file"
    ENDPOINT = "endpoint"
    PROCESS = "process"
    """`credtray credentials`, typed or as a credential process."""
    SHELL = "shell"
    """`credtray env`, for the shell that reads it."""
    EXEC = "exec"
    """`credtray exec --env`, for one command."""
    CLIPBOARD = "clipboard"
    CONSOLE = "console"
    KUBE = "kube"
    """`credtray kube-token`, for a Kubernetes cluster."""
    REGISTRY = "registry"
    """`docker-credential-credtray`, for a registry of container images."""
    SHARE = "share"
    """`credtray share`, for programs on another machine."""
    TOKEN = "token"  # noqa: S105 -- a word of the history
    """`credtray token`, for a database or a package registry."""


class CredentialStatus(StrEnum):
    """How a sign-in, role credentials or pasted keys stand, in the one word that `status` has for it."""

    FRESH = "fresh"
    ADVISORY = "advisory"
    """Refresh if it is easy; the old one still works."""
    MANDATORY = "mandatory"
    """Refresh now; about to fail callers."""
    EXPIRED = "expired"
    SIGNED_OUT = "signed_out"
    SIGNING_IN = "signing_in"
    """A sign-in waits for a person."""
    OFFLINE = "offline"
    """The portal cannot be reached."""
    REFUSED = "refused"
    """The sign-in was denied, the role is not the person's, or the section is not ours."""


class EndProof(Enum):
    """How the end of a sign-in is known, best first (architecture: three clocks)."""

    CUT = "cut"
    """A token came back shorter than usual: it was cut at the end. Proven."""
    REFUSED = "refused"
    """A refresh was refused at a known time, or we ended the sign-in ourselves. Proven."""
    UNRENEWED = "unrenewed"
    """Its access token is not renewed (refused, no refresh token, client registration over): it ends with
    it. Proven."""
    LAST_LENGTH = "last_length"
    """As long as this session's last sign-in. An estimate."""
    SETTING = "setting"
    """As long as the setting says. An estimate."""

    @property
    def proven(self) -> bool:
        """False for the two estimates, which are always shown with "about" or "not confirmed"."""
        return self in {EndProof.CUT, EndProof.REFUSED, EndProof.UNRENEWED}


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser sign-in and what is known of its end."""

    started_at: datetime
    ends_at: datetime
    proof: EndProof
    observed: bool = True
    """False: it was found on the disk, so its beginning (and its length) is not known."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A job that cannot begin before somebody signs in."""

    profile: str
    until: datetime
    """What its credentials have to last until."""
    deadline: datetime
    """It waits no longer than that."""
    who: str = ""
    """What it is called, as a person knows it; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account as ListAccounts tells it; name and e-mail may be absent in live answers."""

    account_id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class SectionKeys:
    """What one section of the credentials file is to hold."""

    section: str
    profile: str
    credentials: RoleCredentials
    region: str | None = None
    """Written only where a program would otherwise miss it: in ``[default]``."""
    pasted: bool = False
    """They were pasted: ``profile`` is no profile's name but says whose they are."""


# Whose role credentials are: from a caller's ARN, or from the header of the portal's profile block. Pure.


_ASSUMED = re.compile(
    r"arn:aws[a-z-]*:sts::(?P<account>[0-9]{12}):assumed-role/"
    r"(?:AWSReservedSSO_(?P<sso>[A-Za-z0-9_+=,.@-]{1,64})_[0-9a-f]{16}|(?P<other>[A-Za-z0-9_+=,.@-]{1,128}))/"
    r"(?P<session>[^\n]+)"
)
_PORTAL_BLOCK = re.compile(r"(?P<account>[0-9]{12})_(?P<role>[A-Za-z0-9_+=,.@-]{1,64})")


def account_and_role(arn: str) -> tuple[str | None, str | None, bool]:
    """Return the account, the role as people know it, and whether Identity Center issued it.

    Identity Center's roles are called ``AWSReservedSSO_<permission set>_<16 hex digits>`` (its user guide,
    "Referencing permission sets in resource policies"); only the permission set is a role's name in a
    profile. An ARN that is no session of a role gives None twice.
    """
    match = _ASSUMED.fullmatch(arn)
    if match is None:
        return None, None, False
    return match["account"], match["sso"] or match["other"], match["sso"] is not None


def person_of(arn: str) -> str | None:
    """Return the person of a session that Identity Center issued; None for any other ARN.

    Identity Center names the session of a role after the user who signed in (its user guide, "Logging and
    monitoring": ``.../AWSReservedSSO_<permission set>_<16 hex digits>/<user name>``).
    """
    match = _ASSUMED.fullmatch(arn)
    return match["session"] if match is not None and match["sso"] is not None else None


def portal_block(header: str) -> tuple[str | None, str | None]:
    """Return account and role of ``111122223333_AdministratorAccess``; None twice for any other header."""
    match = _PORTAL_BLOCK.fullmatch(header)
    return (None, None) if match is None else (match["account"], match["role"])
