"""Threads for what blocks. Results come back on the event loop's thread; nothing here touches the state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.core.errors import CredtrayError, Problem

_log = logging.getLogger(__name__)
T = TypeVar("T")

PORTAL_CALLS = 8
"""At once; the pace is kept where the calls are made."""


class Workers:
    """Portal calls eight at once, file work one after the other, sign-ins each in its own thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._portal = ThreadPoolExecutor(PORTAL_CALLS, "portal")
        self._files = ThreadPoolExecutor(1, "files")
        self._sign_ins = ThreadPoolExecutor(16, "sign-in")
        self._notices = ThreadPoolExecutor(1, "notices")
        self._under_way = 0

    def start(self) -> None:
        """Bind to the running event loop."""
        self._loop = asyncio.get_running_loop()

    @property
    def busy(self) -> bool:
        """True while something was started whose result has not come back (sign-ins apart)."""
        return self._under_way > 0

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

    def sign_in(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Problem], None]
    ) -> None:
        """Run a sign-in (minutes)."""
        self._submit(self._sign_ins, work, done, failed, counted=False)

    def _submit(
        self,
        pool: ThreadPoolExecutor,
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

    def close(self) -> None:
        """Let go of the threads without waiting for calls that hang."""
        for pool in (self._portal, self._files, self._sign_ins, self._notices):
            pool.shutdown(wait=False, cancel_futures=True)


def _without_values(error: Exception) -> Exception:
    """Return an error of the same traceback whose text cannot carry a secret."""
    return Exception(type(error).__name__).with_traceback(error.__traceback__)
