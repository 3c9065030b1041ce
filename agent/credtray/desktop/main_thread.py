"""Lends the main thread to the tray where the system insists on it (macOS, Windows); the agent runs beside.

Knows neither the agent nor the tray. Python handles signals on the main thread only, so they are heard here.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)

Work = Callable[[], None]

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Those of them that this system has."""
END_SECONDS = 10.0
"""For the agent to end when the system ends its process; at logout no system is much more patient."""


class MainThread:
    """The main thread of one process. Does nothing until ``run``."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Work, concurrent.futures.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._stop: Work = lambda: None
        self._served = threading.Event()
        self.is_ending = False
        """Whether ``end`` was called: then nobody needs the main thread back."""

    def run(self, serve: Work, stop: Work) -> None:
        """Run ``serve`` in another thread until it returns; do here meanwhile what ``lend`` brings.

        A signal that asks the process to end calls ``stop`` (any thread), even while what was lent the main
        thread is waiting in the system's own loop. Raises what ``serve`` raised.
        """
        self._stop = stop
        served: concurrent.futures.Future[None] = concurrent.futures.Future()
        # A daemon: the main thread is the one that waits for it.
        thread = threading.Thread(target=self._serve, args=(serve, served), name="agent", daemon=True)
        with _signals_heard(stop):
            thread.start()
            while (lent := self._work.get()) is not None:
                _do(*lent)
            thread.join()
        served.result()

    def lend(self, work: Work) -> concurrent.futures.Future[None]:
        """Have something done on the main thread, after what was asked for before; any thread."""
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._work.put((work, done))
        return done

    def end(self, seconds: float = END_SECONDS) -> None:
        """Stop the agent, and return when it has ended: after that the system ends the process at once.

        For the main thread, in the midst of what it was lent.
        """
        _log.info("asked to end by the system")
        self.is_ending = True
        self._stop()
        if not self._served.wait(seconds):
            _log.warning("the agent has not ended within %g s", seconds)

    def _serve(self, serve: Work, served: concurrent.futures.Future[None]) -> None:
        try:
            _do(serve, served)
        finally:
            self._served.set()
            self._work.put(None)


def _do(work: Work, done: concurrent.futures.Future[None]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
        done.set_exception(error)
    else:
        done.set_result(None)


@contextlib.contextmanager
def _signals_heard(stop: Work) -> Iterator[None]:
    """Call ``stop`` for every signal that asks to end.

    Python's own handlers wait until Python code runs on the main thread, and a system's event loop runs none
    for hours. The number of the signal is written to a socket at once, though, and that another thread reads.
    """
    heard, rung = socket.socketpair()
    rung.setblocking(False)
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    descriptor = signal.set_wakeup_fd(rung.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=_listen, args=(heard, set(numbers), stop), name="signals", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        rung.close()
        listener.join()
        heard.close()


def _listen(heard: socket.socket, numbers: set[int], stop: Work) -> None:
    while rung := heard.recv(16):  # nothing: the other end was closed
        if numbers.intersection(rung):
            _log.info("asked to end by a signal")
            stop()
