"""Answers what clients ask over IPC. Each request is a short conversation with the loop; none blocks it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, NoReturn

from credtray import __version__
from credtray.core import effects, protocol
from credtray.core.answers import answer, chosen_session, known_profile, known_session, sign_in_required
from credtray.core.desired_sections import DEFAULT
from credtray.core.effects import Effect
from credtray.core.errors import (
    AgentNotRunning,
    CredtrayError,
    Problem,
    SignInRequired,
    TimedOut,
    UsageError,
    error_for,
)
from credtray.core.events import (
    Activated,
    Asked,
    Deactivated,
    FilesChanged,
    NoticesPaused,
    PersonKept,
    Snoozed,
    StopAsked,
    Switched,
)
from credtray.core.identity import is_other, same_person
from credtray.core.models import Delivery, RoleCredentials, Way
from credtray.core.ports.files import Caller
from credtray.core.protocol import (
    CredentialsIssued,
    Done,
    ProcessCredentials,
    Progress,
    Request,
    Update,
)
from credtray.core.protocol.results import (
    AgentStatus,
    CancelResult,
    ChoiceResult,
    ErrorEntry,
    KeepResult,
    LoginResult,
    LogoutResult,
    PauseResult,
    PingResult,
    StatusDocument,
    StopResult,
    UndoPlan,
    UndoResult,
    told,
    whole_seconds,
)
from credtray.core.session_status import file_trouble
from credtray.core.settings import dotted
from credtray.core.shell_words import argument, toml_word
from credtray.core.state import SessionState, State
from credtray.core.summary import file_error, profile_status, status_document, summary
from credtray.core.words import plain
from credtray.daemon.awaited_person import Askers, AwaitedPerson
from credtray.daemon.changes import Changes
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import PATIENCE_SECONDS, Loop, waiting_for
from credtray.daemon.sign_in_sharing import SignIns

CREDENTIALS_SECONDS = 18.0
"""Below the 20 s after which `credtray credentials` gives up, so that it hears the reason."""

SETTLE_SECONDS = 15.0
"""How long a command waits for its effect on the credentials file before it answers all the same."""

LONGEST_PAUSE = timedelta(days=7)
"""Longer than that nobody remembers why notices do not come."""

_OF_PROGRAMS = (protocol.Ping, protocol.Stop, protocol.Credentials, protocol.Endpoint, protocol.Watch)
"""Requests that come often and say nothing of files."""

READ_SECONDS = 2.0
"""How long a request waits until files that were broken a moment ago are read again."""

FOLLOWER_LIMIT = timedelta(seconds=90)
"""An agent that was told of a follower, and is still there after that, takes its keys out as ever."""

WATCH_SECONDS = 30.0
"""A watcher gets a new document at least this often."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who asks for keys."""

    way: Way | None
    """None: credtray itself, and nobody else gets them."""
    caller: Caller = None
    hear: Callable[[Progress], Awaitable[None]] | None = field(default=None, compare=False)
    """Takes what they should know while they wait."""


Permission = Callable[[], Awaitable[None]]
"""Returns when a person allows it; raises CredtrayError when they do not."""
Guard = Callable[[str, Recipient], Awaitable[Permission | None]]
"""Tells whether somebody must be asked before these get the keys of a profile; raises where nobody may."""


Given = Callable[[str, Recipient, "Problem | None"], None]
"""Hears whose keys were given to whom, or why there were none to give. Costs nobody time."""


def _nobody(_profile: str, _to: Recipient, _problem: Problem | None) -> None:
    """Nobody listens."""


Handler = Callable[[Any, ReplySink], Awaitable[protocol.Reply]]
"""Carries out one kind of request: takes the request and where progress goes, returns the final reply."""


class Requests:
    """The ``RequestHandler`` of the agent, and of commands that work without one."""

    def __init__(
        self,
        loop: Loop,
        sign_ins: SignIns,
        changes: Changes,
        stop: Callable[[], None],
        *,
        tray: bool | None = None,
        askers: Askers | None = None,
    ) -> None:
        self._person = AwaitedPerson(loop, askers or Askers())
        self._loop = loop
        self._sign_ins = sign_ins
        self._changes = changes
        self._stop = stop
        self._tray = tray
        self.guard: Guard | None = None
        """Asked before keys are handed out."""
        self.given: Given = _nobody
        """Hears of all keys that are handed out."""
        self._handlers: dict[type, Handler] = {
            protocol.Ping: self._ping,
            protocol.Status: self._status,
            protocol.Watch: self._watch,
            protocol.Credentials: self._credentials,
            protocol.Login: self._login,
            protocol.CancelLogin: self._cancel_login,
            protocol.KeepPerson: self._keep_person,
            protocol.Logout: self._logout,
            protocol.Activate: self._activate,
            protocol.Deactivate: self._deactivate,
            protocol.Switch: self._switch,
            protocol.Undo: self._undo,
            protocol.ListUndo: self._undo,
            protocol.Snooze: self._snooze,
            protocol.PauseNotices: self._pause_notices,
            protocol.Stop: self._end,
        }

    def register(self, handlers: Mapping[type, Handler]) -> None:
        """Carry these kinds of requests out, too.

        Raises:
            ValueError: one of them has a handler already, which would never be asked again.
        """
        if twice := self._handlers.keys() & handlers.keys():
            raise ValueError(f"registered twice: {', '.join(sorted(kind.__name__ for kind in twice))}")
        self._handlers |= handlers

    async def handle(self, request: Request, reply: ReplySink) -> None:
        """Carry out one request; see daemon/ipc_connection."""
        handler = self._handlers.get(type(request))
        if handler is None:
            self._refuse_unknown_names(request)
            raise AgentNotRunning
        if file_trouble(self._loop.state) and not isinstance(request, _OF_PROGRAMS):
            # Who has just repaired a file and asks is not told of its state before that.
            self._loop.take(FilesChanged())
            await self._loop.read(READ_SECONDS)
        await reply.send(await handler(request, reply))

    def _refuse_unknown_names(self, request: Request) -> None:
        """Refuse what no agent could do either: whoever mistypes a name need not start one to learn it."""
        profile, session = getattr(request, "profile", None), getattr(request, "session", None)
        if isinstance(profile, str):
            known_profile(self._loop.state, profile)
        if isinstance(session, str):
            known_session(self._loop.state, session)

    # --- looking ----------------------------------------------------------------------------------------

    async def _ping(self, _request: protocol.Ping, _sink: ReplySink) -> Done[PingResult]:
        return Done(PingResult(os.getpid(), __version__, self._tray))

    async def _status(self, _request: protocol.Status, _sink: ReplySink) -> Done[StatusDocument]:
        return Done(self._document())

    async def _watch(self, _request: protocol.Watch, sink: ReplySink) -> NoReturn:
        async with self._loop.watching() as changed:
            while True:
                changed.clear()
                await sink.send(Update(self._document()))
                try:
                    await asyncio.wait_for(changed.wait(), WATCH_SECONDS)
                except TimeoutError:
                    continue

    def _document(self) -> StatusDocument:
        agent = AgentStatus(running=True, pid=os.getpid(), version=__version__)
        return status_document(self._loop.state, agent, self._loop.now())

    # --- credentials ------------------------------------------------------------------------------------

    async def _credentials(self, request: protocol.Credentials, sink: ReplySink) -> CredentialsIssued:
        to = Recipient(request.way, sink.caller, sink.send)
        return CredentialsIssued(await self.issued(request.profile, to))

    async def issued(self, name: str, to: Recipient) -> ProcessCredentials:
        """Return what ``credentials`` does in the form in which programs take it; raises the same."""
        credentials = await self.credentials(name, to)
        profile = self._loop.state.profiles[name].profile
        return ProcessCredentials.of(credentials, None if profile.chain else profile.account_id)

    async def credentials(self, name: str, to: Recipient) -> RoleCredentials:
        """Return role credentials that are good enough to hand out, fetched now if need be.

        Raises:
            CredtrayError: of the kind that says why there are none.
        """
        try:
            permission = None if self.guard is None else await self.guard(name, to)
            found = await self._after_a_sign_in(name, to)
            if permission is not None:  # a person is asked only where there are keys to give
                await permission()
                found = await self._good_enough(name)
        except CredtrayError as error:
            self.given(name, to, error.problem)
            raise
        self.given(name, to, None)
        return found

    async def permitted(self, name: str, to: Recipient) -> None:
        """Return when these may have the keys of a profile by a way that they open now.

        Raises:
            CredtrayError: they may not.
        """
        try:
            permission = None if self.guard is None else await self.guard(name, to)
            if permission is not None:
                await permission()
        except CredtrayError as error:
            self.given(name, to, error.problem)
            raise

    async def _after_a_sign_in(self, name: str, to: Recipient) -> RoleCredentials:
        """Return what ``_good_enough`` does; where the sign-in has ended, a person who is there is asked."""
        try:
            return await self._good_enough(name)
        except SignInRequired:
            if not await self._person.signs_in(name, to.caller, to.hear):
                raise
        return await self._good_enough(name)

    async def _good_enough(self, name: str) -> RoleCredentials:
        profile = known_profile(self._loop.state, name)
        held = answer(self._loop.state, profile, self._loop.now())
        if isinstance(held, RoleCredentials):
            return held
        self._loop.take(Asked(name))
        try:
            async with asyncio.timeout(CREDENTIALS_SECONDS):
                found = await self._answer(name)
        except TimeoutError:
            raise TimedOut(f"no credentials for {name} within {CREDENTIALS_SECONDS:.0f} s") from None
        if isinstance(found, Problem):
            raise error_for(found)
        return found

    async def _answer(self, name: str) -> RoleCredentials | Problem:
        async with self._loop.watching() as changed:
            while True:
                changed.clear()
                found = answer(self._loop.state, known_profile(self._loop.state, name), self._loop.now())
                if found is not None:
                    return found
                await changed.wait()

    # --- signing in and out -----------------------------------------------------------------------------

    async def _login(self, request: protocol.Login, sink: ReplySink) -> Done[LoginResult]:
        session = self._session(request.session)

        async def tell(progress: Progress) -> None:
            await sink.send(progress)

        return Done(await self._sign_ins.login(session.name, request, tell))

    async def _keep_person(self, request: protocol.KeepPerson, _sink: ReplySink) -> Done[KeepResult]:
        """Answer when the keys of this person are given to programs; twice is as good as once.

        Raises:
            UsageError: nobody knows who is signed in, or it is not who was meant.
        """
        session = self._session(request.session)
        name, person = session.name, session.identity.person
        if person is None or session.token is None:
            raise UsageError(
                f"It is not known who is signed in to {name}", hint=f"Run: credtray login {argument(name)}"
            )
        if request.person is not None and not same_person(request.person, person):
            raise UsageError(
                f"{plain(request.person)} is no longer signed in to {name}",
                hint="Look again: credtray status",
            )
        already = not is_other(session)
        self._loop.take(PersonKept(name, person))
        await self._loop.reached(effects.of_person(self._loop.state, name), SETTLE_SECONDS)
        return Done(KeepResult(name, person, already))

    async def _cancel_login(self, request: protocol.CancelLogin, _sink: ReplySink) -> Done[CancelResult]:
        return Done(await self._sign_ins.cancelled(self._session(request.session).session.name))

    async def _logout(self, request: protocol.Logout, sink: ReplySink) -> Done[LogoutResult]:
        name = self._session(request.session).session.name
        effect = effects.of_sign_out(self._loop.state, name)
        told_portal = await self._signed_out(name, sink)
        await self._loop.reached(effect, SETTLE_SECONDS)
        return Done(LogoutResult(name, told_portal))

    async def _signed_out(self, name: str, sink: ReplySink) -> bool:
        """Sign out, and say what it waits for when the portal takes its time; raises as ``logout`` does."""
        signing_out = asyncio.create_task(self._sign_ins.logout(name), name="sign-out")
        try:
            if not (await asyncio.wait({signing_out}, timeout=PATIENCE_SECONDS))[0]:
                await sink.send(waiting_for(name))
            return await signing_out
        finally:
            signing_out.cancel()  # the client has gone; the worker finishes what it has begun

    def _session(self, name: str | None) -> SessionState:
        state = self._loop.state
        return chosen_session(state) if name is None else known_session(state, name)

    async def _snooze(self, request: protocol.Snooze, _sink: ReplySink) -> Done[PauseResult]:
        session = self._session(request.session)
        until = self._loop.now() + timedelta(minutes=request.minutes)
        self._loop.take(Snoozed(session.name, until))
        return Done(PauseResult(whole_seconds(until)))

    async def _pause_notices(self, request: protocol.PauseNotices, _sink: ReplySink) -> Done[PauseResult]:
        until, now = request.until, self._loop.now()
        if until is not None and until - now > LONGEST_PAUSE:
            raise UsageError(f"A pause lasts at most {LONGEST_PAUSE.days}d")
        self._loop.take(NoticesPaused(None if until is None else until.astimezone(UTC)))
        return Done(PauseResult(told(self._loop.state.paused_until)))

    # --- choices ----------------------------------------------------------------------------------------

    async def _activate(self, request: protocol.Activate, sink: ReplySink) -> Done[ChoiceResult]:
        for name in request.profiles:
            known_profile(self._loop.state, name)
        if request.section is not None:
            if len(request.profiles) != 1:
                raise UsageError("Use --section with exactly one profile")
            _refuse_section(self._loop.state, request.profiles[0])
            await self._changes.set_section(self._loop, request.profiles[0], request.section)
        await self._may_be_written(request.profiles, sink)
        self._loop.take(Activated(request.profiles))
        return await self._chosen(request.profiles, Effect(request.profiles), sink)

    async def _deactivate(self, request: protocol.Deactivate, sink: ReplySink) -> Done[ChoiceResult]:
        state = self._loop.state
        for name in request.profiles:
            if name not in state.active and name != state.default and name not in state.imports:
                known_profile(state, name)
        self._loop.take(Deactivated(request.profiles))
        return await self._chosen(request.profiles, effects.of_deactivation(state, request.profiles), sink)

    async def _switch(self, request: protocol.Switch, sink: ReplySink) -> Done[ChoiceResult]:
        if request.profile is not None:
            known_profile(self._loop.state, request.profile)
            await self._may_be_written((request.profile,), sink)
        # From here to the file: core/apply/profiles, core/policy, core/desired_sections, daemon/actions.
        self._loop.take(Switched(request.profile))
        names = (request.profile,) if request.profile else ()
        return await self._chosen(names, Effect(names, (DEFAULT,)), sink)

    async def _may_be_written(self, names: tuple[str, ...], sink: ReplySink) -> None:
        """Return when whoever asks may have the keys of these profiles, which are about to be in a file."""
        for name in names:
            if name not in self._loop.state.kept:
                await self.permitted(name, Recipient(Way.FILE, sink.caller, sink.send))

    async def _chosen(self, names: tuple[str, ...], effect: Effect, sink: ReplySink) -> Done[ChoiceResult]:
        """Answer when the credentials file shows the choice, or why it does not."""
        await self._loop.reached(effect, SETTLE_SECONDS, sink.send)
        state = self._loop.state
        seen = summary(state, self._loop.now())
        chosen = (item for name, item in state.profiles.items() if name in names)
        reasons = {name: self._why_not(name) for name in names}
        return Done(
            ChoiceResult(
                tuple(profile_status(seen, item) for item in chosen),
                {name: reason for name, reason in reasons.items() if reason is not None},
                file_error(state),
                self._changes.shadowed_default(state),
            )
        )

    def _why_not(self, name: str) -> ErrorEntry | None:
        profile = self._loop.state.profiles.get(name)
        if profile is None or profile.credentials is not None or name not in self._loop.state.kept:
            return None
        found = answer(self._loop.state, profile, self._loop.now())
        session = self._loop.state.sessions.get(profile.profile.session)
        silent = self._loop.silent_portal(Effect((name,)))
        if silent is not None:
            found = TimedOut(f"the access portal of {silent} has not answered yet").problem
        if not isinstance(found, Problem) and (session is None or session.pending is None):
            return None  # they are fetched as soon as they may be
        problem = found if isinstance(found, Problem) else sign_in_required(profile.profile.session)
        return ErrorEntry.of(problem)

    async def _undo(
        self, request: protocol.Undo | protocol.ListUndo, _sink: ReplySink
    ) -> Done[UndoPlan] | Done[UndoResult]:
        if request.what == "list":
            return Done(await self._changes.plan(self._loop))
        return Done(await self._changes.undo(self._loop, request.what))

    # --- the end ----------------------------------------------------------------------------------------

    async def _end(self, request: protocol.Stop, _sink: ReplySink) -> Done[StopResult]:
        until = self._loop.now() + FOLLOWER_LIMIT if request.keep_keys else None
        self._loop.take(StopAsked(until))
        if not request.by_signal:
            # Answered first: the client sees the socket close when the agent is gone.
            asyncio.get_running_loop().call_soon(self._stop)
        return Done(StopResult(os.getpid()))


def _refuse_section(state: State, name: str) -> None:
    """Refuse a section for keys that are written into none.

    Raises:
        UsageError: the profile is delivered otherwise.
    """
    delivery = state.settings.profile(name).delivery
    if delivery is not Delivery.FILE:
        raise UsageError(
            f"{name} is delivered by {delivery.value}, so its keys are not written to the credentials file",
            hint=f"credtray settings set {toml_word(dotted(('profiles', name, 'delivery')))} file",
        )
