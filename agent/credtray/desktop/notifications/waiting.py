"""How a worker thread waits for what a loop does: never longer than two seconds, and hears why.

Must not be called on the thread of that very loop: it would wait for itself.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any, Final

from credtray.core.errors import NotifierUnavailable

SHOW_SECONDS: Final = 2.0
"""For a notice, from the worker's call to the answer."""
NOT_JOINED: Final = "the agent is not connected to the desktop yet"


def wait_for_loop(
    loop: asyncio.AbstractEventLoop | None,
    work: Callable[[], Coroutine[Any, Any, None]],
    seconds: float = SHOW_SECONDS,
) -> None:
    """Run ``work`` on the loop and wait until it is done.

    Raises:
        NotifierUnavailable: there is no loop, it takes too long (it is given up), or what ``work`` raised.
    """
    if loop is None:
        raise NotifierUnavailable(NOT_JOINED)
    coroutine = work()
    try:
        outcome = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError as error:  # the loop was closed a moment ago
        coroutine.close()
        raise NotifierUnavailable(NOT_JOINED) from error
    try:
        outcome.result(seconds)
    except (TimeoutError, concurrent.futures.CancelledError) as error:
        outcome.cancel()
        raise NotifierUnavailable(f"nothing was shown within {seconds:g} s") from error
