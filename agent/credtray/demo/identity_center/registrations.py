"""Client registrations: what RegisterClient accepts, and whose id and secret are good.

It judges one registration at a time; what a client may then do is decided where tokens are created.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlsplit

import msgspec

from credtray.demo.identity_center import canary
from credtray.demo.identity_center.refusals import oidc_refusal

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
            client_id=canary.client_id(),
            client_secret=canary.client_secret(),
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
