"""Tells whether somebody would see a notice and is free for it: locked, idle, asleep, busy.

Decides nothing, and polls nothing on Linux. Whatever cannot be found out counts as somebody being there, and
free. Windows is asked who is busy when a notice is shown (``notifications.windows``); macOS does not tell.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from credtray.core.ports import DesktopPart, Presence
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import BusTrouble, SessionBus, use_connections
from credtray.desktop.part_report import together
from credtray.desktop.presence.busy import Occupation, follow_full_screen, occupations
from credtray.desktop.presence.linux import SOURCE as LOGIND
from credtray.desktop.presence.linux import Logind, Teller, tellers
from credtray.desktop.presence.macos import follow_macos
from credtray.desktop.presence.sightings import Sightings
from credtray.desktop.presence.windows import follow_windows

_log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 2.0
"""Only after that it is reported that nobody tells."""


class PresenceWatch:
    """Joins all sources of this system. Each is optional; each may come, go and hang."""

    def __init__(
        self,
        session_bus: SessionBus,
        system_bus: SessionBus,
        changed: Callable[[Presence], None],
        report: Callable[[DesktopPart], None],
        platform: str = sys.platform,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Do nothing yet; ``changed`` and ``report`` are called on the loop that runs ``run``."""
        self._session_bus = session_bus
        self._system_bus = system_bus
        self._sightings = Sightings(changed, report)
        self._platform = platform
        self._environ = environ

    async def run(self) -> None:
        """Tell every change, beginning from somebody who is present, until cancelled."""
        settled = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._sightings.report)
        try:
            match self._platform:
                case "darwin":
                    await follow_macos(self._sightings)
                case "win32":
                    await follow_windows(self._sightings)
                case _:
                    await self._follow_buses()
            await asyncio.Event().wait()
        finally:
            settled.cancel()

    async def _follow_buses(self) -> None:
        services: tuple[Teller | Occupation, ...] = (*tellers(), *occupations())
        logind = Logind(self._environ, self._sightings)
        names = [service.source for service in services]

        async def ask_services(connection: Connection) -> None:
            follows = (service.follow(connection, self._sightings) for service in services)
            await together(connection.lost(), *follows)

        async def ask_logind(connection: Connection) -> None:
            await together(connection.lost(), logind.follow(connection))

        await together(
            use_connections(self._session_bus, ask_services, lambda trouble: self._silent(names, trouble)),
            use_connections(self._system_bus, ask_logind, lambda trouble: self._silent([LOGIND], trouble)),
            follow_full_screen(self._environ, self._sightings),
        )

    def _silent(self, sources: Sequence[str], trouble: BusTrouble | None) -> None:
        _log.debug("screen lock and sleep are detected only in part: %s", trouble or "the bus was lost")
        self._sightings.gone(*sources)
