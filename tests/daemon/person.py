"""A daemon with real threads, and the person at its browser, who does nothing until a test says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from credtray.core import protocol
from credtray.daemon.workers import Workers
from tests.core.making import config, profile
from tests.daemon.fakes import Daemon, Sink


class Person:
    """Sits in front of the browser and does nothing until a test says so; sign-ins run in real threads."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.urls: list[str] = []
        self.hold = threading.Event()
        daemon.browser.visit = self.urls.append
        daemon.clock.wait = self._wait  # type: ignore[method-assign]  # real time, a little of it

    def _wait(self, seconds: float) -> None:
        self.hold.wait(0.01)

    def allow(self) -> None:
        self.daemon.allow(self.urls[-1])


@asynccontextmanager
async def world(*names: str, sessions: tuple[Any, ...] = ()) -> AsyncIterator[tuple[Daemon, Person]]:
    """A daemon with real threads, and a person."""
    daemon = Daemon(*names, workers=Workers())
    if sessions:
        daemon.config.content = config(profile("dev"), profile("far", of="other"), sessions=sessions)
    person = Person(daemon)
    yield await daemon.started(), person


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what it waits for happens in real threads
            await asyncio.sleep(0.01)


def login(daemon: Daemon, **words: Any) -> tuple[asyncio.Task[Any], Sink]:
    sink = Sink()
    request = protocol.Login(words.pop("name", "corp"), **words)
    return asyncio.create_task(daemon.requests.handle(request, sink)), sink


def real(work: Any) -> None:
    """Threads take real time."""
    asyncio.run(work)
