"""Sign-ins: how long one browser sign-in lasts, which cookie belongs to it, and when it ended.

An end never moves: joining an active sign-in inherits its end. Tokens are kept elsewhere and ask here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from credtray.demo.identity_center import canary


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
        sign_in = SignIn(canary.browser_cookie(), user, now, now + length)
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
