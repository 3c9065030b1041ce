"""B6 once more, over the real daemon: Loop, Actions, Reading and Requests in virtual time, with faults."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CaptivePortal,
    CredtrayError,
    FileUnwritable,
    NotifierUnavailable,
    Offline,
    PortalFailed,
    SettingsInvalid,
    Throttled,
)
from credtray.core.events import (
    ClockChanged,
    Event,
    FilesChanged,
    NetworkChanged,
    PartChanged,
    PresenceChanged,
    Tick,
    Woke,
)
from credtray.core.models import RoleCredentials
from credtray.core.ports import DesktopPart, Notification, Part, Presence
from credtray.core.protocol import CredentialsIssued
from credtray.daemon.loop import LoopOptions
from tests.core.making import HOUR, MINUTE
from tests.daemon.fakes import Daemon, run
from tests.soak import SOAK

HOURS = 100
SEEDS = 60 if SOAK else 4
NAMES = ("dev", "ro", "dns")
FAULTS: tuple[type[CredtrayError], ...] = (Offline, Throttled, PortalFailed, CaptivePortal)


class World:
    """A daemon, a person who signs in when told to, and everything that goes wrong."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.events = 0
        self.daemon = Daemon(*NAMES, seed=seed, conduct=LoopOptions(heard=self._heard))
        self.well_since = self.daemon.clock.now()
        self.served = 0
        self.real_ends: dict[str, float] = {}
        """Access key id -> the instant of the event loop's time at which the portal lets it end."""
        fetch = self.daemon.portal.fetch

        def noted(*arguments: object) -> object:
            issued = fetch(*arguments)  # type: ignore[arg-type]  # handed on as they came
            life = self.daemon.portal.role_life.total_seconds()
            self.real_ends[issued.value.access_key_id] = asyncio.get_running_loop().time() + life
            return issued

        self.daemon.portal.fetch = noted  # type: ignore[method-assign,assignment]  # takes notes
        self.away_since: float | None = None
        self.told_to_nobody: list[str] = []
        show = self.daemon.notifier.show

        def seen(notification: Notification) -> None:
            # What was decided a moment before somebody left may still be on its way.
            if self.away_since is not None and asyncio.get_running_loop().time() - self.away_since > 2:
                self.told_to_nobody.append(notification.title)
            show(notification)

        self.daemon.notifier.show = seen  # type: ignore[method-assign]  # looks who is there

    def _heard(self, event: Event) -> None:
        self.events += 1

    async def live(self) -> None:
        await self.daemon.started()
        await self.daemon.ask(protocol.Login("corp"))
        await self.daemon.ask(protocol.Activate(NAMES[:2]))
        tasks = [
            asyncio.create_task(each())
            for each in (self.ticks, self.person, self.programs, self.trouble, self.watch)
        ]
        done, _ = await asyncio.wait(tasks, timeout=HOURS * 3600, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(task for task in tasks if task not in done), return_exceptions=True)
        for task in done:
            task.result()
        self.daemon.credentials.full = None  # no program takes keys out of a file that nobody can write
        await self.daemon.loop.stop(60)

    async def some(self, low: float, high: float) -> None:
        await asyncio.sleep(self.random.uniform(low, high))

    async def ticks(self) -> None:
        while True:
            await asyncio.sleep(30)
            self.daemon.loop.take(Tick())

    async def person(self) -> None:
        while True:
            await self.some(60, 1800)
            session = self.daemon.state.sessions["corp"]
            if session.ended or session.token is None:
                try:
                    await self.daemon.ask(protocol.Login("corp"))
                except CredtrayError:
                    continue

    async def programs(self) -> None:
        while True:
            await self.some(5, 900)
            try:
                reply = await self.daemon.ask(protocol.Credentials(self.random.choice(NAMES)))
            except CredtrayError:
                continue
            assert isinstance(reply, CredentialsIssued)
            key = reply.credentials.access_key_id

            assert self.real_ends[key] > asyncio.get_running_loop().time(), "expired keys were served"
            self.served += 1

    async def trouble(self) -> None:
        while True:
            await self.some(600, 3 * 3600)
            await self.random.choice(
                (
                    self.portal_fails,
                    self.disk_full,
                    self.clock_set,
                    self.sleeps,
                    self.revoked,
                    self.settings_broken,
                    self.locked,
                    self.quiet,
                    self.no_notifications,
                )
            )()
            self.well_since = self.daemon.clock.now()

    async def portal_fails(self) -> None:
        self.daemon.portal.fault = self.random.choice(FAULTS)("made up")
        await self.some(30, 3600)
        self.daemon.portal.fault = None
        self.daemon.loop.take(NetworkChanged())

    async def disk_full(self) -> None:
        self.daemon.credentials.full = FileUnwritable("no space left")
        self.daemon.state_file.problem = FileUnwritable("no space left")
        await self.some(30, 3600)
        self.daemon.credentials.full = self.daemon.state_file.problem = None

    async def clock_set(self) -> None:
        by = timedelta(seconds=self.random.choice((-5 * 3600, -1800, -60, 60, 1800, 5 * 3600)))
        self.daemon.clock.shift += by
        self.daemon.portal.ends_at += by
        self.daemon.loop.take(ClockChanged(by))

    async def sleeps(self) -> None:
        """The wall clock runs on; what was under way comes back afterwards."""
        seconds = self.random.uniform(60, 8 * 3600)
        self.daemon.clock.shift += timedelta(seconds=seconds)
        for key in self.real_ends:
            self.real_ends[key] -= seconds
        self.daemon.loop.take(Woke())

    async def locked(self) -> None:
        """Afterwards at most one notice about the end, and it says how things stand then."""
        daemon = self.daemon
        self.away_since = asyncio.get_running_loop().time()
        daemon.loop.take(PresenceChanged(Presence(locked=True)))
        await self.some(60, 4 * 3600)
        self.away_since = None
        before = len(daemon.notifier.shown)
        daemon.loop.take(PresenceChanged(Presence()))
        await asyncio.sleep(2)
        told = [title for title in daemon.notifier.shown[before:] if "corp: sign-in" in title]

        assert len(told) <= 1, told

    async def quiet(self) -> None:
        await self.daemon.ask(protocol.PauseNotices(self.daemon.clock.now() + HOUR))
        await self.some(60, 2 * 3600)

    async def no_notifications(self) -> None:
        self.daemon.notifier.problem = NotifierUnavailable("no service")
        self.daemon.loop.take(PartChanged(DesktopPart(Part.NOTIFICATIONS, None, "no service")))
        await self.some(60, 3600)
        self.daemon.notifier.problem = None
        self.daemon.loop.take(PartChanged(DesktopPart(Part.NOTIFICATIONS, "freedesktop")))

    async def revoked(self) -> None:
        self.daemon.portal.revoke()
        self.daemon.portal.ends_at = self.daemon.clock.now()

    async def settings_broken(self) -> None:
        self.daemon.settings.problem = SettingsInvalid("line 1")
        self.daemon.settings.touch()
        self.daemon.loop.take(FilesChanged())
        await self.some(30, 600)
        self.daemon.settings.problem = None

    async def watch(self) -> None:
        """What must hold whenever nothing is broken and has not been for a while."""
        while True:
            await asyncio.sleep(60)
            daemon, now = self.daemon, self.daemon.clock.now()
            session = daemon.state.sessions["corp"]
            troubled = daemon.portal.fault or daemon.credentials.full or daemon.settings.problem
            if troubled:
                self.well_since = now
            calm = now - self.well_since > 10 * MINUTE
            if not calm or session.ended or session.token is None or session.pending:
                continue
            if session.sign_in is None or now - session.sign_in.started_at < MINUTE:
                continue  # its first keys are under way
            if daemon.portal.ends_at - now < 10 * MINUTE:
                continue
            for name in daemon.state.kept:
                held = daemon.state.profiles[name].credentials
                assert isinstance(held, RoleCredentials), f"{name} has no keys"
                assert held.expires_at - now > 5 * MINUTE, f"a refresh of {name} was missed"
                written = daemon.credentials.keys.get(name)  # none yet after an end: they were taken out
                there = None if written is None else written.credentials.access_key_id
                assert there == held.access_key_id or now - held.fetched_at < MINUTE, (
                    f"[{name}] is not written"
                )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_hundred_hours_of_faults_over_the_real_daemon(seed: int) -> None:
    async def drive() -> World:
        world = World(seed)
        await world.live()
        return world

    world = run(drive())
    daemon = world.daemon

    assert world.served > 50
    assert daemon.credentials.sections == {}, "keys were left behind"
    assert world.events < HOURS * 60 * 6, "it ran hot"
    assert len(daemon.browser.opened) == daemon.portal.counted["exchange_code"]
    assert daemon.workers.busy is False
    assert world.told_to_nobody == []
    assert set(daemon.notifier.there) <= set(daemon.state.sessions["corp"].showing), (
        "a notice was left behind"
    )


def test_a_hundred_calm_hours_cost_hardly_more_than_the_ideal_number_of_calls() -> None:
    async def drive() -> Daemon:
        daemon = Daemon("dev", "ro")
        daemon.portal.sign_in_length = 200 * HOUR
        await daemon.started()
        await daemon.ask(protocol.Login("corp"))
        await daemon.ask(protocol.Activate(("dev", "ro")))
        daemon.portal.counted.clear()
        await asyncio.sleep(HOURS * 3600)
        return daemon

    ideal = 3 * HOURS * 60 / 40
    assert sum(run(drive()).portal.counted.values()) <= 1.2 * ideal
