"""Threads for what blocks. Results come back on the event loop's thread; nothing here touches the state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from agent.core.errors import CredtrayError, Problem

_log = logging.getLogger(__name__)
T = TypeVar("T")

PORTAL_CALLS = 8
"""At once; the pace is kept where the calls are made."""

SIGN_INS = 16
"""At once, each of another session."""


class _Pool:
    """Threads that are made when needed and never hold up the end of the process.

    The standard pool waits for its threads at exit; a portal that hangs would keep the agent from stopping.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Run it as soon as a thread is free. Called by one thread only."""
        self._work.put(work)
        if not self._idle.acquire(blocking=False) and self._threads < self._most:
            self._threads += 1
            name = f"{self._name} {self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._work.get()()
            self._idle.release()


class Workers:
    """Portal calls eight at once, file work one after the other, sign-ins each in its own thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._portal = _Pool("portal", PORTAL_CALLS)
        self._files = _Pool("files", 1)
        self._sign_ins = _Pool("sign-in", SIGN_INS)
        self._notices = _Pool("notices", 1)
        self._under_way = 0
        self._resting: set[asyncio.Event] = set()

    def start(self) -> None:
        """Bind to the running event loop."""
        self._loop = asyncio.get_running_loop()

    @property
    def busy(self) -> bool:
        """True while something was started whose result has not come back (sign-ins apart)."""
        return self._under_way > 0

    @contextlib.contextmanager
    def resting(self) -> Iterator[asyncio.Event]:
        """Give an ``asyncio.Event`` that is set whenever work comes back; the holder clears it."""
        rested = asyncio.Event()
        self._resting.add(rested)
        try:
            yield rested
        finally:
            self._resting.discard(rested)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Run a function on the event loop's thread; from any thread. Dropped when the loop is closed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def portal(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Problem], None]
    ) -> None:
        """Run a portal call."""
        self._submit(self._portal, work, done, failed)

    def files(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Problem], None]
    ) -> None:
        """Run file work, after all file work submitted before."""
        self._submit(self._files, work, done, failed)

    def notices(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Problem], None]
    ) -> None:
        """Hand a notice to the desktop, which may hang without holding up anything else."""
        self._submit(self._notices, work, done, failed, counted=False)

    def sign_in(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Problem], None]
    ) -> None:
        """Run a sign-in (minutes)."""
        self._submit(self._sign_ins, work, done, failed, counted=False)

    def _submit(
        self,
        pool: _Pool,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Problem], None],
        *,
        counted: bool = True,
    ) -> None:
        self._under_way += counted

        def finish(report: Callable[[], None]) -> None:
            self._under_way -= counted
            report()
            for rested in self._resting:
                rested.set()

        def run() -> None:
            try:
                result = work()
            except CredtrayError as error:
                problem = error.problem
                self.call_soon(lambda: finish(lambda: failed(problem)))
            except Exception as error:  # noqa: BLE001 - the error border: a worker must never die silently
                _log.error("a worker failed: %s", type(error).__name__, exc_info=_without_values(error))
                problem = CredtrayError(type(error).__name__).problem
                self.call_soon(lambda: finish(lambda: failed(problem)))
            else:
                self.call_soon(lambda: finish(lambda: done(result)))

        pool.submit(run)


def _without_values(error: Exception) -> Exception:
    """Return an error of the same traceback whose text cannot carry a secret."""
    return Exception(type(error).__name__).with_traceback(error.__traceback__)
