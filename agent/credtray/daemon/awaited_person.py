"""Programs that ask for keys after the end of a sign-in wait a while for a person, who reads their names.

Shows nothing itself: a notice is made from what the state says of who waits. Opens no browser.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from credtray.core.answers import answer, known_profile
from credtray.core.errors import Problem, SignInRequired
from credtray.core.events import SignInAwaited, SignInUnawaited
from credtray.core.models import Awaited
from credtray.core.notices import held
from credtray.core.ports.files import Caller
from credtray.core.protocol import Progress
from credtray.core.session_status import sign_in_status
from credtray.core.state import SignInStatus
from credtray.core.words import plain
from credtray.daemon.loop import Loop

PERSON_SECONDS = 45.0
"""How long a program waits for a person to sign in: the SDK for Go gives up after a minute."""
PERSON = timedelta(seconds=PERSON_SECONDS)
AWAITED_STEP = "sign_in_awaited"
"""The kind of progress that tells a client that a person is waited for: it waits longer then."""

Hear = Callable[[Progress], Awaitable[None]]


class Askers:
    """Who asks, where nobody can find that out; see ``guard`` for where somebody can."""

    tells: bool = False
    """True: a person hears for whom a sign-in is, so waiting for one makes sense."""

    async def name(self, _caller: Caller) -> str:
        """Return what a person calls the program that asks; empty where nobody knows."""
        return ""

    async def clicks_first(self, _caller: Caller) -> bool:
        """Tell whether no sign-in begins for these before a person clicks."""
        return False


class AwaitedPerson:
    """Has programs wait for a person's sign-in. Used on the loop's thread only."""

    def __init__(self, loop: Loop, askers: Askers) -> None:
        """Have nobody wait yet."""
        self._loop = loop
        self.askers = askers

    async def signs_in(self, name: str, caller: Caller, hear: Hear | None) -> bool:
        """Tell, after waiting, whether it is worth looking for keys again.

        Args:
            name: the profile.
            caller: who asks; None for this process itself, which does not wait.
            hear: takes what they should know while they wait.
        """
        if caller is None or not self._somebody_is_told(name):
            return False
        who = await self.askers.name(caller)
        if not isinstance(caller, int):  # at the endpoint: SDKs would give up first, and they ask again
            self._announce_once(name, who)
            return False
        session = self._loop.state.profiles[name].profile.session
        until = self._loop.now() + PERSON
        job = Awaited(name, until, until, who)
        self._loop.take(SignInAwaited(session, job))
        try:
            if hear is not None:
                await hear(Progress(AWAITED_STEP, text=f"Waiting for you to sign in to {plain(session)} ..."))
            await self._until_signed_in(name)
        finally:
            self._loop.take(SignInUnawaited(session, job))
        return True

    async def _until_signed_in(self, name: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PERSON_SECONDS), self._loop.watching() as changed:
                while self._is_needed(name):
                    changed.clear()
                    await changed.wait()

    def _announce_once(self, name: str, who: str) -> None:
        now, session = self._loop.now(), self._loop.state.profiles[name].profile.session
        there = self._loop.state.sessions[session].awaited
        if not any((each.profile, each.who) == (name, who) and each.deadline > now for each in there):
            self._loop.take(SignInAwaited(session, Awaited(name, now + PERSON, now + PERSON, who)))

    def _somebody_is_told(self, name: str) -> bool:
        """Tell whether a notification asks for the sign-in of this profile now, and somebody sees it."""
        state, now = self._loop.state, self._loop.now()
        session = state.sessions.get(known_profile(state, name).profile.session)
        ended = session is not None and sign_in_status(session, now) is SignInStatus.ENDED
        return ended and self.askers.tells and state.notifications is not None and not held(state, now)

    def _is_needed(self, name: str) -> bool:
        state = self._loop.state
        profile = known_profile(state, name)
        session = state.sessions.get(profile.profile.session)
        found = answer(state, profile, self._loop.now())
        needed = isinstance(found, Problem) and found.code == SignInRequired.code
        return needed or (session is not None and session.pending is not None)
