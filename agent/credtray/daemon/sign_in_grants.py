"""The two ways to a token: authorization code grant with PKCE, and device authorization grant; their values.

Must not touch the old token or write the new one, but says when: see ``sign_in``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from credtray.core import oauth
from credtray.core.addresses import browser_address_allowed, shown
from credtray.core.errors import (
    AddressRefused,
    CredtrayError,
    Offline,
    PortalFailed,
    SignInCancelled,
    SignInTimedOut,
    Throttled,
    TokenUnreadable,
)
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.core.ports import Browser, Callback, DeviceAuthorization, SignInPorts
from credtray.core.protocol import Login

# What a sign-in is asked, what it tells on the way, and what comes of it.
#
# Values only; how a sign-in goes is in ``sign_in``.


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
    again: Callable[[], None] | None = None
    """Begins another try that a person has asked for, from any thread; None: nobody is there to begin it."""
    clean: bool = False
    """In a browser with an empty profile: who is signed in in the person's own is not to count."""
    port: int | None = None
    """Where the browser returns to; None: to any free port."""
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
    FORWARDED = "forwarded"
    """Nothing was opened: a person has to open ``url`` where a port leads here."""
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


# Opens a page in the browser a session's settings name, or in the desktop's own when that does not work.
#
# Decides nothing about the address; the caller has judged it, and tells a person the outcome.


_log = logging.getLogger(__name__)

BROKEN_COMMAND = "The browser command of this session did not work; the desktop's own browser was used."
"""For a person. The command itself is not quoted: it may hold a name or an address."""


NO_CLEAN_BROWSER = (
    "No browser was found that can be started with an empty profile. "
    "Open the address yourself, in a private window."
)


def forwarded_words(port: int) -> str:
    """Tell what has to be there before a browser on another machine can return."""
    return (
        f"At the end your browser returns to port {port} of its own machine, which has to lead here: "
        f"connect from there with `ssh -L {port}:127.0.0.1:{port}`."
    )


def opens_here(request: Login, command: str | None) -> bool:
    """Tell whether a browser is to open; not where the person's own is on the other side of a port."""
    return request.browser and not (request.remote and request.callback_port is not None and command is None)


class Opened(Enum):
    """What became of a page."""

    AS_WISHED = "as_wished"
    BY_ANOTHER = "by_another"
    """The command of the settings did not work; the desktop's own browser took it."""
    NOT_AT_ALL = "not_at_all"


def open_page(browser: Browser, url: str, command: str | None) -> Opened:
    """Open *url* by *command*; where that is None or broken, as the desktop prefers. Blocks for seconds."""
    if command is not None and browser.open(url, command):
        return Opened.AS_WISHED
    taken = browser.open(url)
    if command is None:
        return Opened.AS_WISHED if taken else Opened.NOT_AT_ALL
    _log.info("the browser command of the settings did not work")
    return Opened.BY_ANOTHER if taken else Opened.NOT_AT_ALL


LIMIT = timedelta(minutes=10)
"""A sign-in nobody finishes ends after this, as with AWS CLI 2.36."""

_SLICE = timedelta(seconds=1)
"""How often a waiting sign-in looks for a cancellation and for another program's token."""

_PASSING = (Offline, PortalFailed, Throttled)
_EXCHANGE_ATTEMPTS = 4
_FIRST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class AdoptedToken:
    """Another program finished a sign-in while this one waited."""

    token: AccessToken


@dataclass(slots=True)
class ExternalSignIn:
    """Notices a token that somebody else puts into the token cache."""

    ports: SignInPorts
    session: SsoSession
    known: tuple[Secret, ...]
    """Tokens that are not news: the one the asker had, and what lay there when we began."""
    _stamp: object = None
    _found: AccessToken | None = None

    def ours(self, token: AccessToken) -> None:
        """Take a token for no news: it came about by us."""
        self.known = (*self.known, token.value)

    def look(self) -> AccessToken | None:
        """Return a usable token that was not there before; costs one stat call while nothing changes."""
        if self._found is None:
            self._found = self._look()
        return self._found

    def _look(self) -> AccessToken | None:
        stamp = self.ports.token_cache.stamp(self.session)
        if stamp == self._stamp:
            return None
        try:
            token = self.ports.token_cache.read(self.session)
        except TokenUnreadable:
            return None  # perhaps half-written: the stamp stays, so the next look reads again
        self._stamp = stamp
        if token is None or token.value in self.known or token.expires_at <= self.ports.clock.now():
            return None
        return token


@dataclass(frozen=True, slots=True)
class Grant:
    """One attempt to get a token."""

    ports: SignInPorts
    session: SsoSession
    start_url: str
    """As resolved: never a vanity URL."""
    request: SignInRequest
    newcomers: ExternalSignIn
    progress: Progress
    cancelled: Cancelled
    entropy: Callable[[int], bytes]
    end: Callable[[], None]
    """Ends the sign-in that is active; does nothing where there is none, or none any more."""
    keep: Callable[[AccessToken], None]
    """Puts the new token where everybody finds it."""

    def by_code(self, client: ClientRegistration) -> AccessToken | AdoptedToken:
        """Authorization code grant with PKCE; the listener is bound before the browser opens.

        Where another sign-in is to be ended, the browser comes to a page of ours first, and it is ended then.

        Raises:
            ListenerUnavailable: no loopback port.
            RegistrationRefused: the client is not known any more.
            SignInDenied, SignInTimedOut, SignInCancelled, AddressRefused, and what the service answers.
        """
        state = oauth.new_state(self.entropy(oauth.STATE_BYTES))
        pair = oauth.pkce_pair(self.entropy(oauth.VERIFIER_BYTES))
        with self.ports.callback_listener.listen(state, self.request.port) as callback:
            if self.request.again is not None:
                callback.offer_again(self.request.again)
            request = oauth.AuthorizeRequest(
                client.client_id,
                callback.redirect_uri,
                state,
                pair.challenge,
                client.scopes or oauth.DEFAULT_SCOPES,
            )
            url = request.url(self.ports.identity_center.authorize_endpoint(self.session))
            self._refuse_strange(url)
            self._show(callback.lead_through(_Door(self, url)) if self.request.fresh else url)
            code = self._code(callback)
            if isinstance(code, AdoptedToken):
                return code
            self.progress(SignInProgress(Step.FINISHING))
            try:
                token = self._exchange(client, code, callback.redirect_uri, pair.verifier)
                self.keep(token)
            except CredtrayError as error:
                callback.tell(error.title)
                raise
            callback.tell(None)
            return token

    def by_device(self, client: ClientRegistration) -> AccessToken | AdoptedToken:
        """Device authorization grant; nothing is opened, a person enters the code or compares it.

        The sign-in that is active is ended as soon as there is a code: nobody can tell when a person comes to
        another device's page, so they have agreed to it before.

        Raises: as ``by_code``, without ListenerUnavailable.
        """
        device = self.ports.identity_center.start_device(self.session, client, self.start_url)
        self._refuse_strange(device.verification_uri)
        self._refuse_strange(device.verification_uri_complete)
        self.end()
        self.progress(
            SignInProgress(
                Step.CODE,
                url=device.verification_uri_complete,
                user_code=device.user_code,
                verification_uri=device.verification_uri,
                text=self.request.why,
            )
        )
        found = self._poll(client, device)
        if isinstance(found, AccessToken):
            self.keep(found)
        return found

    def _refuse_strange(self, url: str) -> None:
        if not browser_address_allowed(url, self.session):
            raise AddressRefused(shown(url))

    def _show(self, url: str) -> None:
        if not self.request.browser:
            port = self.request.port
            if port is None:
                self.progress(SignInProgress(Step.ADDRESS, url=url))
            else:
                self.progress(SignInProgress(Step.FORWARDED, url=url, text=forwarded_words(port)))
            return
        if self.request.welcome is not None and not self.request.welcome():
            raise SignInCancelled("nobody is waiting for it any more")
        match self._opened(url):
            case Opened.AS_WISHED:
                self.progress(SignInProgress(Step.BROWSER, url=url))
            case Opened.BY_ANOTHER:
                self.progress(SignInProgress(Step.BROWSER, url=url, text=BROKEN_COMMAND))
            case Opened.NOT_AT_ALL:
                text = NO_CLEAN_BROWSER if self.request.clean else "No browser could be opened here."
                self.progress(SignInProgress(Step.ADDRESS, url=url, text=text))

    def _opened(self, url: str) -> Opened:
        browser = self.ports.browser
        if self.request.clean:
            return Opened.AS_WISHED if browser.open_clean(url) else Opened.NOT_AT_ALL
        return open_page(browser, url, self.request.command)

    def _code(self, callback: Callback) -> Secret | AdoptedToken:
        deadline = self.ports.clock.now() + LIMIT
        # Counted as well: a clock set back must not keep the port open for hours.
        for _ in range(LIMIT // _SLICE):
            left = deadline - self.ports.clock.now()
            if left <= timedelta():
                break
            try:
                return callback.wait(min(_SLICE, left).total_seconds(), self.cancelled)
            except SignInTimedOut:
                found = self.newcomers.look()
                if found is not None:
                    return AdoptedToken(found)
        raise SignInTimedOut(f"it was not finished within {LIMIT // timedelta(minutes=1)} minutes")

    def _exchange(
        self, client: ClientRegistration, code: Secret, redirect_uri: str, verifier: Secret
    ) -> AccessToken:
        """Redeem the code; a person went through the browser for it, so what may pass is waited out."""
        pause = _FIRST_PAUSE
        for _ in range(_EXCHANGE_ATTEMPTS - 1):
            try:
                return self.ports.identity_center.exchange_code(
                    self.session, client, code, redirect_uri, verifier
                )
            except _PASSING:
                self._rest(timedelta(seconds=pause))
                pause *= 2
        return self.ports.identity_center.exchange_code(self.session, client, code, redirect_uri, verifier)

    def _poll(self, client: ClientRegistration, device: DeviceAuthorization) -> AccessToken | AdoptedToken:
        interval = device.interval
        deadline = min(device.expires_at, self.ports.clock.now() + LIMIT)
        for _ in range(LIMIT // _SLICE):
            found = self._rest(interval, until=deadline)
            if found is not None:
                return AdoptedToken(found)
            if self.ports.clock.now() >= deadline:
                break
            answer = self._polled(client, device)
            if isinstance(answer, AccessToken):
                return answer
            interval = oauth.device_interval(interval, answer)
        raise SignInTimedOut("the code was not confirmed in time")

    def _polled(
        self, client: ClientRegistration, device: DeviceAuthorization
    ) -> AccessToken | timedelta | None:
        try:
            return self.ports.identity_center.poll_device(self.session, client, device.device_code)
        except _PASSING:
            # RFC 8628, section 3.5: after a failed connection, poll more slowly.
            return oauth.SLOW_DOWN_BY

    def _rest(self, length: timedelta, until: datetime | None = None) -> AccessToken | None:
        """Wait in slices; return another program's token as soon as there is one.

        Raises:
            SignInCancelled: cancelled meanwhile.
        """
        while length > timedelta():
            if self.cancelled():
                raise SignInCancelled
            found = self.newcomers.look()
            if found is not None:
                return found
            if until is not None and self.ports.clock.now() >= until:
                return None
            self.ports.clock.wait(min(_SLICE, length).total_seconds())
            length -= _SLICE
        if self.cancelled():
            raise SignInCancelled
        return None


@dataclass(frozen=True, slots=True)
class _Door:
    """Implements ``ports.Door``: going through ends the active sign-in, unless somebody has a new one."""

    grant: Grant
    onward: str

    def question(self) -> str | None:
        return self.grant.request.question()

    def through(self) -> str | None:
        if self.grant.newcomers.look() is not None:
            return None
        self.grant.end()
        return self.onward
