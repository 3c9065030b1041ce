"""What a sign-in is asked, what it tells on the way, and what comes of it.

Values only; how a sign-in goes is in ``sign_in``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from credtray.core.models import AccessToken

BY_CODE = "You are connected over SSH and no browser is set up here, so you sign in with a code."
"""For a person who did not ask for a code."""


def nothing_asked() -> str | None:
    """Ask nothing."""
    return None


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """What the asker wants."""

    fresh: bool = False
    """End the sign-in that is active first: otherwise the service joins it, and its end does not move.

    First means: when a person is there, see ``sign_in``.
    """
    device: bool = False
    """Device authorization grant, also where a browser could be used."""
    browser: bool = True
    """False: open nothing, the asker shows the address."""
    command: str | None = None
    """The browser of this session's settings; None: the desktop's own."""
    welcome: Callable[[], bool] | None = None
    """Of a sign-in that nobody asked for: whether a window is welcome, asked right before it would open."""
    agreed: bool = False
    """The person knows what that costs and said yes before the sign-in began."""
    question: Callable[[], str | None] = nothing_asked
    """What a person would have to agree to now, in words; None: too little is left to ask."""
    why: str | None = None
    """For a person: why it is done this way, where that is not what they asked for."""

    @property
    def unasked(self) -> bool:
        """True: nobody asked. Then there is no code to type, and nothing opens before the portal answered."""
        return self.welcome is not None


class Step(StrEnum):
    """Where a sign-in stands."""

    PREPARING = "preparing"
    BROWSER = "browser"
    """A browser was opened at ``url``; a person goes on there."""
    ADDRESS = "address"
    """Nothing was opened: a person has to open ``url``."""
    CODE = "code"
    """A person has to open ``verification_uri``, on any device, and compare or type ``user_code``.

    ``url`` is the same page with the code filled in; it is shown, never opened by itself.
    """
    ENDED = "ended"
    """The sign-in that was active was just ended at the portal; ``url`` is still where a person goes on."""
    FINISHING = "finishing"


@dataclass(frozen=True, slots=True)
class SignInProgress:
    """One step, for people. Holds no secret: what an address carries is of no use to others."""

    kind: Step
    url: str | None = None
    user_code: str | None = None
    verification_uri: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class SignInResult:
    """A finished sign-in; its token is in the token cache already."""

    token: AccessToken
    joined: bool = False
    """True: another program finished a sign-in meanwhile and its token was taken over."""
    ended: bool = False
    """True: the sign-in that was active before was ended at the portal."""


Progress = Callable[[SignInProgress], None]
Cancelled = Callable[[], bool]
"""Tells whether the sign-in is to be given up."""
