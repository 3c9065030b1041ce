"""Authorizations that wait for a person: codes for the redirect, and device codes being polled.

It remembers what was asked and what the person answered; it issues no token and shows no page.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlsplit

import msgspec

from credtray.demo.identity_center import exchange
from credtray.demo.identity_center.exchange import oidc_refusal
from credtray.demo.identity_center.tokens import SignIn

_SLOW_DOWN = timedelta(seconds=5)


@dataclass(slots=True, eq=False)
class CodeAuthorization:
    """One visit to /authorize: PKCE, a redirect, and after consent a code that works once."""

    flow: str
    client_id: str
    client_name: str
    redirect_uri: str
    state: str = field(repr=False)
    challenge: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime
    code: str = field(default="", repr=False)
    sign_in: SignIn | None = None
    used: bool = False

    def grant(self, sign_in: SignIn, expires_at: datetime) -> str:
        """Record the person's yes and return the code for the redirect."""
        self.sign_in = sign_in
        self.code = exchange.authorization_code()
        self.expires_at = expires_at
        return self.code

    def redeem(self, redirect_uri: str, verifier: str, now: datetime) -> SignIn:
        """Spend the code; any wrong part spends it too, so it cannot be tried out."""
        spent, self.used = self.used, True
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.sign_in is None or spent or redirect_uri != self.redirect_uri:
            raise oidc_refusal("InvalidGrantException")
        if not compare_digest(challenge.encode(), self.challenge.encode()):
            raise oidc_refusal("InvalidGrantException")
        if now >= self.expires_at:
            raise oidc_refusal("ExpiredTokenException")
        if not self.sign_in.active(now):
            raise oidc_refusal("InvalidGrantException")
        return self.sign_in


@dataclass(slots=True, eq=False)
class DeviceAuthorization:
    """One StartDeviceAuthorization: polled by the client while a person compares the user code."""

    flow: str
    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    device_code: str = field(repr=False)
    user_code: str
    expires_at: datetime
    interval: timedelta
    polled_at: datetime | None = None
    polls: int = 0
    sign_in: SignIn | None = None
    denied: bool = False
    used: bool = False

    def redeem(self, now: datetime) -> SignIn:
        """Answer one poll: the sign-in once approved, else the Refusal that clients poll on."""
        too_early = self._too_early(now)
        if self.used:
            raise oidc_refusal("InvalidGrantException")
        if now >= self.expires_at:
            raise oidc_refusal("ExpiredTokenException")
        if self.denied:
            raise oidc_refusal("AccessDeniedException")
        if self.sign_in is not None:
            self.used = True
            if not self.sign_in.active(now):
                raise oidc_refusal("InvalidGrantException")
            return self.sign_in
        if too_early:
            self.interval += _SLOW_DOWN  # RFC 8628, 3.5: for this and all later polls
            raise oidc_refusal("SlowDownException")
        raise oidc_refusal("AuthorizationPendingException")

    def _too_early(self, now: datetime) -> bool:
        """Judge a poll. The AWS CLI asks twice in the first moment, so the second one is free as well."""
        before, self.polled_at = self.polled_at, now
        self.polls += 1
        return before is not None and self.polls > 2 and now - before < self.interval  # noqa: PLR2004 - as above


class Authorizations:
    """Everything that waits for a person, found by flow, code, device code or user code."""

    def __init__(self) -> None:
        self._flows: dict[str, CodeAuthorization | DeviceAuthorization] = {}
        self._codes: dict[str, CodeAuthorization] = {}
        self._devices: dict[str, DeviceAuthorization] = {}

    def add(self, authorization: CodeAuthorization | DeviceAuthorization) -> None:
        """Remember a new one."""
        self._flows[authorization.flow] = authorization
        if isinstance(authorization, DeviceAuthorization):
            self._devices[authorization.device_code] = authorization

    def granted(self, authorization: CodeAuthorization) -> None:
        """Make a granted one redeemable by its code."""
        self._codes[authorization.code] = authorization

    def of_flow(self, flow: str) -> CodeAuthorization | DeviceAuthorization | None:
        """Return the one whose pages a browser is looking at."""
        return self._flows.get(flow)

    def of_code(self, code: str) -> CodeAuthorization | None:
        """Return the one that *code* was issued for."""
        return self._codes.get(code)

    def of_device_code(self, device_code: str) -> DeviceAuthorization | None:
        """Return the one a client polls."""
        return self._devices.get(device_code)

    def of_user_code(self, user_code: str, now: datetime) -> DeviceAuthorization | None:
        """Return the open one a person typed the code of; case and the hyphen do not matter."""
        typed = user_code.upper().replace("-", "").strip()
        for device in self._devices.values():
            if device.user_code.replace("-", "") == typed and now < device.expires_at:
                return None if device.used or device.denied or device.sign_in else device
        return None


# Client registrations: what RegisterClient accepts, and whose id and secret are good.
#
# It judges one registration at a time; what a client may then do is decided where tokens are created.


AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE})

_SCOPE = re.compile(r"[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*)+")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class RegisterClientRequest(msgspec.Struct, rename="camel", frozen=True):
    """The members of RegisterClient (SSO OIDC API reference)."""

    client_name: str
    client_type: str
    scopes: list[str] | None = None
    redirect_uris: list[str] | None = None
    grant_types: list[str] | None = None
    issuer_url: str | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered public client."""

    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    grant_types: frozenset[str] | None
    """None where the client named none, as AWS CLIs before 2.22 do and later ones for a device code: the live
    service takes that for the device authorization grant, with refreshing where scopes are registered."""
    issued_at: datetime
    expires_at: datetime

    def may_use(self, grant: str) -> bool:
        """Return whether the client registered for *grant*."""
        if self.grant_types is None:
            return grant in {DEVICE_CODE, REFRESH_TOKEN}
        return grant in self.grant_types

    def accepts_redirect(self, uri: str) -> bool:
        """Compare with the registered ones; the port of a loopback address is free (RFC 8252, 7.3)."""
        return any(_without_port(uri) == _without_port(known) for known in self.redirect_uris)


def _without_port(uri: str) -> tuple[str, str | None, str, str]:
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.path, parts.query


class Registrations:
    """Every client that registered."""

    def __init__(self) -> None:
        self._by_id: dict[str, Registration] = {}

    def add(self, asked: RegisterClientRequest, now: datetime, life: timedelta) -> Registration:
        """Register a client or raise a Refusal that says what does not fit."""
        _check_metadata(asked)
        _check_grants(asked)
        registration = Registration(
            client_id=exchange.client_id(),
            client_secret=exchange.client_secret(),
            name=asked.client_name,
            scopes=tuple(asked.scopes or ()),
            redirect_uris=tuple(asked.redirect_uris or ()),
            grant_types=frozenset(asked.grant_types) if asked.grant_types else None,
            issued_at=now,
            expires_at=now + life,
        )
        self._by_id[registration.client_id] = registration
        return registration

    def find(self, client_id: str, now: datetime) -> Registration | None:
        """Return the client of that id, for the authorize page; None also when its registration has ended."""
        registration = self._by_id.get(client_id)
        return None if registration is None or now >= registration.expires_at else registration

    def authenticate(self, client_id: str, client_secret: str, now: datetime) -> Registration:
        """Return the client or raise InvalidClientException: unknown, wrong secret or expired."""
        registration = self._by_id.get(client_id)
        if registration is None or now >= registration.expires_at:
            raise oidc_refusal("InvalidClientException")
        if not compare_digest(registration.client_secret.encode(), client_secret.encode()):
            raise oidc_refusal("InvalidClientException")
        return registration

    def forget_all(self) -> None:
        """Drop every client, as if all registrations had expired."""
        self._by_id.clear()


def _check_metadata(asked: RegisterClientRequest) -> None:
    if not asked.client_name:
        raise oidc_refusal("InvalidRequestException")
    if asked.client_type != "public":
        raise oidc_refusal("InvalidClientMetadataException", "Only public clients are supported")
    if not all(_SCOPE.fullmatch(scope) for scope in asked.scopes or ()):
        raise oidc_refusal("InvalidScopeException")
    for uri in asked.redirect_uris or ():
        parts = urlsplit(uri)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.fragment:
            raise oidc_refusal("InvalidRedirectUriException")


def _check_grants(asked: RegisterClientRequest) -> None:
    grants = set(asked.grant_types or ())
    if not grants <= GRANTS:
        raise oidc_refusal("UnsupportedGrantTypeException")
    if {AUTHORIZATION_CODE, DEVICE_CODE} <= grants:
        # The live service refuses to mix the two flows in one registration, with this odd name (aws-sso-cli
        # #1359, May 2026); in January 2025 it answered 500 to the same (mairu #18). See docs/adr/0031.
        raise oidc_refusal("InvalidScopeException")
    if AUTHORIZATION_CODE in grants and not asked.redirect_uris:
        raise oidc_refusal("InvalidRedirectUriException")
    if AUTHORIZATION_CODE in grants and not asked.issuer_url:
        raise oidc_refusal("InvalidRequestException", "issuerUrl is required")
