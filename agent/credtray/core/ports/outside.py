"""Ports to AWS, the desktop, the clock, the browser and the loopback redirect. See the package."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Generic, Protocol, TypeVar

from credtray.core.clicks import Click, CopySignInLink, ShowPage
from credtray.core.icon_state import IconState, Shape
from credtray.core.models import (
    AccessToken,
    Account,
    ClientRegistration,
    Profile,
    RoleCredentials,
    Secret,
    SsoSession,
)
from credtray.core.protocol import Login

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

    def person(
        self, session: SsoSession, profile: Profile, keys: RoleCredentials, now: Callable[[], datetime]
    ) -> str:
        """GetCallerIdentity: return who signed in for these keys of the profile.

        Raises:
            UnexpectedReply: the answer names nobody.
        """
        ...


# Ports to the desktop: what a person sees there, and what comes back from it.


ANSWER_SECONDS = 2.0
"""How long the desktop may take for one step before we go on without it."""


class Urgency(Enum):
    """How loudly a notification speaks."""

    LOW = "low"
    """Good news: shown quietly, gone by itself."""
    NORMAL = "normal"
    CRITICAL = "critical"
    """Something works no longer until a person acts; may stay until it is dismissed."""


@dataclass(frozen=True, slots=True)
class Button:
    """One way to answer a notification."""

    label: str
    click: Click


_OF_SIGNING_IN = (Login, CopySignInLink, ShowPage)


@dataclass(frozen=True, slots=True)
class Notification:
    """One notice in plain words, ready to be shown."""

    key: str
    """A later one with the same key replaces it."""
    title: str
    body: str
    buttons: tuple[Button, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    picture: IconState = IconState(Shape.TROUBLE)
    """What the icon looks like where that is so; never a tick but for good news."""
    stays: bool = False
    """True: it stands there until a person has seen it, however long the desktop shows others."""
    to_be_chosen: bool = False
    """True: none of the buttons is more likely meant than another, so a click beside them is none of them."""

    @property
    def on_body(self) -> Button:
        """What a click on the notice itself does: the next step of signing in, or the page is opened."""
        if self.buttons and isinstance(self.buttons[0].click, _OF_SIGNING_IN) and not self.to_be_chosen:
            return self.buttons[0]
        return Button("Open credtray", ShowPage())


class Notifier(Protocol):
    """Tells a person something. Called from worker threads; bounded to a few seconds."""

    def show(self, notification: Notification) -> None:
        """Show one notification; one with the same key is replaced, not stacked.

        Raises:
            NotifierUnavailable: nobody could be told; the reason is in it.
        """
        ...

    def withdraw(self, key: str) -> None:
        """Take a notification back: it is moot. Unknown keys are nobody's business."""
        ...


class Part(StrEnum):
    """The parts of the desktop that may be missing."""

    TRAY = "tray"
    NOTIFICATIONS = "notifications"
    PRESENCE = "presence"


@dataclass(frozen=True, slots=True)
class DesktopPart:
    """How one part of the desktop is served; it is what `credtray status` tells of it."""

    name: Part
    back_end: str | None
    """The one in use, such as ``status_notifier``; None when there is none."""
    reason: str | None = None
    """Why there is none, or why not a better one, in a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether somebody is there and free for a notice. What cannot be found out counts as: yes."""

    locked: bool = False
    idle: bool = False
    asleep: bool = False
    busy: bool = False
    """A window fills the screen, the screen is shared, or the desktop is not to disturb."""

    @property
    def away(self) -> bool:
        """True while nobody would see a notice."""
        return self.locked or self.idle or self.asleep


# Ports to the clock, the browser and the loopback redirect.


class Clock(Protocol):
    """Where time comes from; the demo runs it fast, tests move it by hand."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Block the calling worker thread for that long by this clock."""
        ...


class Browser(Protocol):
    """Opens an address because a person asked."""

    def open(self, url: str, command: str | None = None) -> bool:
        """Open it with this command line, or with the desktop's own browser.

        A command holds ``%s`` where the address goes, or gets it as its last argument. Return False when no
        browser could be started; the caller shows the address.
        """
        ...

    def open_clean(self, url: str) -> bool:
        """Open it in a browser with an empty profile of its own, which is signed in to nothing.

        Return False when no browser is known here that can be started so; nothing was opened then.
        """
        ...


class Door(Protocol):
    """What stands between a person who comes and a sign-in that ends another one."""

    @property
    def onward(self) -> str:
        """The address behind it: AWS's sign-in page."""
        ...

    def question(self) -> str | None:
        """Return what a person has to agree to first, in words; None: nothing. Quick, from any thread."""
        ...

    def through(self) -> str | None:
        """End the active sign-in and return ``onward``; None: another program has signed in meanwhile.

        Blocks for as long as the portal takes.

        Raises:
            CredtrayError: why nobody gets through; nothing was changed.
        """
        ...


class Callback(Protocol):
    """The loopback redirect of one sign-in, bound before the browser opens."""

    @property
    def redirect_uri(self) -> str:
        """``http://127.0.0.1:PORT/oauth/callback``."""
        ...

    def lead_through(self, door: Door) -> str:
        """Serve a page of ours in front of AWS's; return its address, for the browser to open."""
        ...

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        """Return the authorization code of the one request whose path, Host and state are right.

        Whoever comes to the door meanwhile is led through it, in the calling thread.

        Raises:
            SignInDenied: the right state came with an error.
            SignInTimedOut: nothing right came in time.
            SignInCancelled: ``cancelled`` became true, or the person keeps the present sign-in.
            CredtrayError: what ``Door.through`` raises.
        """
        ...

    def offer_again(self, begin: Callable[[], None]) -> None:
        """Have a page of ours without a token offer another try; *begin* is called from any thread."""
        ...

    def tell(self, failure: str | None) -> None:
        """Let the browser that brought the code know: None, there is a token; else why there is none."""
        ...


class CallbackListener(Protocol):
    """Binds the loopback port."""

    def listen(self, state: Secret, port: int | None = None) -> AbstractContextManager[Callback]:
        """Bind 127.0.0.1 on this port, or on a free one; it gives no code away once the context has ended.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        ...
