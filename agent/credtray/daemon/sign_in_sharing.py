"""One sign-in in flight per session: the first asker starts it, later ones join and get the same result.

Knows who is waiting; how a sign-in goes is in ``sign_in``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import msgspec

from credtray.core import effects, protocol
from credtray.core.apply import same_portal
from credtray.core.errors import (
    AgentSilent,
    CredtrayError,
    PortalUnauthorized,
    Problem,
    SignInCancelled,
    SignInUnconfirmed,
    TokenUnreadable,
    UnknownSession,
    error_for,
)
from credtray.core.events import (
    EarlierEnded,
    SignedIn,
    SignedOut,
    SignInAddressKnown,
    SignInFailed,
    SignInStarted,
    WindowUnopened,
)
from credtray.core.expiry import Moved, compare_ends
from credtray.core.identity import is_other, other_person
from credtray.core.models import AccessToken, SignIn, SsoSession
from credtray.core.notices import present
from credtray.core.ports import Ports
from credtray.core.protocol import Progress
from credtray.core.protocol.results import CancelResult, ErrorEntry, LoginResult, whole_seconds
from credtray.core.session_status import sign_in_of, sign_in_status, token_usable
from credtray.core.shell_words import with_options
from credtray.core.state import SessionState, SignInStatus
from credtray.core.state_words import (
    left_words,
    price_of,
    price_of_replaced,
    price_words,
    still_valid,
    untouched_words,
)
from credtray.core.summary import left_of, pending_of
from credtray.daemon.loop import Loop, Tell
from credtray.daemon.sign_in import SignInProgress, SignInRequest, SignInResult, Step, run_sign_in
from credtray.daemon.sign_in_grants import BY_CODE, opens_here
from credtray.daemon.workers import Workers

# A sign-in under way, and who waits for it. Knows nothing of how it goes; see ``sign_in``.


@dataclass(eq=False)
class Attempt:
    """One sign-in; all of it but ``cancelled`` belongs to the event loop's thread."""

    session: SsoSession
    """As the config file had it when the sign-in began."""
    replaced: SignIn | None
    """The sign-in it replaces, when that one was still active."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    progress: Progress | None = None
    problem: Problem | None = None
    joined: bool = False
    askers: int = 0
    unasked: bool = False
    """The agent began it by itself, as a setting allows."""

    async def follow(self, tell: Tell) -> None:
        """Tell each step, also the one taken before, until the sign-in is finished."""
        told: Progress | None = None
        while not self.finished.is_set():
            if self.progress is not None and self.progress is not told:
                told = self.progress
                await tell(told)
                continue
            await self.changed.wait()
            await asyncio.sleep(0)  # let every follower see the change before it is cleared
            self.changed.clear()


# Signing out: ends the sign-in at the portal and drops its token file.
#
# Blocks, so it belongs in a worker thread. Must not decide whether somebody is to be signed out.


_ALMOST_OVER = timedelta(minutes=1)


def sign_out(ports: Ports, session: SsoSession, known: AccessToken | None) -> bool:
    """Sign out and return False when the portal could not be told.

    The token is dropped either way: the user asked to be signed out on this machine. It is the token on the
    disk that goes, which another program may have renewed since *known* was read.

    Raises:
        FileContended: another credtray process has been refreshing the token for a minute.
        FileUnwritable, FileRefused: the token file cannot be deleted.
    """
    _renew(ports, session, known)
    with ports.token_cache.lock(session):
        token = _on_disk(ports, session, known) or known
        if token is None:
            return True
        told = _told(ports, session, token)
        ports.token_cache.drop(session, token)
        return told


def _renew(ports: Ports, session: SsoSession, known: AccessToken | None) -> None:
    """The portal takes a sign-out only from a token that is still good."""
    now = ports.clock.now()
    if known is None or not known.refreshable or known.expires_at - now > _ALMOST_OVER:
        return
    try:
        ports.token_refresh.refresh(session, known, now)
    except CredtrayError as error:
        _log.info("session %s: no usable token to sign out with: %s", session.name, error)


def _on_disk(ports: Ports, session: SsoSession, known: AccessToken | None) -> AccessToken | None:
    try:
        return ports.token_cache.read(session)
    except TokenUnreadable:
        return known


def _told(ports: Ports, session: SsoSession, token: AccessToken) -> bool:
    try:
        ports.identity_center.logout(session, token)
    except PortalUnauthorized:
        return True  # it has ended there already
    except CredtrayError as error:
        _log.info("session %s: the portal does not know of the sign-out: %s", session.name, error)
        return False
    return True


_log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""How long a login waits for the keys of the active profiles before it answers all the same."""

REFRESH_SECONDS = 8.0
"""How long a login waits for a silent refresh that would make it unnecessary."""

WRITE_SECONDS = 5.0
"""How long the end of the earlier sign-in waits for the disk before it goes on all the same."""


class SignIns:
    """Starts, joins and cancels sign-ins; signs out."""

    def __init__(self, ports: Ports, workers: Workers, loop: Loop) -> None:
        self._ports = ports
        self._workers = workers
        self._loop = loop
        self._attempts: dict[str, Attempt] = {}
        self._tries: set[asyncio.Task[None]] = set()
        self.lasting = False
        """True in an agent: it is still there when somebody who failed wants to try again."""

    # --- signing in -------------------------------------------------------------------------------------

    async def login(self, name: str, request: protocol.Login, tell: Tell) -> LoginResult:
        """Make sure of a sign-in and return how it stands.

        What is valid is respected: with more than the longest warning threshold left nothing is started,
        unless a fresh sign-in was asked for. When the last asker leaves, the sign-in is cancelled.
        """
        if is_other(self._session(name)) and not request.fresh:
            request = msgspec.structs.replace(request, fresh=True)  # else AWS would join it to that one
        attempt = await self._attempt(name, request)
        if attempt is None:
            return self._login_result(name, already=True)
        attempt.askers += 1
        try:
            await attempt.follow(tell)
        finally:
            attempt.askers -= 1
            if attempt.askers == 0 and not attempt.finished.is_set():
                attempt.cancelled.set()
        if attempt.problem is not None:
            raise self._failure(name, attempt.problem)
        await self._loop.reached(effects.of_sign_in(self._loop.state, name), SETTLE_SECONDS, tell)
        done = self._login_result(name, already=False)
        return msgspec.structs.replace(done, joined=attempt.joined, moved=self._moved(attempt))

    async def _attempt(self, name: str, request: protocol.Login) -> Attempt | None:
        """Return the sign-in to wait for, begun now if need be; None when none is needed."""
        while True:
            attempt = self._attempts.get(name)
            if attempt is None and not request.fresh and await self._good_enough(name):
                return None
            attempt = self._attempts.get(name)  # somebody may have begun one while we looked
            if attempt is None:
                self._demand_consent(name, request)
                return self._begin(name, request)
            if not attempt.cancelled.is_set():
                return attempt
            await attempt.finished.wait()  # it is being given up: joining it would be cancelled as well

    def _demand_consent(self, name: str, request: protocol.Login) -> None:
        """Refuse before anything begins what would end a sign-in that nobody has agreed to end.

        Raises:
            SignInUnconfirmed: with the price in it.
        """
        if request.agreed or not self._by_device(name, request):
            return
        price = self._question(name)
        if price is not None:
            options = ("--fresh", *request.device * ("--device",))
            raise SignInUnconfirmed(
                price.removesuffix("."), hint=f"Run: credtray login {with_options(name, *options)}"
            )

    def _by_device(self, name: str, request: protocol.Login) -> bool:
        chosen = self._loop.state.settings.session(name)
        if request.device or self._session(name).session.legacy:
            return True
        if request.callback_port is not None:
            return False
        if chosen.device_flow:
            return True
        return request.remote and request.browser and chosen.browser is None

    def _question(self, name: str) -> str | None:
        """Return what a person has to agree to, in words; also for the thread of a sign-in."""
        now = self._loop.now()
        price = price_of(self._loop.state, name, now)
        return None if price is None else price_words(price, now, None)

    def _question_of(self, attempt: Attempt) -> str | None:
        """Return the question of a sign-in under way: the config file may have changed under it."""
        name, now = attempt.session.name, self._loop.now()
        there = self._loop.state.sessions.get(name)
        if there is not None and same_portal(there.session, attempt.session):
            return self._question(name)
        price = price_of_replaced(self._loop.state, name, attempt.replaced, now)
        return None if price is None else price_words(price, now, None)

    async def _good_enough(self, name: str) -> bool:
        """Tell whether a sign-in would be wasted; an expired token that renews silently gets its chance."""
        await self._wait_for_refresh(name)
        session, now = self._session(name), self._loop.now()
        if sign_in_status(session, now) is not SignInStatus.SIGNED_IN or not token_usable(session, now):
            return False
        sign_in = sign_in_of(session, now)
        if sign_in is None:
            return True
        if session.refusal is not None:
            return False  # nothing renews it: the request for a sign-in is right
        return sign_in.ends_at - now > self._loop.state.settings.longest_warning(name)

    async def _wait_for_refresh(self, name: str) -> None:
        def waiting() -> bool:
            session, now = self._session(name), self._loop.now()
            coming = sign_in_status(session, now) is SignInStatus.SIGNED_IN and session.trouble is None
            unknown = not session.looked and session.problem is None
            return unknown or (coming and not token_usable(session, now))

        try:
            async with asyncio.timeout(REFRESH_SECONDS), self._loop.watching() as changed:
                while waiting():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return

    def open_by_itself(self, name: str) -> None:
        """Begin a sign-in that nobody asked for, soon; the policy has decided that it may be."""

        def begin() -> None:
            if name in self._loop.state.sessions and name not in self._attempts:
                self._begin(name, protocol.Login(name), unasked=True)

        asyncio.get_running_loop().call_soon(begin)

    def _again(self, name: str, request: protocol.Login) -> None:
        """Sign in because somebody pressed the button of a page without a token; joins what is under way."""
        wish = msgspec.structs.replace(request, browser=True, agreed=False)
        trying = asyncio.create_task(self._tried_again(name, wish), name="try again")
        self._tries.add(trying)
        trying.add_done_callback(self._tries.discard)

    async def _tried_again(self, name: str, request: protocol.Login) -> None:
        async def heard_by_nobody(_progress: Progress) -> None:
            """The browser shows what there is to do."""

        with contextlib.suppress(CredtrayError):  # the notice of a sign-in that failed says why
            await self.login(name, request, heard_by_nobody)

    def _welcome(self) -> bool:
        return present(self._loop.state, self._loop.now())

    def _begin(self, name: str, request: protocol.Login, *, unasked: bool = False) -> Attempt:
        session = self._session(name)
        active = sign_in_status(session, self._loop.now()) is SignInStatus.SIGNED_IN
        attempt = Attempt(session.session, session.sign_in if active else None, unasked=unasked)
        self._attempts[name] = attempt
        device = self._by_device(name, request)
        command = self._loop.state.settings.session(name).browser
        again = partial(self._workers.call_soon, partial(self._again, name, request))
        asked = SignInRequest(
            active,
            device,
            opens_here(request, command),
            command,
            self._welcome if unasked else None,
            agreed=request.agreed,
            clean=request.clean,
            question=partial(self._question_of, attempt),
            again=again if self.lasting else None,
            port=request.callback_port,
            why=BY_CODE if device and request.remote and not request.device else None,
        )
        self._loop.take(SignInStarted(name))

        def progress(step: SignInProgress) -> None:
            if step.kind is Step.ENDED:
                # Its token goes next. The next agent must know that nobody signed out, or keys in use go.
                self._workers.written(lambda: self._progressed(attempt, step), WRITE_SECONDS)
            else:
                self._workers.call_soon(lambda: self._progressed(attempt, step))

        def work() -> SignInResult:
            cancelled = attempt.cancelled.is_set
            return run_sign_in(self._ports, session.session, asked, session.token, progress, cancelled)

        self._workers.sign_in(
            work,
            lambda result: self._done(attempt, result),
            lambda problem: self._failed(attempt, problem),
        )
        return attempt

    def _progressed(self, attempt: Attempt, step: SignInProgress) -> None:
        text = step.text
        if step.kind is Step.ENDED:
            self._loop.take(EarlierEnded(attempt.session.name))
            text = self._meanwhile(attempt.session.name)
        attempt.progress = Progress(
            step.kind,
            url=step.url,
            user_code=step.user_code,
            verification_uri=step.verification_uri,
            text=text,
        )
        if step.url is not None and not attempt.finished.is_set():
            self._loop.take(SignInAddressKnown(attempt.session.name, step.url, step.user_code))
        attempt.changed.set()

    def _done(self, attempt: Attempt, result: SignInResult) -> None:
        name = attempt.session.name
        there = self._loop.state.sessions.get(name)
        if there is not None and not same_portal(there.session, attempt.session):
            problem = SignInCancelled("the config file has a different portal now").problem
            self._give_up(attempt, problem, dropped=False)
            return
        attempt.joined = result.joined
        self._loop.take(SignedIn(name, result.token, joined=result.joined))
        self._finish(attempt)

    def _failed(self, attempt: Attempt, problem: Problem) -> None:
        _log.info("session %s: sign-in not finished: %s", attempt.session.name, problem.title)
        self._workers.files(
            lambda: self._dropped(attempt),
            lambda dropped: self._give_up(attempt, problem, dropped=dropped),
            lambda _unreadable: self._give_up(attempt, problem, dropped=False),
        )

    def _dropped(self, attempt: Attempt) -> bool:
        """Tell whether the token we had before is gone: a fresh sign-in gives it up on purpose."""
        return attempt.replaced is not None and self._ports.token_cache.read(attempt.session) is None

    def _give_up(self, attempt: Attempt, problem: Problem, *, dropped: bool) -> None:
        attempt.problem = problem
        self._loop.take(SignInFailed(attempt.session.name, problem, dropped=dropped, unasked=attempt.unasked))
        if attempt.unasked and (attempt.progress is None or attempt.progress.url is None):
            self._loop.take(WindowUnopened(attempt.session.name))
        self._finish(attempt)

    def _finish(self, attempt: Attempt) -> None:
        del self._attempts[attempt.session.name]
        attempt.finished.set()
        attempt.changed.set()

    async def cancelled(self, name: str) -> CancelResult:
        """Cancel and tell what is still valid.

        Raises:
            AgentSilent: the sign-in is in the middle of a call and has not let go yet.
        """
        pending = name in self._attempts
        if not await self._let_go(name):
            raise AgentSilent(f"the last sign-in to {name} is still ending")
        return CancelResult(pending, self._still_valid(name))

    async def _let_go(self, name: str) -> bool:
        """Cancel the pending sign-in, if there is one, and wait for its end; False when it takes too long."""
        attempt = self._attempts.get(name)
        if attempt is None:
            return True
        attempt.cancelled.set()
        try:
            await asyncio.wait_for(attempt.finished.wait(), REFRESH_SECONDS)
        except TimeoutError:
            return False
        return True

    # --- signing out ------------------------------------------------------------------------------------

    async def logout(self, name: str) -> bool:
        """End the sign-in at the portal and drop its token; False when the portal could not be told.

        Raises:
            CredtrayError: see ``sign_out``; the session is as it was.
        """
        await self._let_go(name)  # else it could finish after us, and sign in again
        session = self._session(name)
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(told: bool) -> None:  # noqa: FBT001 - the shape of a worker's callback
            self._loop.take(SignedOut(name))
            if not outcome.done():  # else the asker has gone
                outcome.set_result(told)

        def failed(problem: Problem) -> None:
            if not outcome.done():
                outcome.set_exception(error_for(problem))

        work = partial(sign_out, self._ports, session.session, session.token)
        self._workers.portal(name, work, done, failed)
        return await outcome

    # --- telling ----------------------------------------------------------------------------------------

    def _session(self, name: str) -> SessionState:
        session = self._loop.state.sessions.get(name)
        if session is None:
            raise UnknownSession(f"{name!r} is not in the config file any more")
        return session

    def _login_result(self, name: str, *, already: bool) -> LoginResult:
        session = self._session(name)
        sign_in = sign_in_of(session, self._loop.now())
        return LoginResult(
            session=name,
            signed_in_until=whole_seconds(sign_in.ends_at) if sign_in else None,
            end_is_estimate=not sign_in.proof.proven if sign_in else None,
            end_known_by=sign_in.proof if sign_in else None,
            already=already,
            person=session.identity.person or msgspec.UNSET,
            other_person=ErrorEntry.of(other_person(session)) if is_other(session) else msgspec.UNSET,
        )

    def _moved(self, attempt: Attempt) -> Moved | None:
        """Tell whether a fresh sign-in moved the end: later, same, unknown; None without one before."""
        session = self._session(attempt.session.name)
        if attempt.replaced is None or session.sign_in is None or session.token is None:
            return None
        return compare_ends(attempt.replaced, session.sign_in, session.token.expires_at)

    def _failure(self, name: str, problem: Problem) -> CredtrayError:
        """Return the error for who waited: with what is still valid, and until when."""
        session = self._loop.state.sessions.get(name)
        if session is None:
            return error_for(problem)
        now = self._loop.now()
        left = left_words(left_of(self._loop.state, session, now), now, None)
        return error_for(replace(problem, hint=f"{left} {problem.hint}"))

    def _meanwhile(self, name: str) -> str | None:
        session, now = self._loop.state.sessions.get(name), self._loop.now()
        pending = None if session is None else pending_of(self._loop.state, session, now)
        return None if pending is None else f"{untouched_words(pending, now, None)}."

    def _still_valid(self, name: str) -> str:
        session = self._loop.state.sessions.get(name)
        return "" if session is None else still_valid(self._loop.state, session, self._loop.now(), None)
