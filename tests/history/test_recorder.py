"""The history of a running daemon: what is kept, when it is written, and that it stops nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import CredtrayError, FileUnwritable, Offline, PortalFailed, RoleRefused
from credtray.core.events import Event, PresenceChanged, Stopping, Woke
from credtray.core.models import Way
from credtray.core.ports import Presence
from credtray.core.settings import Settings
from credtray.core.state import State
from credtray.daemon.loop import LoopOptions
from credtray.daemon.requests import Recipient
from credtray.history import recorder as module
from credtray.history.callers import Program
from credtray.history.entries import Entry, Kind
from credtray.history.journal import Journal
from credtray.history.recorder import Recorder
from tests.core.making import MINUTE
from tests.daemon.fakes import Daemon, run


class FakeJournal(Journal):
    """Keeps what is written; may break."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.written: list[Entry] = []
        self.problem: CredtrayError | None = None
        self.tries = 0

    def append(self, entries: Any) -> None:
        self.tries += 1
        if self.problem is not None:
            raise self.problem
        self.written += entries


class World:
    """A daemon whose history is kept in memory."""

    def __init__(self, *names: str, **options: Any) -> None:
        self.journal = FakeJournal()
        self.daemon = Daemon(*names, conduct=LoopOptions(changed=self.changed), **options)
        self.recorder = Recorder(
            self.journal,
            self.daemon.workers,
            self.daemon.clock.now,
            lambda: self.daemon.state,
            lambda text: text.replace("a-secret", "***"),
        )
        self.daemon.requests.given = self.recorder.given

    def changed(self, before: State, after: State, event: Event, now: Any) -> None:
        self.recorder.changed(before, after, event, now)

    async def entries(self, *kinds: Kind) -> list[Entry]:
        """Let a batch be written and return what there is of these kinds."""
        await asyncio.sleep(module.BATCH_SECONDS + 1)
        assert await self.daemon.loop.read(60)
        return [entry for entry in self.journal.written if not kinds or entry.kind in kinds]

    async def kinds(self) -> list[Kind]:
        return [entry.kind for entry in await self.entries()]


def drive(work: Callable[[World], Coroutine[Any, Any, None]], *names: str, **options: Any) -> None:
    async def inside() -> None:
        await work(World(*names, **options))

    run(inside())


def test_a_sign_in_and_the_keys_that_follow_are_told_in_order() -> None:
    async def work(world: World) -> None:
        world.recorder.started()
        await world.daemon.signed_in("dev")

        assert await world.kinds() == [
            Kind.AGENT_STARTED,
            Kind.SIGN_IN_BEGUN,
            Kind.SIGNED_IN,
            Kind.NOTICED,
            Kind.ACTIVATED,
            Kind.KEYS_FETCHED,
            Kind.KEYS_GIVEN,
        ]
        [told] = [entry for entry in world.journal.written if entry.kind is Kind.NOTICED]
        assert (told.session, told.text) == ("corp", "corp: signed in")
        fetched, given = world.journal.written[-2:]
        assert (fetched.session, fetched.profile, fetched.until) == ("corp", "dev", given.until)
        assert (given.way, given.profile) == (Way.FILE, "dev")

    drive(work)


def test_silent_renewals_are_told_each_and_ticks_are_not() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in("dev")
        await asyncio.sleep(3 * 3600)
        renewed = await world.entries(Kind.TOKEN_RENEWED)
        fetched = await world.entries(Kind.KEYS_FETCHED)

        assert len(renewed) == len({entry.at for entry in renewed}) >= 4
        assert len(fetched) >= 4
        assert len(world.journal.written) < 30

    drive(work)


def test_what_the_portal_refuses_is_told_once_however_often_it_is_tried() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in()
        world.daemon.portal.refused_roles.add("Admin")
        await world.daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(3 * 3600)
        (refused,) = await world.entries(Kind.KEYS_REFUSED)

        assert (refused.profile, refused.code) == ("dev", RoleRefused.code)
        assert RoleRefused.title in (refused.text or "")

    drive(work)


def test_a_network_that_is_down_and_up_again_is_two_entries() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in("dev")
        world.daemon.portal.fault = Offline()
        await asyncio.sleep(2 * 3600)
        world.daemon.portal.fault = None
        await asyncio.sleep(3600)

        assert [entry.kind for entry in await world.entries(Kind.OFFLINE, Kind.ONLINE, Kind.KEYS_FAILED)] == [
            Kind.OFFLINE,
            Kind.ONLINE,
        ]

    drive(work)


def test_another_trouble_of_the_portal_is_a_failure_told_once() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in()
        world.daemon.portal.fault = PortalFailed("500")
        await world.daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(1800)

        assert len(await world.entries(Kind.KEYS_FAILED)) == 1

    drive(work)


def test_signing_out_is_told() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in("dev")
        await world.daemon.ask(protocol.Logout("corp"))

        assert (await world.kinds())[-1] is Kind.SIGNED_OUT

    drive(work)


def test_sleep_is_told_from_what_the_desktop_says() -> None:
    async def work(world: World) -> None:
        await world.daemon.started()
        for asleep in (True, False):
            world.daemon.loop.take(PresenceChanged(Presence(asleep=asleep)))
        world.daemon.loop.take(Woke())

        assert await world.kinds() == [Kind.SLEPT, Kind.WOKE]

    drive(work)


def test_sleep_that_nobody_announced_began_when_the_last_event_came() -> None:
    async def work(world: World) -> None:
        await world.daemon.started()
        last = world.daemon.clock.now()
        world.daemon.clock.shift += 90 * MINUTE
        world.daemon.loop.take(Woke())
        slept, woke = await world.entries(Kind.SLEPT, Kind.WOKE)

        assert (slept.at - last) < MINUTE
        assert woke.at - slept.at >= 89 * MINUTE

    drive(work)


def test_the_end_is_written_before_the_agent_is_gone() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in("dev")
        await world.daemon.loop.stop(10)

        assert world.journal.written[-1].kind is Kind.AGENT_STOPPED

    drive(work)


# --- who was given keys ------------------------------------------------------------------------------


def test_who_asks_over_the_socket_is_named_with_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "asker_behind", lambda pid: Program(pid - 1, "terraform"))

    async def work(world: World) -> None:
        await world.daemon.signed_in()
        await world.daemon.requests.issued("dev", Recipient(Way.PROCESS, 4712))
        (given,) = await world.entries(Kind.KEYS_GIVEN)

        assert (given.profile, given.session, given.way) == ("dev", "corp", Way.PROCESS)
        assert (given.pid, given.program) == (4711, "terraform")

    drive(work)


def test_who_is_refused_is_told_with_the_reason() -> None:
    async def work(world: World) -> None:
        await world.daemon.started()
        with contextlib.suppress(CredtrayError):
            await world.daemon.requests.issued("dev", Recipient(Way.SHELL))
        (denied,) = await world.entries(Kind.KEYS_DENIED)

        assert (denied.profile, denied.way, denied.code) == ("dev", Way.SHELL, "sign_in_required")

    drive(work)


def test_a_hundred_reads_in_a_minute_are_two_lines_that_count_a_hundred() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in()
        await world.daemon.requests.issued("dev", Recipient(None))
        for _ in range(100):
            await world.daemon.requests.issued("dev", Recipient(Way.CLIPBOARD))
        await asyncio.sleep(120)
        given = await world.entries(Kind.KEYS_GIVEN)

        assert [entry.count for entry in given] == [1, 99]

    drive(work)


def test_what_credtray_uses_itself_is_given_to_nobody() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in()
        await world.daemon.requests.issued("dev", Recipient(None))

        assert await world.entries(Kind.KEYS_GIVEN) == []

    drive(work)


def test_at_the_endpoint_it_is_found_out_a_few_times_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def look(*arguments: Any) -> Program:
        asked.append(arguments)
        return Program(7, "python3")

    monkeypatch.setattr(module, "program_at", look)

    async def work(world: World) -> None:
        await world.daemon.signed_in()
        state = world.daemon.loop.state
        world.daemon.loop.state = replace(state, endpoint=replace(state.endpoint, port=20001))
        for port in range(20):
            await world.daemon.requests.issued("dev", Recipient(Way.ENDPOINT, ("127.0.0.1", 40000 + port)))
        await asyncio.sleep(120)
        given = await world.entries(Kind.KEYS_GIVEN)

        assert len(asked) == module.LOOKS
        assert {(*peer, *ours) for peer, ours, _ in asked} == {
            ("127.0.0.1", 40000 + place, "127.0.0.1", 20001) for place in range(module.LOOKS)
        }
        assert {(entry.program, entry.pid) for entry in given} == {("python3", 7), (None, None)}
        assert sum(entry.count for entry in given) == 20

    drive(work)


def test_a_flood_of_wrong_tokens_is_a_few_lines_and_hides_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "program_at", lambda peer, *_: Program(peer[1], f"program {peer[1]}"))

    async def work(world: World) -> None:
        await world.daemon.signed_in()
        state = world.daemon.loop.state
        world.daemon.loop.state = replace(state, endpoint=replace(state.endpoint, port=20001))
        for port in range(1000):
            world.recorder.refused(("127.0.0.1", 40000 + port))
        await world.daemon.requests.issued("dev", Recipient(Way.ENDPOINT, ("127.0.0.1", 50000)))
        await asyncio.sleep(120)
        refused = await world.entries(Kind.ENDPOINT_REFUSED)
        (given,) = await world.entries(Kind.KEYS_GIVEN)

        assert sum(entry.count for entry in refused) == 1000
        assert len(refused) == 3
        assert [entry.program for entry in refused if entry.program] == ["program 40000"]
        assert given.program == "program 50000"

    drive(work)


# --- trouble -----------------------------------------------------------------------------------------


def test_a_full_disk_is_told_once_stops_nothing_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def work(world: World) -> None:
        world.journal.problem = FileUnwritable("the disk is full")
        with caplog.at_level(logging.INFO, "credtray.history"):
            await world.daemon.signed_in("dev")
            await asyncio.sleep(2 * 3600)
            assert world.journal.tries > 3
            assert world.daemon.state.profiles["dev"].credentials is not None
            world.journal.problem = None
            await asyncio.sleep(3600)

        assert len([each for each in caplog.messages if "cannot be written" in each]) == 1
        assert len([each for each in caplog.messages if "written again" in each]) == 1
        assert (await world.kinds())[0] is Kind.SIGN_IN_BEGUN

    drive(work)


def test_turned_off_nothing_is_written() -> None:
    async def work(world: World) -> None:
        world.daemon.settings.content = Settings(history=False)
        world.recorder.started()
        await world.daemon.signed_in("dev")
        await world.daemon.requests.issued("dev", Recipient(Way.SHELL))

        assert await world.entries() == []
        assert world.journal.tries == 0

    drive(work)


def test_no_secret_reaches_an_entry() -> None:
    async def work(world: World) -> None:
        await world.daemon.signed_in("dev")
        world.recorder.given("dev", Recipient(Way.SHELL), PortalFailed("said a-secret").problem)
        (denied,) = await world.entries(Kind.KEYS_DENIED)

        assert "***" in (denied.text or "")

    drive(work)


def test_entries_wait_in_a_bounded_number() -> None:
    async def work(world: World) -> None:
        world.journal.problem = FileUnwritable("the disk is full")
        await world.daemon.started()
        for _ in range(3):
            for place in range(module.MOST_WAITING):
                world.recorder.given(f"p{place}", Recipient(Way.SHELL), None)
            await world.entries()
        world.journal.problem = None
        world.daemon.loop.take(Stopping())

        assert len(await world.entries()) <= 2 * module.MOST_WAITING + 1

    drive(work)
