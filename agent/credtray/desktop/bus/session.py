"""The desktop's message bus (D-Bus): one connection for all parts, connected anew when it was lost.

Starts no bus of its own, waits for nobody longer than two seconds, knows nothing of trays or notifications.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import quote

from credtray.core.backoff import pause_after
from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.desktop.bus.connection import CALL_SECONDS, Connection
from credtray.desktop.bus.signals import Signal

__all__ = ["CALL_SECONDS", "CONNECT_SECONDS", "BusKind", "Connection", "SessionBus", "Signal"]

CONNECT_SECONDS = 2.0
"""For connecting and authenticating, together."""

_WIRE = "credtray.desktop.bus.wire"


class BusKind(Enum):
    """Which of the two buses a machine has."""

    SESSION = "session"
    """The one of the desktop session."""
    SYSTEM = "system"
    """The one of the machine."""


class SessionBus:
    """A bus, connected when somebody needs it. For one event loop."""

    def __init__(self, kind: BusKind = BusKind.SESSION, address: str | None = None) -> None:
        self._kind = kind
        self._address = address
        self._live: Connection | None = None
        self._attempt: asyncio.Task[Connection] | None = None
        self._wire: Any = None
        """The module, once it is loaded: a bus that is not there is tried again and again."""
        self._closed = False

    @property
    def is_named(self) -> bool:
        """Whether anything says where the bus is."""
        try:
            return bool(self._address or _address(self._kind))
        except BusUnavailable:
            return False

    async def connection(self) -> Connection:
        """Return the live connection, connected anew if need be; all who ask meanwhile share one attempt.

        Raises:
            BusUnavailable: there is no bus, or it does not answer within ``CONNECT_SECONDS``.
        """
        if self._closed:
            raise BusUnavailable("credtray ends")
        if self._live is not None and not self._live.is_lost:
            return self._live
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._connect(), name=f"{self._kind.value} bus")
            self._attempt.add_done_callback(self._attempted)
        attempt = self._attempt
        await asyncio.wait([attempt])
        if attempt.cancelled():
            raise BusUnavailable("credtray ends")
        return attempt.result()

    async def close(self) -> None:
        """End the connection, for good."""
        self._closed = True
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])
        if self._live is not None:
            await self._live.close()

    def _attempted(self, attempt: asyncio.Task[Connection]) -> None:
        self._attempt = None
        if not attempt.cancelled() and attempt.exception() is None:
            self._live = attempt.result()

    async def _connect(self) -> Connection:
        address = self._address or _address(self._kind)
        if self._wire is None:
            self._wire = await _wire_module()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return Connection(await self._wire.open_wire(address))
        except TimeoutError as error:
            detail = f"{address} does not answer within {CONNECT_SECONDS:g} s"
            raise BusUnavailable(detail) from error


async def _wire_module() -> Any:
    """Import dbus-fast in a thread: its shared libraries take longer to load than the loop may be held up.

    Never taken from ``sys.modules``: there it stands from the moment another thread begins to load it.
    """
    try:
        return await asyncio.to_thread(importlib.import_module, _WIRE)
    except ImportError as error:
        raise BusUnavailable(f"dbus-fast cannot be loaded here: {error}") from error


def _address(kind: BusKind) -> str:
    """Return where the bus listens; ``autolaunch:`` counts as nowhere, we start no bus.

    Raises:
        BusUnavailable: nothing says where.
    """
    if kind is BusKind.SYSTEM:
        return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or "unix:path=/run/dbus/system_bus_socket"
    given = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    if given and not given.startswith("autolaunch:"):
        return given
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and (socket := Path(runtime, "bus")).is_socket():
        return "unix:path=" + quote(str(socket), safe="/").replace("~", "%7E")
    raise BusUnavailable("DBUS_SESSION_BUS_ADDRESS is not set")


# Uses a message bus over all its connections: when one is lost, or there is none, it is tried again.
#
# Knows nothing of what is said on the bus, and never gives up.


RECONNECT_SECONDS: Final = (1.0, 2.0, 5.0, 5.0, 5.0, 30.0, 60.0)
"""Before each try; the last one for good."""
_RARE_SECONDS: Final = 30.0

BusTrouble = BusUnavailable | BusCallFailed
"""Why a bus, or somebody on it, is of no use."""


async def use_connections(
    bus: SessionBus,
    use: Callable[[Connection], Awaitable[None]],
    ended: Callable[[BusTrouble | None], None],
) -> NoReturn:
    """Use one connection after the other, until cancelled.

    ``use`` returns when the connection is lost. ``ended`` is called after each try, with what was wrong, or
    with None for a connection that was lost.
    """
    failures = 0
    while True:
        trouble: BusTrouble | None = None
        try:
            connection = await bus.connection()
            failures = 0
            await use(connection)
        except (BusUnavailable, BusCallFailed) as error:
            trouble = error
        ended(trouble)
        await _pause(failures)
        failures += 1


async def _pause(failures: int) -> None:
    """Wait before the next try.

    Whoever tries rarely tries at the same moments as all others who do: a machine at rest wakes up once for
    all of them.
    """
    seconds = pause_after(failures, RECONNECT_SECONDS)
    if seconds >= _RARE_SECONDS:
        now = asyncio.get_running_loop().time()
        seconds = (now // seconds + 1) * seconds - now
    await asyncio.sleep(seconds)
