"""One sign-in in flight per session: the first asker starts it, later ones join and get the same result.

Knows who is waiting; how a sign-in goes is in ``sign_in``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from agent.core import protocol
from agent.core.errors import AgentSilent, CredtrayError, Problem, SignInCancelled, error_for
from agent.core.events import SignedIn, SignedOut, SignInAddressKnown, SignInFailed, SignInStarted
from agent.core.expiry import compare_ends
from agent.core.models import SignIn
from agent.core.protocol import Progress
from agent.core.standing import alive, token_usable
from agent.core.state import Alive, SessionState
from agent.core.status import iso
from agent.core.view import still_valid
from agent.daemon.loop import Loop
from agent.daemon.ports import Ports
from agent.daemon.sign_in import SignInProgress, SignInRequest, SignInResult, run_sign_in
from agent.daemon.workers import Workers

_log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""How long a login waits for the keys of the active profiles before it answers all the same."""

REFRESH_SECONDS = 8.0
"""How long a login waits for a silent refresh that would make it unnecessary."""

Tell = Callable[[Progress], Awaitable[None]]


@dataclass(eq=False)
class _Attempt:
    """A sign-in under way and who waits for it."""

    session: str
    replaced: SignIn | None
    """The sign-in it replaces, when that one was still active."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    progress: Progress | None = None
    problem: Problem | None = None
    joined: bool = False
    askers: int = 0


class SignIns:
    """Starts, joins and cancels sign-ins; signs out."""

    def __init__(self, ports: Ports, workers: Workers, loop: Loop) -> None:
        self._ports = ports
        self._workers = workers
        self._loop = loop
        self._attempts: dict[str, _Attempt] = {}

    # --- signing in -------------------------------------------------------------------------------------

    async def login(self, name: str, request: protocol.Login, tell: Tell) -> dict[str, Any]:
        """Make sure of a sign-in and return how it stands.

        What is valid is respected: with more than the longest warning threshold left nothing is started,
        unless a fresh sign-in was asked for. When the last asker leaves, the sign-in is cancelled.
        """
        attempt = self._attempts.get(name)
        if attempt is None:
            if not request.fresh and await self._good_enough(name):
                return self._standing(name, {"already": True})
            attempt = self._attempts.get(name) or self._begin(name, request)
        attempt.askers += 1
        try:
            await self._follow(attempt, tell)
        finally:
            attempt.askers -= 1
            if attempt.askers == 0 and not attempt.finished.is_set():
                attempt.cancelled.set()
        if attempt.problem is not None:
            raise self._failure(attempt.session, attempt.problem)
        await self._loop.settled(SETTLE_SECONDS)
        told = {"already": False, "joined": attempt.joined, "moved": self._moved(attempt)}
        return self._standing(name, told)

    async def _good_enough(self, name: str) -> bool:
        """Tell whether a sign-in would be wasted; an expired token that renews silently gets its chance."""
        await self._wait_for_refresh(name)
        session, now = self._session(name), self._loop.now()
        if alive(session, now) is not Alive.SIGNED_IN or not token_usable(session, now):
            return False
        if session.sign_in is None:
            return True
        return session.sign_in.ends_at - now > self._loop.state.settings.longest_warning

    async def _wait_for_refresh(self, name: str) -> None:
        def waiting() -> bool:
            session, now = self._session(name), self._loop.now()
            coming = alive(session, now) is Alive.SIGNED_IN and session.trouble is None
            return not session.looked or (coming and not token_usable(session, now))

        try:
            async with asyncio.timeout(REFRESH_SECONDS), self._loop.watching() as changed:
                while waiting():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return

    def _begin(self, name: str, request: protocol.Login) -> _Attempt:
        session = self._session(name)
        active = alive(session, self._loop.now()) is Alive.SIGNED_IN
        attempt = _Attempt(name, session.sign_in if active else None)
        self._attempts[name] = attempt
        settings = self._loop.state.settings.sessions.get(name)
        device = request.device or (settings is not None and settings.device_flow)
        asked = SignInRequest(fresh=active, device=device, browser=request.browser)
        self._loop.take(SignInStarted(name))

        def progress(step: SignInProgress) -> None:
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

    def _progressed(self, attempt: _Attempt, step: SignInProgress) -> None:
        attempt.progress = Progress(
            step.kind,
            url=step.url,
            user_code=step.user_code,
            verification_uri=step.verification_uri,
            text=step.text,
        )
        if step.url is not None:
            self._loop.take(SignInAddressKnown(attempt.session, step.url, step.user_code))
        attempt.changed.set()

    def _done(self, attempt: _Attempt, result: SignInResult) -> None:
        attempt.joined = result.joined
        self._attempts.pop(attempt.session, None)
        self._loop.take(SignedIn(attempt.session, result.token, joined=result.joined))
        attempt.finished.set()
        attempt.changed.set()

    def _failed(self, attempt: _Attempt, problem: Problem) -> None:
        attempt.problem = problem
        self._attempts.pop(attempt.session, None)
        _log.info("session %s: sign-in not finished: %s", attempt.session, problem.title)
        self._workers.files(
            lambda: self._dropped(attempt),
            lambda dropped: self._give_up(attempt, problem, dropped=dropped),
            lambda _unreadable: self._give_up(attempt, problem, dropped=False),
        )

    def _dropped(self, attempt: _Attempt) -> bool:
        """Tell whether the token we had before is gone: a fresh sign-in gives it up on purpose."""
        had = attempt.replaced is not None
        return had and self._ports.token_cache.read(self._session(attempt.session).session) is None

    def _give_up(self, attempt: _Attempt, problem: Problem, *, dropped: bool) -> None:
        self._loop.take(SignInFailed(attempt.session, problem, dropped=dropped))
        attempt.finished.set()
        attempt.changed.set()

    async def _follow(self, attempt: _Attempt, tell: Tell) -> None:
        told: Progress | None = None
        while not attempt.finished.is_set():
            if attempt.progress is not None and attempt.progress is not told:
                told = attempt.progress
                await tell(told)
                continue
            await attempt.changed.wait()
            await asyncio.sleep(0)  # let every follower see the change before it is cleared
            attempt.changed.clear()

    def cancel(self, name: str) -> bool:
        """Cancel the pending sign-in of a session; False when there is none."""
        attempt = self._attempts.get(name)
        if attempt is None:
            return False
        attempt.cancelled.set()
        return True

    async def cancelled(self, name: str) -> dict[str, Any]:
        """Cancel and tell what is still valid."""
        attempt = self._attempts.get(name)
        if attempt is not None:
            attempt.cancelled.set()
            try:
                await asyncio.wait_for(attempt.finished.wait(), REFRESH_SECONDS)
            except TimeoutError:
                raise AgentSilent(f"the sign-in of {name} does not let go yet") from None
        return {"cancelled": attempt is not None, "still_valid": self._still_valid(name)}

    # --- signing out ------------------------------------------------------------------------------------

    async def logout(self, name: str) -> bool:
        """End the sign-in at the portal and drop its token; False when the portal could not be told.

        The token is dropped either way: the user asked to be signed out on this machine.
        """
        self.cancel(name)
        session = self._session(name)
        token = session.token
        if token is None:
            self._loop.take(SignedOut(name))
            return True
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def work() -> bool:
            told = True
            try:
                self._ports.identity_center.logout(session.session, token)
            except CredtrayError as error:
                _log.info("session %s: the portal was not told of the sign-out: %s", name, error)
                told = False
            self._ports.token_cache.drop(session.session, token)
            return told

        def failed(problem: Problem) -> None:
            outcome.set_exception(error_for(problem))

        self._workers.portal(work, outcome.set_result, failed)
        told = await outcome
        self._loop.take(SignedOut(name))
        return told

    # --- telling ----------------------------------------------------------------------------------------

    def _session(self, name: str) -> SessionState:
        return self._loop.state.sessions[name]

    def _standing(self, name: str, more: dict[str, Any]) -> dict[str, Any]:
        session = self._session(name)
        sign_in = session.sign_in
        return {
            "session": name,
            "signed_in_until": iso(sign_in.ends_at) if sign_in else None,
            "end_is_estimate": not sign_in.proof.proven if sign_in else None,
            **more,
        }

    def _moved(self, attempt: _Attempt) -> str | None:
        """Tell whether a fresh sign-in moved the end: later, same, unknown; None without one before."""
        session = self._session(attempt.session)
        if attempt.replaced is None or session.sign_in is None or session.token is None:
            return None
        return compare_ends(attempt.replaced, session.sign_in, session.token.expires_at).value

    def _failure(self, name: str, problem: Problem) -> CredtrayError:
        error = error_for(problem)
        rest = self._still_valid(name)
        if rest and problem.code == SignInCancelled.code:
            return type(error)(rest, hint=problem.hint)
        return error_for(problem)

    def _still_valid(self, name: str) -> str:
        return still_valid(self._loop.state, self._session(name), self._loop.now(), None)
