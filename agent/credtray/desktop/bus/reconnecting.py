"""Uses a message bus over all its connections: when one is lost, or there is none, it is tried again.

Knows nothing of what is said on the bus, and never gives up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.core.pauses import pause_after
from credtray.desktop.bus.session import Connection, SessionBus

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
