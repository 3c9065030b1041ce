"""One connection to an X server, and the thread that alone talks to it.

Knows nothing of icons, menus and clipboards, and lets no error of X out of its thread: the guest hears of it.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import selectors
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

_log = logging.getLogger(__name__)


class Guest(Protocol):
    """What lives on the connection. Every method is called on the thread of the connection."""

    def begin(self, display: Any) -> None:
        """Make windows; the connection (an ``Xlib.display.Display``) is there now."""
        ...

    def handle(self, event: Any) -> None:
        """Take one event of the X server."""
        ...

    def leave(self) -> None:
        """Take away what should not stay; not called when the connection is gone."""
        ...

    def ended(self, reason: str | None) -> None:
        """Note the end: called once, last. None: it was asked for; else why, in words without secrets."""
        ...


class XThread:
    """Serves one guest until ``stop``, an error, or the end of the X server; then it is used up."""

    def __init__(self, name: str, address: str, guest: Guest) -> None:
        self._address = address
        self._guest = guest
        self._work: collections.deque[Callable[[], None]] = collections.deque()
        self._stopping = False
        self._waker: socket.socket | None = None
        self._name = name
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Connect and serve; the guest hears how that went."""
        woken, self._waker = socket.socketpair()
        woken.setblocking(False)
        self._waker.setblocking(False)
        # A daemon: an X server that hangs must not hold up the end of the process.
        self._thread = threading.Thread(
            target=self._run, args=(woken, self._waker), name=self._name, daemon=True
        )
        self._thread.start()

    def post(self, work: Callable[[], None]) -> None:
        """Have it done on the thread, after what was posted before; nothing happens once it has ended."""
        self._work.append(work)
        self._wake()

    def post_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Have it done on the thread after so many seconds."""
        timer = threading.Timer(seconds, self.post, (work,))
        timer.daemon = True  # it must not hold up the end of the process
        timer.start()

    def stop(self) -> None:
        """Ask it to end; returns at once. Any thread."""
        self._stopping = True
        self._wake()

    def join(self, seconds: float | None) -> bool:
        """Wait for its end; False when it did not come in time."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _wake(self) -> None:
        if self._waker is not None:
            with contextlib.suppress(OSError):  # full: it is awake already; closed: it has ended
                self._waker.send(b"x")

    def _run(self, woken: socket.socket, waker: socket.socket) -> None:
        reason: str | None = None
        try:
            with woken, waker:
                self._serve(woken)
        except Exception as error:  # noqa: BLE001 - an error border: X errors must not end the process
            reason = _said(error)
            _log.debug("the connection to %s ended", self._address, exc_info=error)
        self._guest.ended(reason)

    def _serve(self, woken: socket.socket) -> None:
        display = opened_display(_reachable(self._address))
        # The default handler prints. An error of one request means that a foreign window has gone meanwhile.
        display.set_error_handler(lambda error, _request: _log.debug("X error: %s", error))
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(display.fileno(), selectors.EVENT_READ)
                ready.register(woken, selectors.EVENT_READ)
                self._guest.begin(display)
                self._talk(display, ready, woken)
            self._guest.leave()
        finally:
            with contextlib.suppress(Exception):  # it was lost, and says so again
                display.close()

    def _talk(self, display: Any, ready: selectors.BaseSelector, woken: socket.socket) -> None:
        while True:
            while self._work:
                self._work.popleft()()
            if self._stopping:
                return
            display.flush()
            if display.pending_events():
                self._guest.handle(display.next_event())
                continue
            # python-xlib's flush sends what the socket takes at once; the rest has to wait for room, not for
            # the next event: a menu that was closed would stay on the screen of a busy server.
            unsent = selectors.EVENT_WRITE if display.display.data_send else 0
            ready.modify(display.fileno(), selectors.EVENT_READ | unsent)
            ready.select()
            with contextlib.suppress(BlockingIOError):
                woken.recv(4096)


def opened_display(name: str) -> Any:
    """Return the ``Xlib.display.Display`` of python-xlib's display ``name``; a failure leaves no socket open.

    Raises:
        Exception: one of python-xlib's, or of the operating system; see ``_said``.
    """
    import Xlib.display

    try:
        return Xlib.display.Display(name)
    except Exception as error:
        _close_forgotten(error)
        raise


def _close_forgotten(error: BaseException | None) -> None:
    """Close the socket that python-xlib forgets when it cannot connect: only its frames still know it."""
    while error is not None:
        for frame, _line in traceback.walk_tb(error.__traceback__):
            for value in frame.f_locals.values():
                forgotten = vars(value).get("socket") if hasattr(value, "__dict__") else value
                if isinstance(forgotten, socket.socket):
                    forgotten.close()
        error = error.__context__


def _reachable(address: str) -> str:
    """Return the address for python-xlib; for a server on this machine only by way of its Unix socket.

    By itself python-xlib goes on to TCP port 6000 + n, where any user could wait for our clipboard, and it
    leaks the sockets it could not connect.

    Raises:
        OSError: nobody listens there.
    """
    number = address.removeprefix("unix").removeprefix(":").partition(".")[0]
    if not address.startswith((":", "unix:")) or not number.isdecimal():
        return address
    if sys.platform != "win32":  # it has no Unix sockets for Python, says the type checker
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where every X server has its socket
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(path if Path(path).exists() else f"\0{path}")
    return f"unix/:{address.partition(':')[2]}"


def _said(error: Exception) -> str:
    """Put what python-xlib raises into words; its texts name displays and files only."""
    name = type(error).__name__
    known = {
        "ConnectionRefusedError": "no X server listens there",
        "ConnectionClosedError": "the X server has closed the connection",
        "DisplayConnectionError": "the X server refuses the connection",
        "DisplayNameError": "DISPLAY does not name an X server",
        "XauthError": "the X server's key (.Xauthority) cannot be read",
    }
    return known.get(name, f"an error of the X connection ({name})")
