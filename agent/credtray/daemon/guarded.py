"""Keeps a helper task alive: when it dies, that is logged, and it is begun again after a while."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from credtray.core.backoff import pause_after
from credtray.daemon.workers import without_values

_log = logging.getLogger(__name__)

RESTART_SECONDS = (1.0, 5.0, 30.0)
"""Before a helper task that died is begun again; the last one for good."""


@contextlib.asynccontextmanager
async def guarded(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run a helper task beside the service: its death is logged, and it is begun again after a while."""

    async def guard() -> None:
        for failures in itertools.count():
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - an error border: what watches may die and come back
                _log.error("%s ended unexpectedly", name, exc_info=without_values(error))
            else:
                return
            await asyncio.sleep(pause_after(failures, RESTART_SECONDS))

    task = asyncio.create_task(guard(), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
