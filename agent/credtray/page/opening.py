"""Keeps the page of one agent open while somebody looks at it, and lets browsers in. Costs nothing before.

Serves no request itself (web/page_server does) and makes no view (page/site, which loads the templates).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from credtray.app import Components
from credtray.core import protocol
from credtray.core.errors import CredtrayError, ListenerUnavailable
from credtray.core.models import Secret
from credtray.core.protocol import Done
from credtray.core.protocol.results import PageResult
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Handler, Requests
from credtray.daemon.workers import Workers
from credtray.roles.watch import RoleWatch
from credtray.share.shared import Shares
from credtray.store.state_files import PageFile, PageMemory
from credtray.ways_out.page import Place
from credtray.web.console_handover import one_time_redirect
from credtray.web.page_server import ENTRANCE_SECONDS, PageServer, Site

_log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often it is noted that the page is still open, and looked whether anybody is there."""
COME_BACK = timedelta(minutes=20)
"""A page that was seen open this long ago, or less, comes back when the agent starts again."""


class Page:
    """The page of one running agent."""

    def __init__(
        self,
        loop: Loop,
        memory: PageFile,
        load: Callable[[], Site],
        heard: Callable[[Secret], None],
        server: Callable[[Site], PageServer] = PageServer,
    ) -> None:
        """Join its parts; opens nothing.

        Args:
            loop: whose state is shown.
            memory: where an open page is noted.
            load: loads what makes the views; called in a thread, once somebody asks for the page.
            heard: is called with each address that lets somebody in, such as the log's redactor.
            server: makes the server of a site.
        """
        self._loop = loop
        self._memory = memory
        self._load = load
        self._heard = heard
        self._make_server = server
        self._server: PageServer | None = None
        self._turn = asyncio.Lock()
        self._wanted = asyncio.Event()
        self.handlers: Mapping[type, Handler] = {protocol.OpenPage: self._carry_out}

    # --- requests ---------------------------------------------------------------------------------------

    async def address(self, view: str = "") -> Secret:
        """Open the page, if it is not, and return an address that lets one browser in, to this view.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        async with self._turn:
            server = await self._opened(None)
        found = server.entrance(view)
        self._heard(found)
        return found

    async def show(self, opened: Callable[[str], Awaitable[bool]], view: str = "") -> bool:
        """Open a view in a browser of this desktop; *opened* starts that. False: none came.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        async with one_time_redirect(await self.address(view)) as led:
            return await opened(led.address) and await led.fetched()

    async def _carry_out(self, _request: protocol.OpenPage, _sink: ReplySink) -> Done[PageResult]:
        return Done(PageResult(await self.address(), ENTRANCE_SECONDS))

    async def _opened(self, before: PageMemory | None) -> PageServer:
        if self._server is None:
            self._server = self._make_server(await asyncio.to_thread(self._load))
        if self._server.place is None:
            place = None if before is None else Place(before.port, before.room)
            await self._server.open(place, () if before is None else tuple(before.guests))
            self._wanted.set()
        return self._server

    # --- life -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Close it when nobody has looked at it for a while; until cancelled."""
        try:
            await self._come_back()
            while True:
                await self._wanted.wait()
                await self._while_seen()
        finally:
            if self._server is not None:
                await self._server.end()

    async def _come_back(self) -> None:
        """Open the page again where one was open when the agent ended: its browser tries to reach us."""
        before = await self._loop.file_work(self._memory.load)
        if before is None:
            return
        if abs(self._loop.now() - before.at) > COME_BACK:
            await self._loop.file_work(self._memory.clear)
            return
        try:
            async with self._turn:
                await self._opened(before)
        except ListenerUnavailable as error:  # somebody else has the port: the browser is told to ask again
            _log.info("the page does not come back: %s", error)

    async def _while_seen(self) -> None:
        server = self._server
        while server is not None and (left := server.left()):
            server.changed.clear()
            await self._note(server)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.changed.wait(), min(left, LOOK_SECONDS))
        async with self._turn:
            self._wanted.clear()
            if server is not None and not server.left():
                await server.close()
                await self._loop.file_work(self._memory.clear)
            elif server is not None:
                self._wanted.set()

    async def _note(self, server: PageServer) -> None:
        place = server.place
        if place is None:
            return
        memory = PageMemory(port=place.port, room=place.room, guests=list(server.guests), at=self._loop.now())
        try:
            await self._loop.file_work(lambda: self._memory.save(memory))
        except CredtrayError as error:
            _log.info("the open page is not noted: %s", error)


def loading(
    loop: Loop,
    requests: Requests,
    components: Components,
    workers: Workers,
    shares: Shares,
    roles: RoleWatch,
) -> Callable[[], Site]:
    """Return what loads the views and their library, which nobody needs before."""

    def load() -> Site:
        from credtray.page.site import PageSite, Watched

        site = PageSite(loop, requests, components, workers, Watched(shares, roles))
        site.prepare()
        return Site(site.answer, site.changes, site.stranger, site.close)

    return load
