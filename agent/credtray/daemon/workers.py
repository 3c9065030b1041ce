"""Threads for what blocks. Results come back on the event loop's thread; nothing here touches the state."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from credtray.core.backoff import pause_after
from credtray.core.errors import CredtrayError, Problem, error_for
from credtray.core.policy import AT_ONCE

_log = logging.getLogger(__name__)
T = TypeVar("T")

PORTAL_CALLS = AT_ONCE + 1
"""At once for each session, its refresh or sign-out included; the pace is kept where the calls are made."""

SIGN_INS = 16
"""At once, each of another session."""

DESKTOP = 4
"""At once: browsers, editors and files of the desktop, each of which may hang for two seconds."""

STAFF_SECONDS = 1.0
"""How long to wait for the system to allow another thread."""


class Pool(Protocol):
    """Does work somewhere else; see ``ThreadPool``."""

    def submit(self, work: Callable[[], None]) -> bool:
        """Run it soon; False when ``staff`` must be called again for that."""
        ...

    def staff(self) -> bool:
        """Begin a thread if there may be one more; False when nobody is there to do the work."""
        ...


class ThreadPool:
    """Threads that are made when needed and never hold up the end of the process.

    The standard pool waits for its threads at exit; a portal that hangs would keep the agent from stopping.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def submit(self, work: Callable[[], None]) -> bool:
        """Run it as soon as a thread is free; False when ``staff`` must be called again for that.

        Called by one thread only, like ``staff``.
        """
        self._work.put(work)
        return self._idle.acquire(blocking=False) or self.staff()

    def staff(self) -> bool:
        """Begin a thread if there may be one more; False when nobody is there to do the work."""
        if self._threads == self._most:
            return True
        name = f"{self._name} {self._threads + 1}"
        try:
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        except RuntimeError:  # the system allows no more threads
            return self._threads > 0
        self._threads += 1
        return True

    def _serve(self) -> None:
        while True:
            self._work.get()()
            self._idle.release()


class Workers:
    """Portal calls some at once for each session, file work one after the other, each sign-in in a thread."""

    def __init__(self, pool: Callable[[str, int], Pool] = ThreadPool) -> None:
        """Bind to nothing yet; ``pool`` makes a pool of a name and a size."""
        self._pool = pool
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: int | None = None
        self._portal: dict[str, Pool] = {}
        self._files = pool("files", 1)
        self._sign_ins = pool("sign-in", SIGN_INS)
        self._notices = pool("notices", 1)
        self._desktop = pool("desktop", DESKTOP)
        self._under_way = 0
        self._filing = 0
        self._resting: set[asyncio.Event] = set()

    def start(self) -> None:
        """Bind to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    @property
    def busy(self) -> bool:
        """True while something was started whose result has not come back (sign-ins apart)."""
        return self._under_way > 0

    @property
    def filing(self) -> bool:
        """True while there is file work whose result has not come back."""
        return self._filing > 0

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
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # closed
                self._loop.call_soon_threadsafe(function)

    def written(self, function: Callable[[], None], seconds: float) -> None:
        """Run a function on the event loop's thread, and wait until all files are written by then.

        For the thread of a sign-in; *seconds* is the longest it waits, for a disk that hangs. In the event
        loop's own thread nothing is waited for.
        """
        written = threading.Event()

        def begin() -> None:
            function()
            self.files(written.set, _loaded, _loaded)

        self.call_soon(begin)
        if threading.get_ident() != self._thread:
            written.wait(seconds)

    def portal(
        self,
        session: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Problem], None],
        *,
        counted: bool = True,
    ) -> None:
        """Run a portal call. One session's portal that hangs does not delay another's.

        One that is not counted makes nobody ``busy``: no command waits for it.
        """
        self._submit(self._portal_of(session), work, done, failed, counted=counted)

    async def portal_result_of(self, session: str, work: Callable[[], T]) -> T:
        """Run a portal call that no command waits for; return its result, raise as ``result_of`` does."""
        return await self._result(self._portal_of(session), work, counted=False)

    def _portal_of(self, session: str) -> Pool:
        pool = self._portal.get(session)
        if pool is None:
            pool = self._portal[session] = self._pool("portal", PORTAL_CALLS)
        return pool

    def files(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Problem], None]
    ) -> None:
        """Run file work, after all file work submitted before."""
        self._submit(self._files, work, done, failed)

    async def result_of(self, work: Callable[[], T]) -> T:
        """Run file work and return its result.

        Raises:
            CredtrayError: what it failed with.
        """
        return await self._result(self._files, work)

    def preload(self, modules: Sequence[str]) -> None:
        """Import modules in a thread, for a caller that needs them soon; a missing one shows when used."""

        def work() -> None:
            for name in modules:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)

        self._submit(self._desktop, work, _loaded, _loaded, counted=False)

    async def desktop_result_of(self, work: Callable[[], T]) -> T:
        """Run what a click asks of the desktop and return its result; raises as ``result_of`` does."""
        return await self._result(self._desktop, work, counted=False)

    async def _result(self, pool: Pool, work: Callable[[], T], *, counted: bool = True) -> T:
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(result: T) -> None:
            if not outcome.done():  # else nobody waits for it any more
                outcome.set_result(result)

        def failed(problem: Problem) -> None:
            if not outcome.done():
                outcome.set_exception(error_for(problem))

        self._submit(pool, work, done, failed, counted=counted)
        return await outcome

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
        pool: Pool,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Problem], None],
        *,
        counted: bool = True,
    ) -> None:
        filed = pool is self._files
        self._under_way += counted
        self._filing += filed

        def finish(report: Callable[[], None]) -> None:
            self._under_way -= counted
            self._filing -= filed
            try:
                report()
            finally:
                for rested in self._resting:
                    rested.set()

        def run() -> None:
            try:
                result = work()
            except CredtrayError as error:
                problem = error.problem
                self.call_soon(lambda: finish(lambda: failed(problem)))
            except Exception as error:  # noqa: BLE001 - the error border: a worker must never die silently
                _log.error("a worker failed: %s", type(error).__name__, exc_info=without_values(error))
                problem = CredtrayError(type(error).__name__).problem
                self.call_soon(lambda: finish(lambda: failed(problem)))
            else:
                self.call_soon(lambda: finish(lambda: done(result)))

        if not pool.submit(run):
            self._staff_later(pool)

    def _staff_later(self, pool: Pool) -> None:
        """The work waits in the queue: without a thread it would wait forever, and whoever asked with it."""
        _log.warning("the system does not allow more threads; trying again")

        def again() -> None:
            if not pool.staff():
                self._staff_later(pool)

        asyncio.get_running_loop().call_later(STAFF_SECONDS, again)


def without_values(error: Exception) -> Exception:
    """Return an error of the same traceback whose text cannot carry a secret."""
    return Exception(type(error).__name__).with_traceback(error.__traceback__)


def _loaded(_outcome: object) -> None:
    """Nothing follows."""


# Keeps a helper task alive: when it dies, that is logged, and it is begun again after a while.


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
