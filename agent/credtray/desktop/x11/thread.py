"""One connection to an X server, and the thread that alone talks to it.

Knows nothing of icons, menus and clipboards, and lets no error of X out of its thread: the guest hears of it.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import re
import selectors
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)


class XClient(Protocol):
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

    def __init__(self, name: str, address: str, guest: XClient) -> None:
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


# Puts Pillow's pictures on windows of an X server, over what is there already.
#
# Knows windows of 24 and 32 bits only (``DEPTHS``); others have been rare for twenty years.


DEPTHS = (24, 32)
"""Bits of a pixel that carry something; each pixel takes four bytes in both."""
_OPAQUE = 24
_STRIP_BYTES = 200_000
"""A request is at most 256 kB long on every X server."""
_ALL_PLANES = 0xFFFFFFFF


def background(window: Any, width: int, height: int, depth: int) -> Image:
    """Return what the window shows now, as RGBA. The window is on the screen.

    Raises:
        Xlib.error.XError: it is not, or no longer.
    """
    from PIL import Image
    from Xlib import X

    reply = window.get_image(0, 0, width, height, X.ZPixmap, _ALL_PLANES)
    if depth == _OPAQUE:
        opaque = Image.frombytes("RGB", (width, height), reply.data, "raw", "BGRX")
        return opaque.convert("RGBA")
    return Image.frombytes("RGBA", (width, height), reply.data, "raw", "BGRa")  # a: colours times opacity


def put(window: Any, gc: Any, image: Image, depth: int) -> None:
    """Show an RGBA picture at the window's upper left corner; transparent parts stay so at 32 bits only."""
    from Xlib import X

    if depth == _OPAQUE:
        data = image.convert("RGB").tobytes("raw", "BGRX")
    else:
        data = image.convert("RGBa").tobytes("raw", "BGRa")
    width, height = image.size
    rows = max(1, _STRIP_BYTES // (4 * width))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        strip = data[4 * width * top : 4 * width * (top + count)]
        window.put_image(gc, 0, top, width, count, X.ZPixmap, depth, 0, strip)


# What an X server tells of its screen: monitors and how fine they are. Changes nothing.


_USUAL_DPI = 96
_FINEST_DPI = 480


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle, in pixels from the screen's upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Tell whether a point lies in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def moved_into(self, other: Area) -> Area:
        """Return it moved until no part lies outside, where it fits."""
        x = max(other.x, min(self.x, other.x + other.width - self.width))
        y = max(other.y, min(self.y, other.y + other.height - self.height))
        return replace(self, x=x, y=y)


def monitor_at(display: Any, x: int, y: int) -> Area:
    """Return the monitor a point lies on; the whole screen where the server knows none."""
    screen = display.screen()
    if display.has_extension("RANDR"):
        for each in screen.root.xrandr_get_monitors().monitors:
            area = Area(each.x, each.y, each.width_in_pixels, each.height_in_pixels)
            if area.holds(x, y):
                return area
    return Area(0, 0, screen.width_in_pixels, screen.height_in_pixels)


def dots_per_inch(display: Any) -> int:
    """Return what the desktop has set (``Xft.dpi``); 96 where it has not."""
    atom = display.intern_atom
    found = display.screen().root.get_full_property(atom("RESOURCE_MANAGER"), atom("STRING"))
    if found is None:
        return _USUAL_DPI
    text = found.value if isinstance(found.value, bytes) else str(found.value).encode()
    set_to = re.search(rb"^Xft\.dpi:\s*(\d{2,3})", text, re.MULTILINE)
    return min(int(set_to[1]), _FINEST_DPI) if set_to else _USUAL_DPI
