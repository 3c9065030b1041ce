"""The guard of the running agent: finds out who asks for keys, and has a person answer for coding agents.

Costs programs nothing whose profile is for everybody. Decides nothing itself: see ``decisions``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial

from credtray.core import protocol
from credtray.core.answers import known_profile
from credtray.core.errors import CredtrayError
from credtray.core.events import AgentsAsked
from credtray.core.notices import held
from credtray.core.ports import Notifier
from credtray.core.ports.files import Caller
from credtray.core.protocol import Done, Progress
from credtray.core.protocol.results import AgentAnswered, AgentQuestion
from credtray.core.words import plain
from credtray.daemon.awaited_person import Askers
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Handler, Permission, Recipient
from credtray.daemon.workers import Workers
from credtray.guard.agents import Asker, Process, asker_in, name_in
from credtray.guard.decisions import (
    Decisions,
    Rule,
    Verdict,
    by_itself,
    key_of,
    never,
    notification,
    rule_for,
    said_no,
    too_many,
    unanswered,
)
from credtray.guard.process_tree import chain_above
from credtray.history.callers import program_at

_log = logging.getLogger(__name__)

WAIT_SECONDS = 45.0
"""So long a command waits for a person. The SDK for Go gives up on a credential process after a minute."""
ENDPOINT_SECONDS = 1.0
"""At the endpoint nobody waits longer than its own 1.4 s: SDKs give up after 2 s and ask again."""
STEP = "coding_agent"
"""The kind of progress that tells a client that a person is asked: it waits longer then."""
_HOST = "127.0.0.1"

Look = Callable[[int], tuple[Process, ...]]
"""Returns a process and those above it."""


class Gate(Askers):
    """The guard of one running agent. Used on the loop's thread only."""

    tells = True

    def __init__(self, loop: Loop, workers: Workers, notifier: Notifier, look: Look = chain_above) -> None:
        """Join its parts.

        Args:
            loop: whose state has the settings, and shows the questions.
            workers: whose threads look at processes and show notifications.
            notifier: where a person is asked.
            look: for tests.
        """
        self._loop = loop
        self._workers = workers
        self._notifier = notifier
        self._look = look
        self._decisions = Decisions()
        self._answered = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._shown: set[str] = set()
        """Keys of the notifications on the screen."""
        self.wait_seconds = WAIT_SECONDS
        self.handlers: Mapping[type, Handler] = {protocol.AnswerAgent: self._answer}

    # --- requests ---------------------------------------------------------------------------------------

    async def permission(self, profile: str, to: Recipient) -> Permission | None:
        """Return None where nobody has to be asked; else what waits for a person's yes.

        Raises:
            CodingAgentRefused: this profile is for no coding agent.
        """
        rule = rule_for(self._loop.state.settings, profile)
        if rule is Rule.ALLOW or to.caller is None:
            return None
        asker = await self._asker(to.caller)
        if asker is None:
            return None
        if rule is Rule.NEVER:
            raise never(profile, asker.agent)
        return lambda: self._permitted(profile, to, asker)

    async def name(self, caller: Caller) -> str:
        """Return what a person calls the program that asks; empty where that cannot be found out."""
        return name_in(await self._chain(caller), ours=isinstance(caller, int))

    async def clicks_first(self, caller: Caller) -> bool:
        """Tell whether a sign-in for these begins with a click: no coding agent opens a browser window."""
        return await self._asker(caller) is not None

    async def _asker(self, caller: Caller) -> Asker | None:
        """Return the coding agent behind whoever asks; None where there is none, or none is found."""
        return asker_in(await self._chain(caller))

    async def _chain(self, caller: Caller) -> tuple[Process, ...]:
        port = self._loop.state.endpoint.port

        def look() -> tuple[Process, ...]:
            if isinstance(caller, int):
                return self._look(caller)
            program = None if caller is None or port is None else program_at(caller, (_HOST, port))
            return () if program is None else self._look(program.pid)

        try:
            return await self._workers.desktop_result_of(look)
        except CredtrayError as error:  # told in the log; whom nobody can name is not kept out
            _log.warning("it could not be found out who asks: %s", error)
            return ()

    async def _permitted(self, profile: str, to: Recipient, asker: Asker) -> None:
        """Return as soon as a person allows it.

        Raises:
            CodingAgentRefused: they do not, or not in time.
        """
        at_endpoint = not isinstance(to.caller, int)
        seconds = ENDPOINT_SECONDS if at_endpoint else self.wait_seconds
        waits = timedelta(seconds=self.wait_seconds)
        verdict = self._verdict(profile, asker)
        if verdict is None:
            with self._asking(profile, asker, may_ask_again=at_endpoint):
                if to.hear is not None:
                    text = f"Waiting for you to allow {asker.agent.label} to use {plain(profile)} ..."
                    await to.hear(Progress(STEP, text=text))
                verdict = await self._said(profile, asker, seconds)
        if verdict is Verdict.NO:
            raise said_no(profile, asker.agent)
        if verdict is Verdict.TOO_MANY:
            raise too_many(profile, asker.agent)
        if verdict is not Verdict.YES:
            raise unanswered(profile, asker.agent, waits)

    def _verdict(self, profile: str, asker: Asker) -> Verdict | None:
        return self._decisions.verdict(self._loop.state, profile, asker, self._loop.now())

    async def _said(self, profile: str, asker: Asker, seconds: float) -> Verdict | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (verdict := self._verdict(profile, asker)) is None:
                    await self._answered.wait()
                return verdict
        return None

    @contextlib.contextmanager
    def _asking(self, profile: str, asker: Asker, *, may_ask_again: bool) -> Iterator[None]:
        """Have the question open while the block runs."""
        self._decisions.ask(profile, asker, self._loop.now())
        self._publish()
        in_vain = False
        try:
            yield
            in_vain = not may_ask_again and self._verdict(profile, asker) is None
        finally:
            self._decisions.leave(profile, asker, self._loop.now(), in_vain=in_vain)
            self._publish()

    # --- the person ---------------------------------------------------------------------------------------

    async def _answer(self, request: protocol.AnswerAgent, sink: ReplySink) -> Done[AgentAnswered]:
        """Take what a person said, by whatever way.

        Raises:
            CodingAgentRefused: it is a coding agent that would allow itself.
            UnknownProfile: there is no such profile.
        """
        known_profile(self._loop.state, request.profile)
        if request.allow and sink.caller is not None:
            asker = await self._asker(sink.caller)
            if asker is not None:
                raise by_itself(asker.agent)
        agents = self._decisions.answer(self._loop.state, request, self._loop.now())
        for agent in agents:
            said = "may" if request.allow else "may not"
            _log.info("%s (pid %d) %s use %s", agent.label, agent.pid, said, plain(request.profile))
        self._answered.set()
        self._answered = asyncio.Event()
        self._publish()
        return Done(AgentAnswered(request.profile, tuple(agent.label for agent in agents), request.allow))

    def _publish(self) -> None:
        """Let menu, page and `status` see what is open, ask for what is new, and take back what is over."""
        state, now = self._loop.state, self._loop.now()
        self._decisions.forget(state, now)
        questions = self._decisions.questions()
        if questions != state.questions:
            self._loop.take(AgentsAsked(questions))
        if not held(state, now):
            for question in self._decisions.to_show():
                self._show(question)
        for key in self._shown - {key_of(question) for question in questions}:
            self._shown.discard(key)
            self._workers.notices(partial(self._notifier.withdraw, key), _ignore, _ignore)
        self._look_again()

    def _show(self, question: AgentQuestion) -> None:
        self._shown.add(key_of(question))
        told = notification(self._loop.state, question, timedelta(seconds=self.wait_seconds))
        self._workers.notices(lambda: self._notifier.show(told), _ignore, _ignore)

    def _look_again(self) -> None:
        """Look once more when a question may be over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        change = self._decisions.next_change()
        if change is not None:
            seconds = max(1.0, (change - self._loop.now()).total_seconds())
            self._timer = asyncio.get_running_loop().call_later(seconds, self._publish)


def _ignore(_outcome: object) -> None:
    """Nothing follows: menu, page and `credtray allow` ask as well."""
