"""Measures the agent on a desktop: start to icon, memory and wakeups with a tray, a menu of 500 profiles."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import msgspec

from bench.idle import Idle, idle, many_profiles, started
from bench.world import world
from credtray.core.events import Activated, ConfigLoaded, Fetched, MarksRead, SignedIn
from credtray.core.models import Profile
from credtray.core.protocol.results import AgentStatus
from credtray.core.state import State
from credtray.core.summary import status_document
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.tray.dbus_menu import DbusMenu
from credtray.desktop.tray.painting import TrayMenu
from credtray.menu.tray_menu import Extras
from credtray.menu.tray_view import face
from tests.core.making import MINUTE, NOON, after, config, keys, token
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.panel_fakes import MENU, FakeWatcher, PaperPanel

PROFILES = 500
ICON_LIMIT = 0.5
_PATH = "/MenuBar"


@dataclass(frozen=True, slots=True)
class ToIcon:
    """From the start of the process to the panel hearing of the icon, 20 profiles."""

    took: float
    serving: float
    """Seconds to the first answer of the same agent."""

    def line(self) -> str:
        """Return the row of the table."""
        ratio = f"(< {1000 * ICON_LIMIT:.0f}; {self.took / self.serving:.2f} x start to serving)"
        return f"start to icon, 20 profiles         {1000 * self.took:9.0f} ms  {ratio}"


@dataclass(frozen=True, slots=True)
class MenuUpdate:
    """One profile's time goes on in a menu of 500."""

    face_ms: float
    menu_ms: float
    document_ms: float
    """Of the whole status document as JSON, for comparison."""
    sent: int
    """Bytes on the bus."""
    whole: int
    """Bytes of the whole menu."""

    def lines(self) -> list[str]:
        """Return the rows of the table."""
        took = self.face_ms + self.menu_ms
        ratio = f"({took / self.document_ms:.1f} x the status document as JSON)"
        part = f"({self.sent / self.whole:.4f} of the whole menu)"
        return [
            f"menu update, {PROFILES} profiles          {took:9.1f} ms  {ratio}",
            f"sent for it                        {self.sent:9d} B   {part}",
        ]


def to_icon(rounds: int = 5) -> ToIcon:
    """Return the medians of a few starts."""
    with world(0) as house, running_bus() as daemon:
        many_profiles(house, 20)
        serving = statistics.median(started(house) for _ in range(rounds))
        house.environ["DBUS_SESSION_BUS_ADDRESS"] = daemon.address

        async def once() -> float:
            async with panel(daemon) as watcher:
                began = time.perf_counter()
                with house.agent():
                    await watcher.item()
                    return time.perf_counter() - began

        took = statistics.median(asyncio.run(once()) for _ in range(rounds))
    return ToIcon(took, serving)


def idle_with_tray(seconds: float = 60) -> Idle:
    """Watch an agent whose icon is shown by a panel."""
    with running_bus() as daemon:

        async def watch() -> Idle:
            async with panel(daemon):
                return await asyncio.to_thread(idle, seconds, daemon.address)

        return asyncio.run(watch())


@contextmanager
def running_bus() -> Iterator[DbusDaemon]:
    """Give a message bus of our own."""
    with tempfile.TemporaryDirectory(prefix="bus") as directory:
        daemon = DbusDaemon(Path(directory))
        daemon.start()
        try:
            yield daemon
        finally:
            daemon.kill()


@asynccontextmanager
async def panel(daemon: DbusDaemon) -> AsyncIterator[FakeWatcher]:
    """Give a panel that takes every icon."""
    bus = SessionBus(address=daemon.address)
    watcher = FakeWatcher(await bus.connection())
    await watcher.start()
    try:
        yield watcher
    finally:
        await bus.close()


def menu_update(rounds: int = 20) -> MenuUpdate:
    """Let minutes pass for one active profile among 500, as a panel sees it."""
    state = _state()
    extras = Extras(autostart=False, version="bench")
    menus = TrayMenu(lambda _click: None)
    shown = [menus.menu(face(state, NOON, UTC, extras).menu)]
    served = DbusMenu(lambda: shown[0], lambda _item: None, lambda: None)
    served.refresh()
    host = PaperPanel(served.handle, _PATH)
    served.tell(host)
    whole = len(host.send(MENU, "GetLayout", "iias", (0, -1, []))._marshall(False))  # noqa: SLF001 - its size is the figure
    drawing, telling, documents = [], [], []
    for minute in range(1, rounds):
        now = NOON + minute * MINUTE
        began = time.perf_counter()
        seen = face(state, now, UTC, extras)
        drawn = time.perf_counter()
        shown[0] = menus.menu(seen.menu)
        served.refresh()
        told = time.perf_counter()
        msgspec.json.encode(status_document(state, AgentStatus(running=True, pid=1, version="bench"), now))
        drawing.append(drawn - began)
        telling.append(told - drawn)
        documents.append(time.perf_counter() - told)
    middle = [1000 * statistics.median(each) for each in (drawing, telling, documents)]
    return MenuUpdate(middle[0], middle[1], middle[2], sent=sum(host.sizes) // (rounds - 1), whole=whole)


def _state() -> State:
    names = [f"p-{number}" for number in range(PROFILES)]
    profiles = (Profile(name, "corp", f"{place // 5:012d}", "Admin") for place, name in enumerate(names))
    state = after(State(seed="s"), ConfigLoaded(config(*profiles)), MarksRead(()))
    return after(state, SignedIn("corp", token()), Activated((names[0],)), Fetched(names[0], keys()))
