"""Tells how one part of the desktop is served, whenever that changes. Keeps only what it told last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from credtray.core.ports import DesktopPart, Part


class PartReport:
    """What one part tells of itself."""

    def __init__(self, name: Part, report: Callable[[DesktopPart], None]) -> None:
        self._name = name
        self._report = report
        self._told: DesktopPart | None = None

    @property
    def reason(self) -> str | None:
        """What was told last of why there is none, or none better."""
        return None if self._told is None else self._told.reason

    @property
    def is_served(self) -> bool:
        """Whether it was there, as was told last."""
        return self._told is not None and self._told.back_end is not None

    def tell(self, back_end: str | None, reason: str | None = None) -> None:
        """Report it, unless that is what was told last. See ``DesktopPart``."""
        part = DesktopPart(self._name, back_end, reason)
        if part != self._told:
            self._told = part
            self._report(part)


# Runs what belongs together: when one part ends, all end. Knows nothing of what the parts do.


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
