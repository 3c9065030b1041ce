"""A command waits for its own effect: a portal that hangs elsewhere does not hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from credtray.core import protocol
from credtray.core.effects import Effect
from credtray.core.errors import CredtrayError, Offline, Problem, TimedOut
from credtray.core.events import Activated, ConfigLoaded, Synced, TokenVanished
from credtray.core.models import Secret
from credtray.core.protocol import Done, Progress
from credtray.daemon.import_requests import ImportRequests
from credtray.daemon.loop import LoopOptions
from credtray.daemon.workers import Workers
from tests.core.making import NOON, config, profile, session, writing
from tests.daemon.fakes import Daemon, Sink, SlowPool, run

T = TypeVar("T")

SILENCE = 30.0
"""Seconds until a portal that hangs is given up in most of these tests."""
KEYS = protocol.ImportKeys("pasted", "ASIAPASTED", Secret("s"), Secret("t"), NOON + timedelta(minutes=50))
WAITS = Progress("portal", text="lab: waiting for the access portal ...")


class SlowWorkers(Workers):
    """Portals that answer after a while, or not at all."""

    def __init__(self, disk_seconds: float) -> None:
        super().__init__(lambda name, most: SlowPool(name, most, lambda: disk_seconds))
        self.silent: dict[str, float] = {}
        """Session -> seconds until a call is given up."""

    def portal(
        self,
        session: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Problem], None],
        *,
        counted: bool = True,
    ) -> None:
        def answered() -> T:
            if session in self.silent:
                raise Offline("no answer within 10 s")
            return work()

        pool = SlowPool("portal", 9, lambda: self.silent.get(session, 0.1))
        self._portal.setdefault(session, pool)
        super().portal(session, answered, done, failed, counted=counted)


class World:
    """Signed in to corp and lab; from ``hang`` on lab's portal answers nothing."""

    def __init__(self, disk_seconds: float = 0.01) -> None:
        self.workers = SlowWorkers(disk_seconds)
        self.daemon = Daemon(workers=self.workers)
        sessions = (session("corp"), replace(session("lab"), start_url="https://d-1.awsapps.com/start"))
        profiles = (profile("dev"), profile("ro"), profile("far", "lab"), profile("wide", "lab"))
        self.daemon.config.content = config(*profiles, sessions=sessions)
        self.daemon.requests.register(ImportRequests(self.daemon.loop).handlers)

    async def signed_in(self) -> World:
        await self.daemon.started()
        for name in ("corp", "lab"):
            await self.daemon.ask(protocol.Login(name))
        await self.daemon.ask(protocol.Activate(("dev",)))
        return self

    def hang(self, seconds: float = SILENCE) -> None:
        self.workers.silent["lab"] = seconds

    async def hanging(self) -> World:
        """A call of lab's portal has been unanswered for five seconds."""
        await self.signed_in()
        self.hang()
        self.daemon.loop.take(Activated(("far",)))
        await asyncio.sleep(5)
        return self

    @property
    def unanswered(self) -> bool:
        return self.daemon.state.profiles["far"].fetching

    async def asked(self, request: protocol.Request) -> Asked:
        began, sink = asyncio.get_running_loop().time(), Sink()
        await self.daemon.requests.handle(request, sink)
        assert isinstance(sink.final, Done)
        return Asked(sink.final.result, asyncio.get_running_loop().time() - began, sink.progress)


class Asked:
    """One request that was answered."""

    def __init__(self, result: Any, seconds: float, progress: list[Progress]) -> None:
        self.result, self.seconds, self.progress = result, seconds, progress


# --- beside a portal that hangs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "sections"),
    [
        (protocol.Switch("dev"), {"dev", "default"}),
        (protocol.Switch("ro"), {"dev", "default"}),
        (protocol.Switch(None), {"dev"}),
        (protocol.Activate(("ro",)), {"dev", "ro"}),
        (protocol.Deactivate(("dev",)), set()),
        (protocol.Logout("corp"), set()),
        (protocol.Login("corp", fresh=True, agreed=True), {"dev"}),
        (KEYS, {"dev", "pasted"}),
        (protocol.Undo(), set()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_command_is_not_held_up_by_another_sessions_portal(
    request_: protocol.Request, sections: set[str]
) -> None:
    async def drive() -> None:
        world = await World().hanging()
        asked = await world.asked(request_)

        assert asked.seconds < 1
        assert asked.progress == [] or isinstance(request_, protocol.Login)
        assert world.unanswered or isinstance(request_, protocol.Undo)
        assert world.daemon.credentials.sections.keys() == sections

    run(drive())


def test_two_commands_at_once_wait_each_for_its_own_session() -> None:
    async def drive() -> None:
        world = await World().hanging()
        far = asyncio.create_task(world.asked(protocol.Switch("far")))
        near = await world.asked(protocol.Activate(("ro",)))

        assert near.seconds < 1
        assert not far.done()
        assert (await far).seconds > 10

    run(drive())


# --- of the session whose portal hangs -------------------------------------------------------------------


def test_whoever_asks_a_portal_that_hangs_hears_at_once_what_it_waits_for() -> None:
    async def drive() -> None:
        world, sink = await World().hanging(), Sink()
        task = asyncio.create_task(world.daemon.requests.handle(protocol.Switch("far"), sink))
        await asyncio.sleep(0.01)

        assert sink.progress == [WAITS]
        assert not task.done()
        await task

    run(drive())


def test_a_portal_that_answers_soon_is_not_spoken_of() -> None:
    async def drive() -> list[Progress]:
        world = await World().signed_in()
        return (await world.asked(protocol.Switch("far"))).progress

    assert run(drive()) == []


@pytest.mark.parametrize(
    ("limit", "seconds", "code"), [(10.0, 10.5, Offline.code), (30.0, 15.1, TimedOut.code)]
)
def test_it_ends_with_the_true_cause(limit: float, seconds: float, code: str) -> None:
    async def drive() -> None:
        world = await World().signed_in()
        world.hang(limit)
        asked = await world.asked(protocol.Switch("far"))

        assert asked.progress == [WAITS]
        assert asked.seconds < seconds
        assert asked.result.reasons["far"].code == code

    run(drive())


def test_signing_out_of_a_portal_that_hangs_says_so_and_is_done_when_it_is_given_up() -> None:
    async def drive() -> None:
        world, sink = await World().hanging(), Sink()
        with pytest.raises(CredtrayError):
            await world.daemon.requests.handle(protocol.Logout("lab"), sink)

        assert sink.progress == [WAITS]

    run(drive())


# --- not too early ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev", "ro"])
def test_the_answer_comes_when_the_choice_is_on_the_disk(name: str) -> None:
    async def drive() -> None:
        world = await World(disk_seconds=2.0).signed_in()
        asked = await world.asked(protocol.Switch(name))

        assert asked.progress == []
        assert world.daemon.credentials.sections["default"].profile == name
        assert f'"default":"{name}"'.encode() in world.daemon.state_file.document.replace(b" ", b"")

    run(drive())


def test_a_rewrite_for_an_earlier_choice_is_not_taken_for_ones_own() -> None:
    async def drive() -> None:
        world = await World(disk_seconds=2.0).signed_in()
        await world.asked(protocol.Activate(("dev", "ro")))
        await world.asked(protocol.Switch("dev"))
        away = asyncio.create_task(world.asked(protocol.Switch("ro")))
        await asyncio.sleep(1)
        back = await world.asked(protocol.Switch("dev"))

        assert back.seconds > 2
        assert world.daemon.credentials.sections["default"].profile == "dev"
        await away

    run(drive())


# --- what happens meanwhile ------------------------------------------------------------------------------


async def meanwhile(event: Callable[[World], object]) -> Asked:
    world = await World().hanging()
    task = asyncio.create_task(world.asked(protocol.Switch("far")))
    await asyncio.sleep(1)
    event(world)
    return await task


def test_signing_out_meanwhile_is_an_answer() -> None:
    asked = run(meanwhile(lambda world: world.daemon.loop.take(TokenVanished("lab"))))

    assert asked.seconds < 1.5
    assert asked.result.reasons["far"].hint == "Run: credtray login lab"


def test_a_session_that_is_gone_meanwhile_is_an_answer() -> None:
    gone = ConfigLoaded(config(profile("dev")))
    asked = run(meanwhile(lambda world: world.daemon.loop.take(gone)))

    assert asked.seconds < 1.5
    assert asked.result.profiles == ()


def test_a_choice_that_is_taken_back_meanwhile_is_not_waited_for() -> None:
    async def drive() -> None:
        world = await World().signed_in()
        world.hang()
        first = asyncio.create_task(world.asked(protocol.Switch("far")))
        await asyncio.sleep(2)
        await world.asked(protocol.Switch("dev"))

        assert (await first).seconds < 3

    run(drive())


def test_the_end_of_the_agent_is_not_held_up() -> None:
    async def drive() -> float:
        world = await World().hanging()
        task = asyncio.create_task(world.asked(protocol.Switch("far")))
        await asyncio.sleep(1)
        await world.daemon.loop.stop(2)
        return (await task).seconds

    assert run(drive()) < 2


def test_an_event_alone_ends_the_wait() -> None:
    async def drive() -> bool:
        daemon = await Daemon(conduct=LoopOptions(saves=False)).started()
        daemon.loop.take(writing())
        task = asyncio.create_task(daemon.loop.reached(Effect(sections=("dev",)), 15))
        await asyncio.sleep(1)
        daemon.loop.take(Synced((), {}))
        await asyncio.sleep(0.01)
        return task.done() and await task

    assert run(drive())


def test_a_client_that_hangs_up_leaves_its_choice_and_nothing_else() -> None:
    async def drive() -> None:
        world = await World().signed_in()
        world.hang(3)
        task = asyncio.create_task(world.asked(protocol.Switch("far")))
        await asyncio.sleep(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        world.workers.silent.clear()
        await asyncio.sleep(120)

        assert world.daemon.state.default == "far"
        assert world.daemon.credentials.sections["default"].profile == "far"

    run(drive())


def test_a_disk_that_hangs_ends_the_wait_as_well() -> None:
    async def drive() -> float:
        world = await World().signed_in()
        world.daemon.loop.take(writing())  # and it never ends
        return (await world.asked(protocol.Switch("ro"))).seconds

    assert run(drive()) == pytest.approx(15)
