"""The page's own server and views over a state that stands still: who judges its looks waits for nothing.

No agent runs; no form does anything but those of the check-up, whose answers are made up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

from credtray.app import build
from credtray.core.clicks import StopSharing
from credtray.core.state import State
from credtray.desktop import paths
from credtray.desktop.autostart import AutostartStatus
from credtray.history.entries import Entry
from credtray.history.journal import Journal
from credtray.page.site import PageSite, Watched
from credtray.roles.watch import Offer, RoleWatch
from credtray.web.page_server import PageServer, Site
from tests.page.checkup_scene import answered

T = TypeVar("T")


class StillLoop:
    """What the page asks the agent's loop, in an agent whose clock stands still and where nothing happens."""

    def __init__(self, state: State, now: datetime) -> None:
        self.state = state
        self._now = now

    async def file_work(self, work: Callable[[], T]) -> T:
        """Look at a file."""
        return await asyncio.to_thread(work)

    def now(self) -> datetime:
        """Return the one time it knows."""
        return self._now

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Event]:
        """Give an event that never comes."""
        yield asyncio.Event()


class StillDesktop:
    """The agent's workers, of a desktop that starts nothing at login."""

    async def desktop_result_of(self, _work: object) -> AutostartStatus:
        """Answer for the desktop."""
        return AutostartStatus(False, "", ())


class StillShares:
    """What is shared, all day long."""

    found = (StopSharing("build-server", "synderys-dns"),)

    def heard_by(self, _listener: object) -> None:
        """Change nothing."""

    async def look_briefly(self) -> None:
        """Find what was found."""


class StillRoles(RoleWatch):
    """A watch of roles that has seen nothing."""

    def __init__(self) -> None: ...

    def offers(self) -> list[Offer]:
        """Offer nothing."""
        return []


class Served:
    """The page of a still agent, served by a thread."""

    def __init__(self, state: State, past: Sequence[Entry], now: datetime) -> None:
        Journal(paths.state_directory()).append(past)
        nothing = cast("Any", None)  # forms are not sent
        loop, desktop = cast("Any", StillLoop(state, now)), cast("Any", StillDesktop())
        watched = Watched(cast("Any", StillShares()), StillRoles())
        self._site = PageSite(loop, nothing, build(), desktop, watched, answered)
        self._site.prepare()
        self._server = PageServer(
            Site(self._site.answer, self._site.changes, self._site.stranger, self._site.close)
        )
        self._open = threading.Event()
        self._over = asyncio.Event()
        self._running: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self._open.wait()

    async def _serve(self) -> None:
        self._running = asyncio.get_running_loop()
        await self._server.open()
        self._open.set()
        await self._over.wait()
        await self._server.close()

    def entrance(self) -> str:
        """Return an address that lets one browser in."""

        async def entered() -> str:
            return self._server.entrance().reveal()

        return asyncio.run_coroutine_threadsafe(entered(), self._running).result()

    def close(self) -> None:
        """Serve no more; once more does nothing."""
        if self._thread.is_alive():
            self._running.call_soon_threadsafe(self._over.set)
            self._thread.join()


@contextmanager
def serving(state: State, past: Sequence[Entry], now: datetime) -> Iterator[Served]:
    """Serve the page of that state and history, as it is then."""
    served = Served(state, past, now)
    try:
        yield served
    finally:
        served.close()
