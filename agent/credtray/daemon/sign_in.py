"""The one sign-in path: from "somebody wants to sign in" to a token in the token cache.

Blocks for minutes and belongs in a worker thread. Must not decide whether a sign-in is wanted.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from credtray.core import oauth
from credtray.core.addresses import shown
from credtray.core.errors import (
    CredtrayError,
    FileContended,
    ListenerUnavailable,
    Offline,
    PortalFailed,
    PortalUnauthorized,
    RegionRefused,
    RegistrationRefused,
    RequestRefused,
    RoleRefused,
    SignInCancelled,
    SignInUnconfirmed,
    Throttled,
    TokenUnreadable,
)
from credtray.core.models import AccessToken, ClientRegistration, SsoSession
from credtray.core.ports import SignInPorts
from credtray.daemon.sign_in_grants import (
    AdoptedToken,
    Cancelled,
    ExternalSignIn,
    Grant,
    Progress,
    SignInProgress,
    SignInRequest,
    SignInResult,
    Step,
)

__all__ = ["SignInProgress", "SignInRequest", "SignInResult", "Step", "run_sign_in"]

_log = logging.getLogger(__name__)

_ALMOST_OVER = timedelta(minutes=1)


def run_sign_in(  # noqa: PLR0913, PLR0917 - one entry, and each argument is another thing
    ports: SignInPorts,
    session: SsoSession,
    request: SignInRequest,
    current: AccessToken | None,
    progress: Progress,
    cancelled: Cancelled,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> SignInResult:
    """Sign in and return the token, which is in the token cache by then.

    Nothing of an active sign-in is given up before the new one is known to be possible (the token cache is
    tried, the start URL resolved, the client registered) and before a person is there: in the browser, at a
    page of ours, or for a code on another device by having agreed. *current* is the token the asker knows.

    Raises:
        SignInUnconfirmed: it would end a sign-in that is good for long, and nobody has agreed to that.
        SignInCancelled: ``cancelled`` became true.
        SignInDenied, SignInTimedOut: by the person, or by nobody.
        StartUrlRefused, RegionRefused, AddressRefused: an address that is not AWS's, or not the right one.
        CredtrayError: what the service, the network or the disk answers.
    """
    there = _on_disk(ports, session)
    known = tuple(token.value for token in (current, there if request.fresh else None) if token is not None)
    newcomers = ExternalSignIn(ports, session, known)
    progress(SignInProgress(Step.PREPARING))
    with _our_turn(ports, session, newcomers, cancelled) as found:
        if found is not None:
            return SignInResult(found, joined=True)
        sign_in = _SignIn(ports, session, request, newcomers, progress, cancelled, entropy, current or there)
        return sign_in.run()


@contextlib.contextmanager
def _our_turn(
    ports: SignInPorts, session: SsoSession, newcomers: ExternalSignIn, cancelled: Cancelled
) -> Iterator[AccessToken | None]:
    """Wait until no other process signs in to this session; give the token that one brought, if it did.

    Raises:
        SignInCancelled: ``cancelled`` became true while waiting.
        FileContended: the other one takes longer than a sign-in may.
    """
    found: AccessToken | None = None

    def given_up() -> bool:
        nonlocal found
        found = newcomers.look()
        return found is not None or cancelled()

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(ports.token_cache.sign_in_lock(session, given_up))
        except FileContended:
            if found is None and cancelled():
                raise SignInCancelled from None
            if found is None:
                raise
        yield found or newcomers.look()


@dataclass(slots=True)
class _SignIn:
    ports: SignInPorts
    session: SsoSession
    request: SignInRequest
    newcomers: ExternalSignIn
    progress: Progress
    cancelled: Cancelled
    entropy: Callable[[int], bytes]
    current: AccessToken | None
    over: bool = False
    """The active sign-in needs no ending any more."""
    ended: bool = False
    """It was ended at the portal."""

    def run(self) -> SignInResult:
        # Before the old sign-in ends and before a person is asked for anything: a token that cannot be
        # written afterwards would be lost, and the old one with it.
        self.ports.token_cache.check_writable(self.session)
        grant = Grant(
            self.ports,
            self.session,
            self._start_url(),
            self.request,
            self.newcomers,
            self.progress,
            self.cancelled,
            self.entropy,
            self._end,
            self._keep,
        )
        by_device = self.request.device or self.session.legacy
        if by_device:
            self._demand_consent()
        client = self._known_client() if by_device else None
        reused = client is not None
        kind = oauth.DEVICE_CODE if by_device else oauth.AUTHORIZATION_CODE
        # For a code the client is always a new one: the page of the service shows an error for one it has
        # forgotten, and nobody can tell that from a person who went away. See docs/adr/0031.
        client = client or self._register(grant, kind)
        outcome = self._by_device(grant, client, reused=reused) if by_device else self._by_code(grant, client)
        if isinstance(outcome, AdoptedToken):
            return SignInResult(outcome.token, joined=True, ended=self.ended)
        return SignInResult(outcome, ended=self.ended)

    def _keep(self, token: AccessToken) -> None:
        with self.ports.token_cache.lock(self.session):
            self.ports.token_cache.write(self.session, token)

    def _demand_consent(self) -> None:
        """Refuse to end a sign-in without anybody having agreed to it.

        Raises:
            SignInUnconfirmed: the question is in it.
        """
        price = self.request.question() if self.request.fresh and not self.request.agreed else None
        if price is not None:
            raise SignInUnconfirmed(price.removesuffix("."))

    def _start_url(self) -> str:
        """Return the start URL to send.

        Raises:
            RegionRefused: a vanity URL leads to a portal of another region. Every later request goes where
                the config file says, so a token got elsewhere would be of no use to anybody.
        """
        session = self.session
        start_url, region = self.ports.identity_center.resolve_start_url(session)
        if region != session.region:
            raise RegionRefused(
                f"{shown(session.start_url)} leads to {region}, the config file says {session.region}",
                hint=f"Set sso_region = {region} for this session in the config file.",
            )
        return start_url

    def _known_client(self) -> ClientRegistration | None:
        return self.ports.token_cache.registration(self.session, oauth.DEVICE_CODE)

    def _by_code(self, grant: Grant, client: ClientRegistration) -> AccessToken | AdoptedToken:
        try:
            return _told(lambda: grant.by_code(client))
        except ListenerUnavailable as error:
            if self.request.unasked or self.request.port is not None:
                raise
            self._demand_consent()
            _log.warning("session %s: %s; signing in with a code instead", self.session.name, error)
            return self._by_device(grant, self._register(grant, oauth.DEVICE_CODE), reused=False)

    def _by_device(
        self, grant: Grant, client: ClientRegistration, *, reused: bool
    ) -> AccessToken | AdoptedToken:
        """Go the way; once more with a new registration when one that lay in the cache is refused.

        Whatever it is refused for: another program may have made it for something else, or elsewhere.
        """
        if not reused:
            return _told(lambda: grant.by_device(client))
        try:
            return grant.by_device(client)
        except (RegistrationRefused, RequestRefused) as error:
            _log.info("session %s: getting a new client registration: %s", self.session.name, error)
        return _told(lambda: grant.by_device(self._register(grant, oauth.DEVICE_CODE)))

    def _register(self, grant: Grant, kind: str) -> ClientRegistration:
        client = self.ports.identity_center.register(grant.session, grant.start_url, kind)
        if kind == oauth.AUTHORIZATION_CODE:
            return client  # an older AWS CLI that finds it in the cache would try a device code with it
        try:
            self.ports.token_cache.save_registration(self.session, client)
        except CredtrayError as error:
            _log.warning(
                "session %s: the client registration could not be saved: %s", self.session.name, error
            )
        return client

    def _end(self) -> None:
        """End the sign-in that is active, else the service joins it.

        The token is dropped only when it is of no more use: the portal ended it, or knows it no more.

        Raises:
            Offline, CaptivePortal, CertificateRefused: no portal to sign in at; nothing was changed.
        """
        if self.over or not self.request.fresh:
            return
        token = self._usable(self.current)
        if token is None:
            self.over = True
            return
        try:
            self._logout(token)
            self.ended = True
        except PortalUnauthorized:
            pass  # it has ended there already
        except (Throttled, PortalFailed, RequestRefused, RoleRefused) as error:
            _log.warning("session %s: the old sign-in could not be ended: %s", self.session.name, error)
            self.over = True
            return
        self.over = True
        # Told before the file goes: who sees it vanish must know by then why.
        self.progress(SignInProgress(Step.ENDED))
        try:
            self.ports.token_cache.drop(self.session, token)
        except CredtrayError as error:  # the new token is written over it, or says why it cannot be
            _log.warning("session %s: the old token could not be removed: %s", self.session.name, error)

    def _logout(self, token: AccessToken) -> None:
        """Log out at the portal; once more when no answer came, since the first call may have done it.

        Raises:
            CredtrayError: as ``IdentityCenter.logout``.
        """
        try:
            self.ports.identity_center.logout(self.session, token)
        except Offline as error:
            _log.info("session %s: no answer to the sign-out, trying again: %s", self.session.name, error)
            with suppress(PortalUnauthorized):  # it was the answer that got lost
                self.ports.identity_center.logout(self.session, token)

    def _usable(self, token: AccessToken | None) -> AccessToken | None:
        """Return a token the portal will accept for Logout, refreshed where needed."""
        now = self.ports.clock.now()
        if token is None or token.expires_at - now > _ALMOST_OVER:
            return token
        try:
            renewed = self.ports.token_refresh.refresh(self.session, token, now)
        except CredtrayError as error:
            _log.info("session %s: no usable token to end the old sign-in with: %s", self.session.name, error)
            return None
        if renewed is not None:
            self.newcomers.ours(renewed)
        return renewed


def _told(way: Callable[[], AccessToken | AdoptedToken]) -> AccessToken | AdoptedToken:
    """Go a way with a registration made just now: when that is refused as well, it is not its age.

    Raises:
        RequestRefused: the service does not take what it has just registered.
    """
    try:
        return way()
    except RegistrationRefused as error:
        raise RequestRefused(f"also with a new client registration ({error.detail})") from None


def _on_disk(ports: SignInPorts, session: SsoSession) -> AccessToken | None:
    try:
        return ports.token_cache.read(session)
    except TokenUnreadable:
        return None
