"""The wait for what comes at once when it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds."""


async def until(met: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for what another connection is about to bring."""
    async with asyncio.timeout(seconds):
        while not met():  # noqa: ASYNC110 - what is awaited sets no event
            await asyncio.sleep(0.005)
