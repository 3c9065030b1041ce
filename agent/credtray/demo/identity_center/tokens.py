"""Access tokens and refresh tokens: issuing, cutting at the sign-in's end, rotation.

A token is good only as long as its sign-in is. Nothing here knows HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from credtray.demo.identity_center import exchange
from credtray.demo.identity_center.exchange import oidc_refusal, portal_refusal

# Sign-ins: how long one browser sign-in lasts, which cookie belongs to it, and when it ended.
#
# An end never moves: joining an active sign-in inherits its end. Tokens are kept elsewhere and ask here.


@dataclass(slots=True, eq=False)
class SignIn:
    """One sign-in of one user in one browser."""

    cookie: str = field(repr=False)
    user: str
    started_at: datetime
    ends_at: datetime
    ended: bool = False
    """True after Logout or after it was revoked."""

    def active(self, now: datetime) -> bool:
        """Return whether it still carries tokens; at its end it does not."""
        return not self.ended and now < self.ends_at


class SignIns:
    """Every sign-in there was."""

    def __init__(self) -> None:
        self._by_cookie: dict[str, SignIn] = {}

    def start(self, user: str, now: datetime, length: timedelta) -> SignIn:
        """Begin a new sign-in that ends *length* after *now*."""
        sign_in = SignIn(exchange.browser_cookie(), user, now, now + length)
        self._by_cookie[sign_in.cookie] = sign_in
        return sign_in

    def of_browser(self, cookie: str, now: datetime) -> SignIn | None:
        """Return the active sign-in that *cookie* stands for."""
        sign_in = self._by_cookie.get(cookie)
        return sign_in if sign_in is not None and sign_in.active(now) else None

    def active(self, now: datetime, user: str | None = None) -> list[SignIn]:
        """Return the active sign-ins, the oldest first."""
        return [
            sign_in
            for sign_in in self._by_cookie.values()
            if sign_in.active(now) and user in {None, sign_in.user}
        ]

    def end_all(self, user: str | None = None) -> None:
        """Revoke the sign-ins of *user*, or everybody's."""
        for sign_in in self._by_cookie.values():
            if user in {None, sign_in.user}:
                sign_in.ended = True


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
        token = AccessToken(exchange.access_token(), sign_in, expires_at)
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
        token = RefreshToken(exchange.refresh_token(), sign_in, client_id)
        self._refresh[token.value] = token
        return token.value


# Role credentials that were issued, by the portal or by STS, and whether they are still good.
#
# They outlive the sign-in they came from, as at AWS: nothing but their own expiry ends them.


@dataclass(frozen=True, slots=True)
class RoleSession:
    """One set of issued keys and whom they speak for."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime
    arn: str
    """arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION."""
    account_id: str
    user_id: str
    """AROA...:SESSION."""
    chained: bool = False
    """True for keys that came out of AssumeRole."""


class RoleSessions:
    """Every set of keys there was."""

    def __init__(self) -> None:
        self._by_key: dict[str, RoleSession] = {}
        self._role_ids: dict[tuple[str, str], str] = {}

    def issue(
        self,
        account_id: str,
        role: str,
        session_name: str,
        expires_at: datetime,
        *,
        chained: bool = False,
    ) -> RoleSession:
        """Issue keys for *role* (its name as in the ARN) in *account_id*."""
        role_id = self._role_ids.setdefault((account_id, role), exchange.role_id())
        session = RoleSession(
            access_key_id=exchange.access_key_id(),
            secret_access_key=exchange.secret_access_key(),
            session_token=exchange.session_token(),
            expires_at=expires_at,
            arn=f"arn:aws:sts::{account_id}:assumed-role/{role}/{session_name}",
            account_id=account_id,
            user_id=f"{role_id}:{session_name}",
            chained=chained,
        )
        self._by_key[session.access_key_id] = session
        return session

    def find(self, access_key_id: str) -> RoleSession | None:
        """Return the session of that key id."""
        return self._by_key.get(access_key_id)
