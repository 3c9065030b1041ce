"""Runs the fakes of the tests without a screen beside a test that blocks: in a loop of their own.

Fakes nothing itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.desktop.presence_fakes import FakeService

T = TypeVar("T")


class Offstage:
    """Services on a bus; what is done with them is done on their loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def do(self, act: Callable[[], None]) -> None:
        async def once() -> None:
            act()

        self.run(once())


@contextmanager
def offstage(*services: FakeService) -> Iterator[Offstage]:
    """Run the services until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="offstage")
    thread.start()
    found = Offstage(loop)
    try:
        for service in services:
            found.run(service.start())
        yield found
    finally:
        for service in services:
            found.run(service.die())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
