"""The agent's real loop with a watch of roles, over a portal where roles are assigned and removed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from credtray.core import protocol
from credtray.core.clicks import HideRoles
from credtray.core.events import Event, PresenceChanged, RolesListed
from credtray.core.ports import Notification, Presence
from credtray.core.state import State
from credtray.daemon.loop import LoopOptions
from credtray.desktop import paths
from credtray.history.derive import Step, entries_of
from credtray.history.entries import Entry
from credtray.roles.record import Record
from credtray.roles.watch import RolesFile, RoleWatch
from tests.core.making import SECOND
from tests.daemon.fakes import Daemon, run

PLATFORM, LAB = "111100000001", "111100000000"
"""Accounts; the profiles of these tests are the Admin of the second."""
ALICE, BOB = "alice@synderys.com", "bob@synderys.com"


def watch_of(daemon: Daemon) -> RoleWatch:
    """Return a watch that begins when it is run."""
    file = RolesFile(paths.state_directory() / "roles.json")
    return RoleWatch(daemon.loop, daemon.workers, file, daemon.portal, daemon.notifier, 1.0)


class Scene:
    """An agent, its portal, and what a person sees of it."""

    def __init__(self, *names: str, before: Scene | None = None, asks_person: bool = False) -> None:
        self.events: list[Event] = []
        self.entries: list[Entry] = []
        options = LoopOptions(heard=self.events.append, changed=self._changed)
        state = State(seed="s", asks_person=asks_person, accounts={LAB: "lab"})  # nobody asks for names
        found = None if before is None else before.daemon
        self.daemon: Daemon = Daemon(*names or ("dev",), state=state, conduct=options, before=found)
        self.portal = self.daemon.portal
        if before is None:
            self.portal.sign_in_length = timedelta(days=30)
            self.portal.assigned = {PLATFORM: ("synderys-prod", ["ReadOnly"]), LAB: ("lab", ["Admin"])}
        self.watch = watch_of(self.daemon)
        self._task: asyncio.Task[None] | None = None

    def _changed(self, before: State, after: State, event: Event, now: datetime) -> None:
        self.entries += entries_of(Step(before, after, event, now))

    async def signed_in(self, *active: str) -> Scene:
        """Sign in, and let the first look pass."""
        self.began()
        await self.daemon.signed_in(*active)
        await self.passed()
        return self

    def began(self) -> None:
        self._task = asyncio.create_task(self.watch.run())

    async def ended(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def passed(self, time: timedelta = 90 * SECOND) -> None:
        """Let so much time pass: enough for a sign-in to turn out whose it is, and for a look."""
        await asyncio.sleep(time.total_seconds())
        assert await self.daemon.loop.everything_settled(60)

    async def next_day(self) -> None:
        """Come to the next day: the machine slept, nothing of it was heard."""
        await self.passed(timedelta(hours=25))

    async def signed_in_again(self, person: str = ALICE) -> None:
        self.portal.in_browser = person
        await self.daemon.ask(protocol.Login("corp", fresh=True, agreed=True))
        await self.passed()

    def left(self) -> None:
        self.daemon.loop.take(PresenceChanged(Presence(locked=True)))

    def came(self) -> None:
        self.daemon.loop.take(PresenceChanged(Presence()))

    # --- what there is to see ---------------------------------------------------------------------------

    @property
    def looks(self) -> int:
        """How often the portal was asked for all accounts."""
        return self.portal.counted["accounts"]

    def notice(self, what: str) -> Notification | None:
        """Return the notice about new or gone roles that is on the screen."""
        return self.daemon.notifier.there.get(f"corp:roles-{what}")

    @property
    def title(self) -> str:
        notice = self.notice("new")
        return "" if notice is None else notice.title

    def told(self, what: str) -> list[str]:
        """Return the titles with these words that were shown so far."""
        return [title for title in self.daemon.notifier.shown if what in title]

    async def press(self, label: str) -> None:
        """Press a button of the notice about new roles, as far as it is about roles."""
        notice = self.notice("new")
        assert notice is not None
        click: Any = next(button.click for button in notice.buttons if button.label == label)
        assert isinstance(click, HideRoles)
        self.watch.hide(click.session)
        await self.passed(5 * SECOND)

    def listed(self) -> list[RolesListed]:
        """Return what became of the looks that found a difference."""
        return [each for each in self.events if isinstance(each, RolesListed) and (each.came or each.went)]

    def record(self) -> Record:
        """Return what the file holds of the one person."""
        (found,) = RolesFile(paths.state_directory() / "roles.json").load()
        return found


def played(play: Callable[[Scene], Awaitable[None]], *names: str, asks_person: bool = False) -> None:
    """Let a scene happen in no time."""

    async def drive() -> None:
        scene = Scene(*names, asks_person=asks_person)
        try:
            await play(scene)
        finally:
            await scene.ended()

    run(drive())
