"""Carries out ``Wait``: answers when a profile's credentials will last, renewing and signing in as allowed.

Fetches nothing itself and opens nothing: the loop renews, ``sign_ins`` signs in. Many askers share both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from credtray.core import protocol
from credtray.core.answers import answer, known_profile
from credtray.core.errors import (
    KeysTooShort,
    NotInTime,
    Problem,
    Retry,
    SignInRequired,
    SignInTooShort,
    TimedOut,
    error_for,
)
from credtray.core.events import Asked, FilesChanged, Needed, SignInAwaited, SignInUnawaited
from credtray.core.models import Awaited
from credtray.core.policy import FETCH_FLOOR
from credtray.core.protocol import Done, Progress
from credtray.core.protocol.results import WaitResult, whole_seconds
from credtray.core.session_status import (
    FetchNeeded,
    Never,
    SignInNeeded,
    Validity,
    ValidUntil,
    outlook,
    servable,
    slack,
    unrenewed,
)
from credtray.core.shell_words import argument, with_options
from credtray.core.state import ProfileState, region_of
from credtray.core.state_words import END_WORDS, clock_time
from credtray.core.words import short
from credtray.daemon.awaited_person import Askers
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import CREDENTIALS_SECONDS, Handler
from credtray.daemon.sign_in_sharing import SignIns

RENEWING = FETCH_FLOOR + timedelta(seconds=CREDENTIALS_SECONDS)
"""How long an asker waits for keys: a fetch may have to keep its distance from the one before."""

LOOK_SECONDS = 2.0
"""Without an agent nobody watches the files: this often a waiting asker has them looked at."""


class WaitingRequests:
    """Carries out ``Wait``, with and without an agent."""

    def __init__(
        self, loop: Loop, sign_ins: SignIns, *, watched: bool = True, askers: Askers | None = None
    ) -> None:
        """Make one.

        Args:
            loop: renews.
            sign_ins: signs in.
            watched: False where nobody else tells the loop that a file has changed.
            askers: knows who asks; without it nobody is named.
        """
        self._askers = askers or Askers()
        self._loop = loop
        self._sign_ins = sign_ins
        self._watched = watched

    @property
    def handlers(self) -> Mapping[type, Handler]:
        """What it carries out."""
        return {protocol.Wait: self.wait}

    async def wait(self, request: protocol.Wait, sink: ReplySink) -> Done[WaitResult]:
        """Answer as soon as the credentials will last.

        Raises:
            SignInTooShort: only a sign-in would help, and nobody is to wait for one, or it did not help.
            KeysTooShort: the role allows no keys that last so long.
            NotInTime: nobody signed in within ``timeout``.
            CredtrayError: why there are no credentials at all.
        """
        deadline = asyncio.get_running_loop().time() + request.timeout
        asker = _Asker(self._loop, self._sign_ins, request, sink, self._watched, deadline)
        if sink.caller is not None and request.timeout:
            asker.who = await self._askers.name(sink.caller)
        if sink.caller is not None and request.login:
            asker.clicks_first = await self._askers.clicks_first(sink.caller)
        return await asker.served()


@dataclass
class _Asker:
    """One ``Wait`` under way."""

    loop: Loop
    sign_ins: SignIns
    request: protocol.Wait
    sink: ReplySink
    watched: bool
    deadline: float
    """Of the event loop: as long somebody else's sign-in, or the end of a trouble, is waited for."""
    renewing_until: float | None = None
    """Of the event loop: as long keys are waited for, until somebody signs in."""
    trouble: Problem | None = None
    """Why keys could not be fetched, when last heard."""
    signed_in: bool = False
    """The sign-in this asker waited for, or joined, was finished."""
    told: set[str] = field(default_factory=set)
    who: str = ""
    """What a person calls it."""
    clicks_first: bool = False
    """A sign-in is begun by a person, with a click on the notification or otherwise, not by this asker."""

    async def served(self) -> Done[WaitResult]:
        while True:
            found = self._outlook()
            match found:
                case ValidUntil():
                    return self._lasts(found)
                case Never(life):
                    raise KeysTooShort(f"keys for {self.request.profile} last {short(life)}")
                case FetchNeeded(until) if not self._to_be_joined():
                    await self._fetched(until)
                case FetchNeeded():
                    await self._in_time(
                        self._own_sign_in(""), f"credtray login {argument(self._profile().profile.session)}"
                    )
                case SignInNeeded():
                    await self._somebody_signed_in(found)

    def _outlook(self) -> Validity:
        wanted = timedelta(seconds=self.request.seconds)
        return outlook(self.loop.state, self._profile(), wanted, self.loop.now(), keys=self.request.keys)

    def _profile(self) -> ProfileState:
        return known_profile(self.loop.state, self.request.profile)

    def _lasts(self, found: ValidUntil) -> Done[WaitResult]:
        if self.request.sure and found.guessed:
            raise self._not_sure(found)
        held = self._profile().credentials
        return Done(
            WaitResult(
                profile=self.request.profile,
                session=self._profile().profile.session,
                until=whole_seconds(found.until),
                about=found.about,
                sure=not found.guessed,
                sure_until=whole_seconds(found.sure_until or found.until),
                end_known_by=found.known_by,
                region=region_of(self.loop.state, self.request.profile),
                keys_until=whole_seconds(held.expires_at) if held else None,
                signed_in=self.signed_in,
            )
        )

    def _not_sure(self, found: ValidUntil) -> SignInTooShort:
        now = self.loop.now()
        expected = clock_time(found.until, now, None)
        sure = found.sure_until or now
        reason = END_WORDS[found.known_by] if found.known_by else "not confirmed"
        return SignInTooShort(
            f"{self.request.profile} works until about {expected} ({reason}); "
            f"sure only until {clock_time(sure, now, None)}",
            hint=f"Ask for at most {short(sure - now)}, or accept the expected end: leave out --sure.",
        )

    async def _tell(self, kind: str, text: str) -> None:
        """Tell each thing once: an asker that waits is woken by every change."""
        if text not in self.told:
            self.told.add(text)
            await self.sink.send(Progress(kind, text=text))

    async def _next(self, changed: asyncio.Event) -> None:
        """Return at the next change, or after a while where somebody has to look for it."""
        try:
            await asyncio.wait_for(changed.wait(), None if self.watched else LOOK_SECONDS)
        except TimeoutError:
            self.loop.take(FilesChanged())

    # --- renewing ---------------------------------------------------------------------------------------

    async def _fetched(self, until: datetime) -> None:
        """Have keys fetched, and return when there is more to know.

        Raises:
            CredtrayError: they cannot be fetched, or none that last so long.
        """
        name, held = self.request.profile, self._profile().credentials
        if self.renewing_until is None:
            self.renewing_until = max(self._clock() + RENEWING.total_seconds(), self.deadline)
        await self._tell("renewing", f"Fetching keys for {name} ...")
        if held is None or not servable(held, self.loop.now()):
            self.loop.take(Asked(name))  # a need of a few seconds may be over before a fetch is possible
        self.loop.take(Needed(name, until))
        try:
            async with asyncio.timeout_at(self.renewing_until):
                await self._fetch_over()
        except TimeoutError:
            if self.trouble is not None:
                raise error_for(self.trouble) from None
            raise TimedOut(f"no keys for {name} that last that long arrived in time") from None

    async def _fetch_over(self) -> None:
        """Return when keys came, or when it takes something else now.

        Raises:
            CredtrayError: why there are no keys; what may pass by itself only when the time is up.
        """
        async with self.loop.watching() as changed:
            while isinstance(self._outlook(), FetchNeeded) and not self._to_be_joined():
                changed.clear()
                reason = self._why_not()
                if isinstance(reason, Problem):
                    if reason.retry is Retry.PERSON or self._clock() >= self.deadline:
                        raise error_for(reason)
                    self.trouble = reason
                    await self._tell("trouble", f"{reason.title}. Trying again.")
                elif self._profile().needed_until is None:
                    return
                await self._next(changed)

    def _why_not(self) -> object:
        """Return the problem that keeps us from knowing more just now, if there is one."""
        state, profile, now = self.loop.state, self._profile(), self.loop.now()
        session = state.sessions.get(profile.profile.session)
        if session is not None and session.trouble is not None and unrenewed(session, now):
            # Keys in hand are no answer here: whether the sign-in lasts is what is asked.
            return session.trouble.problem if session.trouble.retry_at > now else None
        return answer(state, profile, now)

    def _to_be_joined(self) -> bool:
        """Tell whether a sign-in is under way that this asker is to wait for: keys come only afterwards."""
        session = self.loop.state.sessions.get(self._profile().profile.session)
        return self.request.login and session is not None and session.pending is not None

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    # --- signing in -------------------------------------------------------------------------------------

    async def _somebody_signed_in(self, found: SignInNeeded) -> None:
        """Return when a sign-in was finished, or when things look better anyway.

        Raises:
            SignInTooShort: nobody is to wait, or the sign-in of this asker ends as early.
            NotInTime: it took longer than ``timeout``.
        """
        reason = answer(self.loop.state, self._profile(), self.loop.now())
        if isinstance(reason, Problem) and reason.code != SignInRequired.code:
            raise error_for(reason)  # the token cache cannot be read: nobody knows who is signed in
        if self.signed_in:
            raise self._too_short_again(found)
        if self.request.login and (not self.clicks_first or self._to_be_joined()):
            own = self._own_sign_in(f"{self._reason(found)}. Starting a new sign-in.")
            await self._in_time(own, self._login(found))
        elif self.request.timeout:
            await self._in_time(self._others_sign_in(found), self._login(found))
        else:
            raise SignInTooShort(self._reason(found), hint=f"Run: {self._login(found)}")

    async def _in_time(self, sign_in: Coroutine[Any, Any, None], command: str) -> None:
        """Wait for it, as long as the asker does; its own sign-in without a limit ends by itself.

        Raises:
            NotInTime: it took longer; it says that *command* helps.
        """
        session = self._profile().profile.session
        try:
            async with asyncio.timeout_at(self.deadline if self.request.timeout else None):
                await sign_in
        except TimeoutError:
            waited = short(timedelta(seconds=self.request.timeout))
            raise NotInTime(
                f"nobody signed in to {session} within {waited}",
                hint=f"Give it more time with --timeout, or run: {command}",
            ) from None
        self.renewing_until = None

    async def _own_sign_in(self, why: str) -> None:
        async def tell(step: Progress) -> None:
            await self.sink.send(step)

        if why:
            await self._tell("sign_in_needed", why)
        session = self._profile().profile.session
        await self.sign_ins.login(session, self._own_login(session), tell)
        self.signed_in = True

    def _own_login(self, session: str) -> protocol.Login:
        return protocol.Login(session, fresh=True, remote=self.request.remote)

    async def _others_sign_in(self, found: SignInNeeded) -> None:
        text = f"{self._reason(found)}. Waiting for a sign-in: {self._login(found)}"
        await self._tell("waiting_for_sign_in", text)
        self.loop.take(Asked(self.request.profile))
        with self._telling_of(found):
            async with self.loop.watching() as changed:
                while isinstance(self._outlook(), SignInNeeded):
                    changed.clear()
                    await self._next(changed)

    @contextlib.contextmanager
    def _telling_of(self, found: SignInNeeded) -> Iterator[None]:
        """Have a notice on the desktop for as long as this asker waits."""
        now, wanted = self.loop.now(), timedelta(seconds=self.request.seconds)
        left = timedelta(seconds=self.deadline - self._clock())
        job = Awaited(self.request.profile, now + wanted - slack(wanted), now + left, self.who)
        self.loop.take(SignInAwaited(found.session, job))
        try:
            yield
        finally:
            self.loop.take(SignInUnawaited(found.session, job))

    def _too_short_again(self, found: SignInNeeded) -> SignInTooShort:
        return SignInTooShort(
            f"the new one of {found.session}, too: {self._reason(found)}",
            hint="Ask for less: AWS does not allow a longer sign-in, or joined it to the previous one.",
        )

    @staticmethod
    def _login(found: SignInNeeded) -> str:
        """Return the command that helps; the plain one leaves a sign-in alone that is only too short."""
        return f"credtray login {with_options(found.session, *(found.until is not None) * ('--fresh',))}"

    def _reason(self, found: SignInNeeded) -> str:
        if found.until is None:
            return f"nobody is signed in to {found.session}"
        about, now = "about " if found.about else "", self.loop.now()
        until = clock_time(found.until, now, None)
        wanted = short(timedelta(seconds=self.request.seconds))
        session = self.loop.state.sessions.get(found.session)
        why = f". {session.refusal.problem.title}" if session is not None and session.refusal else ""
        left = f"until {about}{until}, {short(found.until - now)} from now"
        return f"{self.request.profile} works {left}, but you asked for {wanted}{why}"
