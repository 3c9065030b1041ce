"""A coding agent asks for keys: one question, a person's answer by any way, and an end to the waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CodingAgentRefused,
    CredtrayError,
    NotInTime,
    SignInRequired,
    SignInTooShort,
    UnknownProfile,
)
from credtray.core.events import PartChanged, PresenceChanged, SettingsLoaded
from credtray.core.models import Way
from credtray.core.ports import DesktopPart, Part, Presence
from credtray.core.ports.files import Caller
from credtray.core.protocol import CredentialsIssued, Done, Progress, Reply
from credtray.core.protocol.results import AgentAnswered
from credtray.core.settings import ProfileSettings, Settings
from credtray.daemon.endpoint import Endpoint
from credtray.daemon.requests import Recipient
from credtray.daemon.waiting_requests import WaitingRequests
from credtray.guard.agents import Asker, Process, asker_in
from credtray.guard.gate import STEP, WAIT_SECONDS, Gate
from tests.daemon.fakes import Daemon, Sink, run
from tests.daemon.test_endpoint import FakePort, MemoryStore

PERSON, COMMAND, ANOTHER, OF_CODEX = 100, 200, 201, 300
TITLE = "Claude Code (pid 4711) wants the keys of dev"


def look(pid: int) -> tuple[Process, ...]:
    """Return a person's terminal, two commands of Claude Code, and one of Codex."""
    own = Process((pid, pid), frozenset({"credtray"}))
    terminal = Process((50, 50), frozenset({"bash"}))
    if pid == PERSON:
        return own, terminal
    agent = ("codex", 4800) if pid == OF_CODEX else ("claude", 4711)
    return own, Process((agent[1], 1), frozenset({agent[0]})), terminal


class Guarded:
    """A daemon with a gate, signed in, whose profile `dev` has this setting."""

    def __init__(self, agents: str | None = "ask", *, production: bool = False) -> None:
        self.daemon = Daemon("dev", "other")
        dev = ProfileSettings(agents=agents, production=production)
        self.daemon.settings.content = Settings(profiles={"dev": dev})
        self.gate = Gate(self.daemon.loop, self.daemon.workers, self.daemon.notifier, look)
        self.daemon.requests._person.askers = self.gate
        self.daemon.requests.guard = self.gate.permission
        self.daemon.requests.register(self.gate.handlers)
        self.heard: list[tuple[str, str | None]] = []
        self.daemon.requests.given = lambda profile, _to, problem: self.heard.append(
            (profile, None if problem is None else problem.code)
        )

    async def ask(self, request: protocol.Request, caller: int | None, sink: Sink | None = None) -> Reply:
        sink = sink or Sink()
        sink.caller = caller
        await self.daemon.requests.handle(request, sink)
        assert sink.final is not None
        return sink.final

    async def keys(self, caller: int | None = COMMAND, profile: str = "dev") -> Reply:
        return await self.ask(protocol.Credentials(profile), caller)

    async def asked(self, count: int = 1) -> None:
        """Return when so many requests wait."""
        async with self.daemon.loop.watching() as changed:
            while sum(each.waiting for each in self.daemon.state.questions) < count:
                changed.clear()
                await changed.wait()
        await asyncio.sleep(1)  # the notification is shown by a thread

    async def answer(self, *, allow: bool = True, until_end: bool = False, caller: int | None = None) -> None:
        request = protocol.AnswerAgent("dev", allow, until_end)
        reply = await self.ask(request, caller)
        assert isinstance(reply, Done)

    @property
    def on_screen(self) -> list[str]:
        return [each.title for each in self.daemon.notifier.there.values()]


def guarded(
    drive: Callable[[Guarded], Coroutine[Any, Any, None]],
    agents: str | None = "ask",
    *,
    production: bool = False,
) -> None:
    async def work() -> None:
        scene = Guarded(agents, production=production)
        await scene.daemon.signed_in()
        await asyncio.sleep(6 * 60)  # the news of it is over
        scene.daemon.notifier.shown.clear()
        await drive(scene)

    run(work())


def test_keys_are_for_everybody_where_the_setting_says_so() -> None:
    async def drive(scene: Guarded) -> None:
        assert isinstance(await scene.keys(), CredentialsIssued)
        assert scene.daemon.notifier.shown == []

    guarded(drive, "allow")


def test_a_person_gets_keys_without_being_asked() -> None:
    async def drive(scene: Guarded) -> None:
        assert isinstance(await scene.keys(PERSON), CredentialsIssued)
        assert isinstance(await scene.keys(None), CredentialsIssued)

    guarded(drive)


def test_never_is_refused_at_once_and_says_what_to_tell_the_person() -> None:
    async def drive(scene: Guarded) -> None:
        with pytest.raises(CodingAgentRefused, match=r"Claude Code \(pid 4711\)") as refused:
            await scene.keys()

        assert "credtray settings set" in refused.value.advice
        assert scene.daemon.portal.counted["fetch"] == 0
        assert scene.heard == [("dev", "coding_agent_refused")]

    guarded(drive, "never")


@pytest.mark.parametrize("until_end", [False, True])
def test_the_keys_come_with_the_click(until_end: bool) -> None:  # noqa: FBT001 -- a parameter
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        (notice,) = scene.daemon.notifier.there.values()
        assert notice.title == TITLE
        click = notice.buttons[1 if until_end else 0].click
        assert isinstance(click, protocol.AnswerAgent)
        await scene.ask(click, None)

        assert isinstance(await waiting, CredentialsIssued)
        assert isinstance(await scene.keys(), CredentialsIssued)
        assert scene.daemon.state.questions == ()
        await asyncio.sleep(1)
        assert scene.on_screen == []
        assert scene.daemon.notifier.shown == [TITLE]

    guarded(drive)


def test_until_the_sign_in_ends_is_for_every_command_of_that_agent_only() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        await scene.answer(until_end=True)
        await waiting

        assert isinstance(await scene.keys(ANOTHER), CredentialsIssued)
        of_codex = asyncio.create_task(scene.keys(OF_CODEX))
        await scene.asked()
        assert [each.agent for each in scene.daemon.state.questions] == ["Codex"]
        await scene.answer(allow=False)
        with pytest.raises(CodingAgentRefused):
            await of_codex

    guarded(drive)


def test_no_is_told_and_asked_no_more() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        await scene.answer(allow=False)
        with pytest.raises(CodingAgentRefused, match="the answer was no") as refused:
            await waiting
        with pytest.raises(CodingAgentRefused, match="the answer was no"):
            await scene.keys(ANOTHER)

        assert "credtray allow dev" in refused.value.advice
        assert scene.daemon.notifier.shown == [TITLE]

    guarded(drive)


def test_many_requests_of_an_agent_are_one_notification_and_one_click() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = [asyncio.create_task(scene.keys(caller)) for caller in (COMMAND, ANOTHER) * 10]
        await scene.asked(20)
        await scene.answer()

        assert all(isinstance(each, CredentialsIssued) for each in await asyncio.gather(*waiting))
        assert scene.daemon.notifier.shown == [TITLE]

    guarded(drive)


def test_nobody_waits_for_ever_and_the_next_try_can_be_allowed() -> None:
    async def drive(scene: Guarded) -> None:
        began = asyncio.get_running_loop().time()
        with pytest.raises(CodingAgentRefused, match="nobody answered within 45 s") as refused:
            await scene.keys()
        waited = asyncio.get_running_loop().time() - began

        assert WAIT_SECONDS <= waited < WAIT_SECONDS + 5
        assert "credtray allow dev" in refused.value.advice
        with pytest.raises(CodingAgentRefused):
            await scene.keys()  # the same command: at once
        assert asyncio.get_running_loop().time() - began < WAIT_SECONDS + 10
        assert scene.on_screen == [TITLE]
        await scene.answer()
        assert isinstance(await scene.keys(ANOTHER), CredentialsIssued)

    guarded(drive)


def test_a_question_that_nobody_answers_leaves_the_screen() -> None:
    async def drive(scene: Guarded) -> None:
        with pytest.raises(CodingAgentRefused):
            await scene.keys()
        await asyncio.sleep(11 * 60)

        assert scene.on_screen == []
        assert scene.daemon.state.questions == ()

    guarded(drive)


def test_a_command_that_goes_away_waits_no_longer() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

        assert [each.waiting for each in scene.daemon.state.questions] == [0]

    guarded(drive)


def test_the_client_hears_that_a_person_is_asked() -> None:
    async def drive(scene: Guarded) -> None:
        sink = Sink()
        waiting = asyncio.create_task(scene.ask(protocol.Credentials("dev"), COMMAND, sink))
        await scene.asked()
        await scene.answer()
        await waiting

        assert sink.progress == [Progress(STEP, text="Waiting for you to allow Claude Code to use dev ...")]

    guarded(drive)


def test_an_agent_cannot_allow_itself_and_can_refuse_itself() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        with pytest.raises(CodingAgentRefused, match="cannot allow itself"):
            await scene.answer(caller=ANOTHER)
        assert not waiting.done()
        await scene.answer(allow=False, caller=ANOTHER)
        with pytest.raises(CodingAgentRefused):
            await waiting

    guarded(drive)


def test_a_person_in_a_terminal_can_allow_it() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        await scene.answer(caller=PERSON)

        assert isinstance(await waiting, CredentialsIssued)

    guarded(drive)


def test_nobody_is_asked_for_keys_that_are_not_there() -> None:
    async def drive(scene: Guarded) -> None:
        await scene.daemon.ask(protocol.Logout("corp"))
        with pytest.raises(SignInRequired):
            await scene.keys()

        assert scene.daemon.state.questions == ()

    guarded(drive)


def test_production_is_asked_for_without_any_setting() -> None:
    async def drive(scene: Guarded) -> None:
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        (notice,) = scene.daemon.notifier.there.values()
        waiting.cancel()

        assert "This is production." in notice.body

    guarded(drive, None, production=True)


def test_while_nobody_would_see_it_nothing_is_shown_but_the_menu_has_it() -> None:
    async def drive(scene: Guarded) -> None:
        scene.daemon.loop.take(PresenceChanged(Presence(locked=True)))
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()

        assert scene.on_screen == []
        assert [each.profile for each in scene.daemon.state.questions] == ["dev"]
        scene.daemon.loop.take(PresenceChanged(Presence()))
        again = asyncio.create_task(scene.keys(ANOTHER))
        await scene.asked(2)
        assert scene.on_screen == [TITLE]
        await scene.answer()
        await asyncio.gather(waiting, again)

    guarded(drive)


def test_an_agent_does_not_share_what_it_may_not_have_and_a_person_does() -> None:
    async def drive(scene: Guarded) -> None:
        with pytest.raises(CodingAgentRefused):
            await scene.gate.permission("dev", Recipient(Way.SHARE, COMMAND))
        assert await scene.gate.permission("dev", Recipient(Way.SHARE, PERSON)) is None

    guarded(drive, "never")


@pytest.mark.parametrize("request_of_a_file", [protocol.Activate(("dev",)), protocol.Switch("dev")])
def test_an_agent_does_not_have_keys_written_that_it_may_not_have(
    request_of_a_file: protocol.Request,
) -> None:
    async def drive(scene: Guarded) -> None:
        with pytest.raises(CodingAgentRefused):
            await scene.ask(request_of_a_file, COMMAND)
        assert scene.daemon.state.kept == ()
        assert isinstance(await scene.ask(request_of_a_file, PERSON), Done)
        assert isinstance(await scene.ask(request_of_a_file, COMMAND), Done)  # they are there already

    guarded(drive, "never")


def test_an_agent_does_not_open_the_endpoint_of_a_profile_it_may_not_have() -> None:
    async def drive(scene: Guarded) -> None:
        daemon = scene.daemon
        endpoint = Endpoint(
            daemon.loop, daemon.requests, MemoryStore(), lambda _port: FakePort(20001), lambda _secret: None
        )
        daemon.requests.register(endpoint.handlers)
        with pytest.raises(CodingAgentRefused):
            await scene.ask(protocol.Endpoint("dev"), COMMAND)
        assert isinstance(await scene.ask(protocol.Endpoint("other"), COMMAND), Done)
        assert isinstance(await scene.ask(protocol.Endpoint("dev"), PERSON), Done)

    guarded(drive, "never")


def test_at_the_endpoint_nobody_waits_long() -> None:
    async def drive(scene: Guarded) -> None:
        recipient = Recipient(Way.ENDPOINT, ("127.0.0.1", 40000))
        scene.gate._asker = _claude  # type: ignore[method-assign, assignment]  # a connection needs a kernel
        began = asyncio.get_running_loop().time()
        for _ in range(2):  # SDKs ask again, and are not refused because they did not wait
            with pytest.raises(CodingAgentRefused):
                await scene.daemon.requests.credentials("dev", recipient)
        assert asyncio.get_running_loop().time() - began >= 2
        assert asyncio.get_running_loop().time() - began < 6
        await scene.answer()
        await scene.daemon.requests.credentials("dev", recipient)

    guarded(drive)


async def _claude(_caller: Caller) -> Asker | None:
    return asker_in(look(COMMAND))


def test_who_cannot_be_looked_at_gets_keys() -> None:
    async def drive(scene: Guarded) -> None:
        def fail(_pid: int) -> tuple[Process, ...]:
            raise CredtrayError("no table")

        scene.gate._look = fail

        assert isinstance(await scene.keys(), CredentialsIssued)

    guarded(drive)


def test_an_answer_about_no_profile_is_refused_and_one_to_nobody_changes_nothing() -> None:
    async def drive(scene: Guarded) -> None:
        with pytest.raises(UnknownProfile):
            await scene.ask(protocol.AnswerAgent("dve", True), None)
        reply = await scene.ask(protocol.AnswerAgent("dev", True, until_sign_in_ends=True), None)
        assert reply == Done(AgentAnswered("dev", (), allowed=True))
        waiting = asyncio.create_task(scene.keys())
        await scene.asked()
        waiting.cancel()

    guarded(drive)


def test_a_setting_that_changes_counts_at_once() -> None:
    async def drive(scene: Guarded) -> None:
        scene.daemon.loop.take(SettingsLoaded(Settings(profiles={"dev": ProfileSettings(agents="never")})))
        with pytest.raises(CodingAgentRefused, match="never"):
            await scene.keys()

    guarded(drive)


# --- who waits for a sign-in -------------------------------------------------------------------------


async def sign_in_ended(scene: Guarded) -> None:
    """Let the sign-in end while somebody is there to be told."""
    scene.daemon.loop.take(PartChanged(DesktopPart(Part.NOTIFICATIONS, "fake")))
    await asyncio.sleep(9 * 3600)
    assert [each.ended for each in scene.daemon.state.sessions.values()] == [True]


def test_programs_that_meet_an_ended_sign_in_wait_together_and_go_on_with_the_click() -> None:
    async def drive(scene: Guarded) -> None:
        await sign_in_ended(scene)
        askers = (PERSON, COMMAND, ANOTHER, OF_CODEX)
        waiting = [asyncio.create_task(scene.keys(caller, "other")) for caller in askers]
        await asyncio.sleep(5)

        (notice,) = scene.daemon.notifier.there.values()
        assert notice.title == "corp: A terminal, Claude Code and 1 other wait for you to sign in"
        await scene.ask(notice.buttons[0].click, None)  # type: ignore[arg-type]  # it is a request
        assert all(isinstance(each, CredentialsIssued) for each in await asyncio.gather(*waiting))
        assert scene.daemon.state.sessions["corp"].awaited == frozenset()

    guarded(drive, None)


def test_nobody_waits_longer_than_45_seconds_for_a_sign_in() -> None:
    async def drive(scene: Guarded) -> None:
        await sign_in_ended(scene)
        began = asyncio.get_running_loop().time()
        with pytest.raises(SignInRequired):
            await scene.keys()

        assert 45 <= asyncio.get_running_loop().time() - began < 47

    guarded(drive, None)


@pytest.mark.parametrize("away", [Presence(locked=True), None])
def test_where_nobody_is_told_nobody_is_waited_for(away: Presence | None) -> None:
    async def drive(scene: Guarded) -> None:
        await sign_in_ended(scene)
        nobody = PartChanged(DesktopPart(Part.NOTIFICATIONS, None, "no service"))
        scene.daemon.loop.take(nobody if away is None else PresenceChanged(away))
        began = asyncio.get_running_loop().time()
        with pytest.raises(SignInRequired):
            await scene.keys()

        assert asyncio.get_running_loop().time() - began < 2

    guarded(drive, None)


def test_at_the_endpoint_a_program_is_named_and_does_not_wait() -> None:
    async def drive(scene: Guarded) -> None:
        await sign_in_ended(scene)
        scene.gate._chain = _chain_of_claude  # type: ignore[method-assign, assignment]  # needs a kernel
        for _ in range(5):
            with pytest.raises(SignInRequired):
                await scene.daemon.requests.credentials("dev", Recipient(Way.ENDPOINT, ("127.0.0.1", 40000)))
            await asyncio.sleep(1)

        assert scene.on_screen == ["corp: Claude Code waits for you to sign in"]
        told = [title for title in scene.daemon.notifier.shown if "Claude Code" in title]
        assert len(told) == 1

    guarded(drive, None)


async def _chain_of_claude(_caller: Caller) -> tuple[Process, ...]:
    return look(COMMAND)[1:]


def test_the_hook_of_a_coding_agent_opens_no_window_before_the_click() -> None:
    async def drive(scene: Guarded) -> None:
        waits = WaitingRequests(scene.daemon.loop, scene.daemon.sign_ins, askers=scene.gate)
        scene.daemon.requests.register(waits.handlers)
        await sign_in_ended(scene)
        visits = len(scene.daemon.browser.opened)
        request = protocol.Wait("dev", 60, timeout=600, login=True)
        hooks = [asyncio.create_task(scene.ask(request, caller)) for caller in (COMMAND, OF_CODEX)]
        await asyncio.sleep(5)

        assert len(scene.daemon.browser.opened) == visits
        assert scene.on_screen == ["corp: Claude Code and Codex wait for you to sign in"]
        await scene.daemon.ask(protocol.Login("corp"))
        assert all(isinstance(each, Done) for each in await asyncio.gather(*hooks))
        assert len(scene.daemon.browser.opened) == visits + 1

    guarded(drive, None)


@pytest.mark.parametrize("timeout", [0, 5])
def test_nor_does_it_where_nobody_can_be_told(timeout: int) -> None:
    async def drive(scene: Guarded) -> None:
        waits = WaitingRequests(scene.daemon.loop, scene.daemon.sign_ins, askers=scene.gate)
        scene.daemon.requests.register(waits.handlers)
        await sign_in_ended(scene)
        scene.daemon.loop.take(PartChanged(DesktopPart(Part.NOTIFICATIONS, None, "no service")))
        visits = len(scene.daemon.browser.opened)
        with pytest.raises(NotInTime if timeout else SignInTooShort) as refused:
            await scene.ask(protocol.Wait("dev", 60, timeout=timeout, login=True), COMMAND)

        assert "credtray login corp" in refused.value.advice
        assert len(scene.daemon.browser.opened) == visits

    guarded(drive, None)


def test_a_person_at_a_terminal_needs_no_click() -> None:
    async def drive(scene: Guarded) -> None:
        waits = WaitingRequests(scene.daemon.loop, scene.daemon.sign_ins, askers=scene.gate)
        scene.daemon.requests.register(waits.handlers)
        await sign_in_ended(scene)

        assert isinstance(await scene.ask(protocol.Wait("dev", 60, timeout=600, login=True), PERSON), Done)

    guarded(drive, None)
