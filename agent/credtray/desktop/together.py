"""Runs what belongs together: when one part ends, all end. Knows nothing of what the parts do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*parts: Coroutine[Any, Any, object]) -> None:
    """Run them side by side until one of them ends, or the caller is cancelled; raise what it failed with.

    Unlike a TaskGroup it raises the very error, whose traceback is worth logging.
    """
    tasks = [asyncio.create_task(part, name=f"part {number}") for number, part in enumerate(parts)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
