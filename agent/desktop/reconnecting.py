"""When to try a message bus again that cannot be reached. Knows nothing of buses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

RECONNECT_SECONDS: Final = (1.0, 2.0, 5.0, 5.0, 5.0, 30.0, 60.0)
"""Before each try; the last one for good."""
_RARE_SECONDS: Final = 30.0


async def pause_before_try(tries: int, pauses: Sequence[float] = RECONNECT_SECONDS) -> None:
    """Wait before the next try, after so many in vain.

    Whoever tries rarely tries at the same moments as all others who do: a machine at rest wakes up once for
    all of them.
    """
    seconds = pauses[min(tries, len(pauses) - 1)]
    if seconds >= _RARE_SECONDS:
        now = asyncio.get_running_loop().time()
        seconds = (now // seconds + 1) * seconds - now
    await asyncio.sleep(seconds)
