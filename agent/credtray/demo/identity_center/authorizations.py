"""Authorizations that wait for a person: codes for the redirect, and device codes being polled.

It remembers what was asked and what the person answered; it issues no token and shows no page.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest

from credtray.demo.identity_center import canary
from credtray.demo.identity_center.refusals import oidc_refusal
from credtray.demo.identity_center.sign_ins import SignIn

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
        self.code = canary.authorization_code()
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
