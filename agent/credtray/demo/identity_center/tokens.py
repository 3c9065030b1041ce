"""Access tokens and refresh tokens: issuing, cutting at the sign-in's end, rotation.

A token is good only as long as its sign-in is. Nothing here knows HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from credtray.demo.identity_center import canary
from credtray.demo.identity_center.refusals import oidc_refusal, portal_refusal
from credtray.demo.identity_center.sign_ins import SignIn


class Rotation(StrEnum):
    """What happens to a refresh token when it is used. How long the live service keeps the old is unknown."""

    STRICT = "strict"
    """The reply carries a new one; the old one is dead at once."""
    GRACE = "grace"
    """The reply carries a new one; the old one works for some seconds more."""
    NONE = "none"
    """The reply repeats the same one."""
    SILENT = "silent"
    """The reply carries none; the old one keeps working."""


@dataclass(slots=True, eq=False)
class AccessToken:
    """An issued bearer token."""

    value: str = field(repr=False)
    sign_in: SignIn
    expires_at: datetime
    revoked: bool = False


@dataclass(slots=True, eq=False)
class RefreshToken:
    """An issued refresh token."""

    value: str = field(repr=False)
    sign_in: SignIn
    client_id: str
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """What CreateToken hands out."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str | None = field(repr=False)


class Tokens:
    """Every token there was."""

    def __init__(self) -> None:
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self.rotation = Rotation.STRICT
        self.grace = timedelta(seconds=60)

    def issue(self, sign_in: SignIn, now: datetime, life: timedelta | None) -> Issue:
        """Return an access token for *life*, cut at the sign-in's end; None: until that end."""
        expires_at = sign_in.ends_at if life is None else min(now + life, sign_in.ends_at)
        token = AccessToken(canary.access_token(), sign_in, expires_at)
        self._access[token.value] = token
        # Whole seconds, rounded down: a client must never think it lives longer than it does.
        return Issue(token.value, int((expires_at - now).total_seconds()), None)

    def issue_refreshable(self, sign_in: SignIn, client_id: str, now: datetime, life: timedelta) -> Issue:
        """Return an access token and a first refresh token."""
        issue = self.issue(sign_in, now, life)
        return Issue(issue.access_token, issue.expires_in, self._new_refresh(sign_in, client_id))

    def refresh(self, value: str, client_id: str, now: datetime, life: timedelta) -> Issue:
        """Spend a refresh token as the rotation says, or raise InvalidGrantException."""
        token = self._refresh.get(value)
        if token is None or token.client_id != client_id or not token.sign_in.active(now):
            raise oidc_refusal("InvalidGrantException", "Invalid refresh token provided")
        if token.replaced_at is not None and not self._in_grace(token.replaced_at, now):
            raise oidc_refusal("InvalidGrantException", "Invalid refresh token provided")
        issue = self.issue(token.sign_in, now, life)
        return Issue(issue.access_token, issue.expires_in, self._rotate(token, now))

    def bearer(self, value: str, now: datetime) -> AccessToken:
        """Return the access token behind a portal call, or raise UnauthorizedException."""
        token = self._access.get(value)
        if token is None or token.revoked or now >= token.expires_at or not token.sign_in.active(now):
            raise portal_refusal("UnauthorizedException")
        return token

    def revoke_access_tokens(self) -> None:
        """Make every access token a 401 while refresh tokens keep working."""
        for token in self._access.values():
            token.revoked = True

    def revoke_refresh_tokens(self) -> None:
        """Make every refresh token an InvalidGrantException while access tokens keep working."""
        self._refresh.clear()

    def _in_grace(self, replaced_at: datetime, now: datetime) -> bool:
        return self.rotation is Rotation.GRACE and now < replaced_at + self.grace

    def _rotate(self, token: RefreshToken, now: datetime) -> str | None:
        if self.rotation is Rotation.SILENT:
            return None
        if self.rotation is Rotation.NONE:
            return token.value
        token.replaced_at = token.replaced_at or now
        return self._new_refresh(token.sign_in, token.client_id)

    def _new_refresh(self, sign_in: SignIn, client_id: str) -> str:
        token = RefreshToken(canary.refresh_token(), sign_in, client_id)
        self._refresh[token.value] = token
        return token.value
