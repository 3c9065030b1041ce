"""The Protocols the daemon needs from the other wings. Implementations live in aws/, desktop/ and web/.

Every method may block (it runs in a worker thread) and raises errors of core/errors only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from agent.core.errors import Problem
from agent.core.models import (
    AccessToken,
    Account,
    AwsConfig,
    ClientRegistration,
    Profile,
    RoleCredentials,
    SectionKeys,
    SsoSession,
)
from agent.core.secret import Secret
from agent.core.settings import Settings


class Clock(Protocol):
    """Where time comes from; the demo runs it fast, tests move it by hand."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Block the calling worker thread for that long by this clock."""
        ...


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Issued(Generic[T]):
    """An answer of the service, with what it tells about clocks."""

    value: T
    clock_error: timedelta | None
    """Service's clock minus ours, from the HTTP Date header; None when the answer had none."""


class ConfigFile(Protocol):
    """The AWS config file, read as botocore reads it."""

    def stamp(self) -> object:
        """Return something that differs when the file may have changed; costs a stat call, never raises."""
        ...

    def load(self) -> AwsConfig:
        """Read and understand the file.

        Raises:
            ConfigInvalid: the file is broken as a whole; the line is named.
        """
        ...


class SettingsFile(Protocol):
    """settings.toml."""

    def stamp(self) -> object:
        """As ``ConfigFile.stamp``."""
        ...

    def load(self) -> Settings:
        """Read the settings; defaults when there is no file.

        Raises:
            SettingsInvalid: the line or the setting is named.
        """
        ...


class StateFile(Protocol):
    """What survives a restart; see core/saved."""

    def save(self, document: bytes) -> None:
        """Write it atomically, 0600."""
        ...


class TokenCache(Protocol):
    """~/.aws/sso/cache, shared with the AWS CLI and every SDK."""

    def stamp(self, session: SsoSession) -> object:
        """As ``ConfigFile.stamp``."""
        ...

    def read(self, session: SsoSession) -> AccessToken | None:
        """Return the token, or None when the file does not exist: the user signed out.

        Raises:
            TokenUnreadable: the file is there but torn, garbage, too large or no file, also after retries.
        """
        ...

    def write(self, session: SsoSession, token: AccessToken) -> None:
        """Write all fields atomically, 0600, keeping fields we do not know."""
        ...

    def drop(self, session: SsoSession, token: AccessToken) -> None:
        """Delete the token file if it still holds this very token."""
        ...

    def registration(self, session: SsoSession, grant: str) -> ClientRegistration | None:
        """Return a cached client registration good for this grant type and 15 minutes longer, or None."""
        ...

    def save_registration(self, session: SsoSession, registration: ClientRegistration) -> None:
        """Cache a client registration in the AWS CLI's format."""
        ...

    def lock(self, session: SsoSession) -> AbstractContextManager[None]:
        """Hold the per-key lock over re-read, refresh and write; between processes, bounded wait."""
        ...

    def sign_in_lock(self, session: SsoSession) -> AbstractContextManager[None]:
        """Hold the lock of a sign-in (minutes); a second process waits here and then finds the token."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """What StartDeviceAuthorization answered."""

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_at: datetime
    interval: timedelta


class IdentityCenter(Protocol):
    """The sso-oidc and sso (portal) services of one session."""

    def register(self, session: SsoSession, start_url: str, grant: str) -> ClientRegistration:
        """RegisterClient for the authorization code grant or the device authorization grant."""
        ...

    def authorize_endpoint(self, session: SsoSession) -> str:
        """Return the base address of ``/authorize``: the client's resolved endpoint."""
        ...

    def exchange_code(
        self,
        session: SsoSession,
        client: ClientRegistration,
        code: Secret,
        redirect_uri: str,
        verifier: Secret,
    ) -> AccessToken:
        """CreateToken with an authorization code."""
        ...

    def start_device(
        self, session: SsoSession, client: ClientRegistration, start_url: str
    ) -> DeviceAuthorization:
        """StartDeviceAuthorization."""
        ...

    def poll_device(
        self, session: SsoSession, client: ClientRegistration, device_code: Secret
    ) -> AccessToken | timedelta | None:
        """CreateToken with a device code: the token, None while pending, or by how much to slow down."""
        ...

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        """CreateToken with the refresh token; a reply without refresh token keeps the old one.

        Raises:
            TokenRefused: InvalidGrant and the like: the sign-in has ended (or the token was rotated).
        """
        ...

    def logout(self, session: SsoSession, token: AccessToken) -> None:
        """Logout: end the sign-in at the portal."""
        ...

    def accounts(
        self, session: SsoSession, token: AccessToken, progress: Callable[[int], None]
    ) -> list[Account]:
        """ListAccounts, all pages, paced."""
        ...

    def roles(self, session: SsoSession, token: AccessToken, account_id: str) -> list[str]:
        """ListAccountRoles, all pages, paced."""
        ...

    def resolve_start_url(self, session: SsoSession) -> tuple[str, str]:
        """Return (start URL to send, region): vanity URLs are followed once, others stay as they are."""
        ...


class TokenRefresh(Protocol):
    """A refresh as several programs can share it: lock, re-read, CreateToken, write."""

    def refresh(self, session: SsoSession, known: AccessToken, now: datetime) -> AccessToken | None:
        """Return the newer token (ours, or another program's found on the disk), None when signed out.

        Raises:
            TokenRefused: refused although the file was read again before and after.
        """
        ...

    def save_unsaved(self, session: SsoSession) -> bool:
        """Write a refreshed token that could not be written when it came; False when there is none."""
        ...


class RoleCredentialsSource(Protocol):
    """GetRoleCredentials, and AssumeRole for chained profiles."""

    def fetch(
        self, session: SsoSession, token: AccessToken, profile: Profile, now: Callable[[], datetime]
    ) -> Issued[RoleCredentials]:
        """Fetch fresh role credentials; the answer's shape is checked."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A section of the credentials file that carries our mark."""

    section: str
    profile: str
    expires_at: datetime
    digest: str
    """Of the access key id written; see core/marks."""


class SyncReport(Protocol):
    """What one rewrite of the credentials file did."""

    @property
    def written(self) -> tuple[str, ...]:
        """Sections that hold the wanted keys now."""
        ...

    @property
    def removed(self) -> tuple[str, ...]:
        """Sections that hold nothing of ours any more."""
        ...

    @property
    def refused(self) -> Mapping[str, Problem]:
        """Sections that were left alone, each with the reason."""
        ...

    @property
    def tightened_from(self) -> int | None:
        """The mode the file had when it was too wide for secrets; None when it was not."""
        ...


class CredentialsFile(Protocol):
    """~/.aws/credentials; see aws/credentials_file for the rules it keeps."""

    def stamp(self) -> object:
        """As ``ConfigFile.stamp``."""
        ...

    def sync(self, wanted: Sequence[SectionKeys], removed: Collection[str], now: datetime) -> SyncReport:
        """Write these sections and take those out, in one rewrite."""
        ...

    def marks(self) -> tuple[Mark, ...]:
        """Return the sections that carry our mark."""
        ...


class Notifier(Protocol):
    """Tells a person something."""

    def show(self, key: str, title: str, body: str) -> None:
        """Show one notice; a later one with the same key replaces it."""
        ...

    def withdraw(self, key: str) -> None:
        """Take the notice back: it is moot."""
        ...


class Browser(Protocol):
    """Opens an address because a person asked."""

    def open(self, url: str) -> bool:
        """Return False when no browser could be started; the caller shows the address."""
        ...


class Callback(Protocol):
    """The loopback redirect of one sign-in, bound before the browser opens."""

    @property
    def redirect_uri(self) -> str:
        """``http://127.0.0.1:PORT/oauth/callback``."""
        ...

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        """Return the authorization code of the one request whose path, Host and state are right.

        Raises:
            SignInDenied: the right state came with an error.
            SignInTimedOut: nothing right came in time.
            SignInCancelled: ``cancelled`` became true.
        """
        ...


class CallbackListener(Protocol):
    """Binds the loopback port."""

    def listen(self, state: Secret) -> AbstractContextManager[Callback]:
        """Bind 127.0.0.1 on a free port; closed when the context ends.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        ...
