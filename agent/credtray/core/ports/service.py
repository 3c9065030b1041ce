"""Ports to Identity Center and STS. See the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from credtray.core.models import (
    AccessToken,
    Account,
    ClientRegistration,
    Profile,
    RoleCredentials,
    SsoSession,
)
from credtray.core.secret import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Issued(Generic[T]):
    """An answer of the service, with what it tells about clocks."""

    value: T
    clock_error: timedelta | None
    """Service's clock minus ours, from the HTTP Date header; None when the answer had none."""


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
            TokenRefused: InvalidGrant or similar: the sign-in has ended (or the token was rotated).
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
