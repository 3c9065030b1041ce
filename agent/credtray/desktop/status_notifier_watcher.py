"""Keeps an icon registered with one StatusNotifierWatcher: a panel may drop it and keep its own name.

Looks when the watcher says that something changed, and when it is asked to doubt; never by the clock. A panel
that drops the icon again and again is asked less and less often.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from typing import Any, Final

from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.core.pauses import pause_after
from credtray.desktop.bus.names import WATCHER
from credtray.desktop.bus.session import Connection, Signal

_log = logging.getLogger(__name__)

_PATH: Final = "/StatusNotifierWatcher"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
AGAIN_SECONDS: Final = (1.0, 2.0, 5.0)
"""Before a bus or a watcher that did not take us is asked again; the last one for good."""
DROPPED_SECONDS: Final = (0.2, 2.0, 10.0, 60.0, 600.0)
"""Before a watcher that dropped us so many times in a row is asked again; the last one for good."""
KEPT_SECONDS: Final = 300.0
"""An icon that stayed so long was welcome: the next time it is dropped counts as the first."""

REFUSED: Final = "the panel refuses the icon"
DROPPED: Final = "the panel has removed the icon"
NO_HOST: Final = "the part of the panel that shows icons is not running"


class Registration:
    """Of one icon, which has the bus name ``name``, with the present owner of the watcher's name."""

    def __init__(self, connection: Connection, name: str, told: Callable[[str | None], None]) -> None:
        """``told`` is called with None when the icon is shown, and else with why it is not."""
        self._connection = connection
        self._name = name
        self._told = told
        self._doubt = asyncio.Event()
        self._heard_of_drop = False
        self._drops = 0

    def doubt(self) -> None:
        """Ask the watcher soon whether it still has the icon: the machine has slept, or something else."""
        self._drops = 0
        self._doubt.set()

    async def keep(self) -> None:
        """Be registered, and again when the watcher has forgotten us; until cancelled.

        Raises:
            BusUnavailable, BusCallFailed: the bus cannot be asked.
        """
        now = asyncio.get_running_loop().time
        async with self._connection.listen(self._heard, sender=WATCHER, interface=WATCHER, path=_PATH):
            while True:
                await self._register()
                began = now()
                await self._until_dropped()
                self._drops = 1 if now() - began > KEPT_SECONDS else self._drops + 1
                _log.info("the panel has dropped the tray icon")
                self._told(DROPPED)
                await self._pause(pause_after(self._drops - 1, DROPPED_SECONDS))

    async def _register(self) -> None:
        """Ask the watcher to show us; again and again, for one that just starts may be slow or refuse."""
        for failures in itertools.count():
            self._heard_of_drop = False
            self._doubt.clear()
            try:
                await self._call(WATCHER, "RegisterStatusNotifierItem", "s", [self._name])
            except (BusUnavailable, BusCallFailed) as error:
                _log.debug("the panel does not accept the icon: %s", error)
                self._told(REFUSED)
                await asyncio.sleep(pause_after(failures, AGAIN_SECONDS))
            else:
                _log.debug("the icon is registered as %s", self._name)
                await self._tell_host()
                return

    async def _until_dropped(self) -> None:
        """Return when the watcher does not have us any more."""
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            if await self._is_missing():
                return
            await self._tell_host()

    async def _is_missing(self) -> bool:
        items = await self._property("RegisteredStatusNotifierItems")
        if not isinstance(items, list):  # it does not say: what it announced has to do
            return self._heard_of_drop
        return not any(self._is_us(str(item)) for item in items)

    def _is_us(self, item: str) -> bool:
        """Tell whether it is ours: watchers write either name of ours, and most a path after it."""
        name = item.replace("@", "/", 1).partition("/")[0]
        return name in {self._name, self._connection.unique_name}

    async def _tell_host(self) -> None:
        """Tell whether anybody draws the icons that the watcher keeps."""
        hosted = await self._property("IsStatusNotifierHostRegistered")
        self._told(NO_HOST if hosted is False else None)

    async def _property(self, name: str) -> Any:
        """Return a property of the watcher, None where it has none or does not answer."""
        with contextlib.suppress(BusUnavailable, BusCallFailed):
            found = await self._call(_PROPERTIES, "Get", "ss", [WATCHER, name])
            return found[0] if found else None
        return None

    async def _call(self, interface: str, member: str, signature: str, body: list[str]) -> list[Any]:
        return await self._connection.call(WATCHER, _PATH, interface, member, signature, body)

    async def _pause(self, seconds: float) -> None:
        """Wait; not to the end when somebody has a reason to believe that it is another panel now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._drops:
                    self._doubt.clear()
                    await self._doubt.wait()

    def _heard(self, signal: Signal) -> None:
        match signal.member, signal.body:
            case "StatusNotifierItemUnregistered", [str(item)] if self._is_us(item):
                self._heard_of_drop = True
                self._doubt.set()
            case "StatusNotifierHostRegistered" | "StatusNotifierHostUnregistered", _:
                self._doubt.set()
