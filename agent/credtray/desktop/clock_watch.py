"""Tells at once when somebody sets the clock or the machine wakes up, without a single wakeup in between.

The clock on Linux only; elsewhere the tick finds out within 30 s. Says nothing about what happened
to the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import functools
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Protocol

_CLOCK_REALTIME: Final = 0
_TFD_NONBLOCK_CLOEXEC: Final = 0o2004000
_TFD_TIMER_ABSTIME: Final = 1
_TFD_TIMER_CANCEL_ON_SET: Final = 2
_NEVER: Final = 2**62 // 10**9
"""Seconds since 1970: far enough, and small enough for the kernel's nanoseconds in 63 bits."""


class ClockWatch:
    """A timer that is cancelled by the kernel whenever the wall clock jumps (timerfd_create(2))."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._descriptor: int | None = None

    def start(self) -> str | None:
        """Begin to watch on the running loop; return why that is not possible, or None.

        ``changed`` is called on the loop's own thread.
        """
        if os.name == "nt" or not hasattr(_libc(), "timerfd_create"):
            return "This system does not report clock changes; credtray checks regularly instead."
        descriptor = _libc().timerfd_create(_CLOCK_REALTIME, _TFD_NONBLOCK_CLOEXEC)
        if descriptor < 0 or not _arm(descriptor):
            return f"The clock cannot be watched: {os.strerror(ctypes.get_errno())}."
        self._descriptor = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._rung, descriptor)
        return None

    def close(self) -> None:
        """Stop watching."""
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _rung(self, descriptor: int) -> None:
        try:
            os.read(descriptor, 8)
        except BlockingIOError:
            return
        except OSError:  # ECANCELED: that is the message
            pass
        if not _arm(descriptor):
            self.close()  # a timer that rings forever would be worse than the tick alone
        self._changed()


class _Timer(ctypes.Structure):
    """``struct itimerspec``: interval and value, seconds and nanoseconds each."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("again", "again_ns", "first", "first_ns"))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _arm(descriptor: int) -> bool:
    timer = _Timer(0, 0, _NEVER, 0)
    flags = _TFD_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET
    return bool(_libc().timerfd_settime(descriptor, flags, ctypes.byref(timer), None) == 0)


# This system's clocks: the wall, and how long the machine has been running, with and without sleep.
#
# Decides nothing from them; see daemon/scheduler.


_CLOCKS: Final = (
    ("CLOCK_MONOTONIC", "CLOCK_BOOTTIME"),
    ("CLOCK_UPTIME_RAW", "CLOCK_MONOTONIC_RAW"),
)
"""Names in ``time`` of a clock that stands still in sleep and one that goes on: Linux, macOS.

clock_gettime(3) of macOS: CLOCK_MONOTONIC_RAW goes on in sleep there, and neither of the two is slewed, so
that they differ by sleep alone. Linux has a clock of that name, too, which stands still.
"""


class SystemClock:
    """The real time, as ``core.ports.Clock`` and the scheduler want it."""

    def __init__(self, system: Any = time, kernel32: Any = None) -> None:
        """Take the module ``time``, whose clocks differ from system to system, and Windows' own library."""
        self._system = system
        self._kernel32 = kernel32 or _kernel32()
        self._clocks = next((pair for pair in _CLOCKS if all(hasattr(system, name) for name in pair)), None)

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Block the calling thread; not for the event loop."""
        time.sleep(max(0.0, seconds))

    def awake(self) -> float:
        """Return seconds on a clock that nobody can set and that stands still in sleep."""
        return self._seconds(0)

    def running(self) -> float:
        """Return seconds on a clock that nobody can set and that goes on in sleep.

        Where the system has no such clock, ``awake()``: then sleep looks like a clock that was set, and both
        only make us look again.
        """
        return self._seconds(1)

    def _seconds(self, which: int) -> float:
        if self._kernel32 is not None:
            return _ticks(self._kernel32)[which]
        if self._clocks is None:
            return float(self._system.monotonic())
        return float(self._system.clock_gettime(getattr(self._system, self._clocks[which])))


@functools.cache
def _kernel32() -> Any:
    if not hasattr(ctypes, "WinDLL"):
        return None
    library = ctypes.WinDLL("kernel32")
    library.GetTickCount64.restype = ctypes.c_ulonglong
    return library


def _ticks(kernel32: Any) -> tuple[float, float]:
    """Return seconds without and with sleep: one count of interrupts, so that sleep alone differs.

    ``time.monotonic`` goes on in sleep, and from Python 3.13 on it is another clock.
    """
    awake = ctypes.c_ulonglong()  # of 100 ns
    kernel32.QueryUnbiasedInterruptTime(ctypes.byref(awake))
    return awake.value / 1e7, kernel32.GetTickCount64() / 1e3


# Hints that the network may have come back: a route (Linux) or an address (macOS, Windows) was added.
#
# Only a hint: it asks nobody whether a portal can be reached, and the tick finds out without it.


_log = logging.getLogger(__name__)

_RTM_NEWROUTE: Final = 24
_ROUTE_GROUPS: Final = 0x40 | 0x400
"""RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE (linux/rtnetlink.h)."""
_TABLE_MAIN: Final = 254
_HEADER: Final = struct.Struct("=IHHII")
_TABLE_OFFSET: Final = 4
"""Of ``rtm_table`` in ``struct rtmsg``."""
_AF_ROUTE: Final = 17
_RTM_VERSION: Final = 5
_RTM_NEWADDR: Final = 12
"""sys/socket.h and net/route.h of macOS."""
_BSD_HEADER: Final = struct.Struct("=HBB")
"""How each message of its routing socket begins (route(4)): length, version, type."""
_PIECE: Final = 65536
_ERROR_IO_PENDING: Final = 997
_INFINITE: Final = 0xFFFFFFFF
SETTLE_SECONDS: Final = 0.5
"""A link that comes up adds a dozen routes: one hint for all of them."""


class NetworkWatch(Protocol):
    """Tells when the network may have come back."""

    reason: str | None
    """Why it never will, or None."""

    async def run(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` on the loop's own thread after each change, until cancelled."""
        ...


class NoNetworkWatch:
    """There is nothing to listen to; ``run`` returns at once."""

    def __init__(self, reason: str) -> None:
        self.reason: str | None = reason

    async def run(self, changed: Callable[[], None]) -> None:
        """Do nothing."""


def network_watch() -> NetworkWatch:
    """Return what this system offers."""
    if sys.platform == "linux":
        return KernelWatch(_linux_routes, tells_of_route)
    elif sys.platform == "darwin":  # noqa: RET505 -- type checkers take the branch of their platform
        return KernelWatch(lambda: socket.socket(_AF_ROUTE, socket.SOCK_RAW), tells_of_address)
    elif sys.platform == "win32":
        return AddressWatch()
    else:
        return NoNetworkWatch(
            "Network changes are not reported on this system; credtray checks regularly instead."
        )


def tells_of_address(data: bytes) -> bool:
    """Return True when a message of a BSD routing socket says that an interface got an address.

    New routes are no news there: there may be one for each computer that is talked to.
    """
    while len(data) >= _BSD_HEADER.size:
        length, version, kind = _BSD_HEADER.unpack_from(data)
        if version != _RTM_VERSION or length < _BSD_HEADER.size:
            return False
        if kind == _RTM_NEWADDR:
            return True
        data = data[length:]
    return False


class AddressWatch:
    """Hears from Windows when an address of this machine comes or goes (NotifyAddrChange)."""

    def __init__(self, changes: Callable[[], int] | None = None) -> None:
        """*changes* waits for the next change in a thread, and returns an error of Windows or 0."""
        self.reason: str | None = None
        self._changes = changes or _next_address_change

    async def run(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` once per burst of changes, until cancelled or Windows tells no more."""
        loop, told = asyncio.get_running_loop(), asyncio.Event()

        def wait() -> None:
            while (trouble := self._changes()) == 0:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(told.set)
            with contextlib.suppress(RuntimeError):  # as above
                loop.call_soon_threadsafe(fail, trouble)

        def fail(trouble: int) -> None:
            failed.set_result(trouble)
            told.set()

        failed: asyncio.Future[int] = loop.create_future()
        # A daemon: nothing ends the call, and it holds nothing.
        threading.Thread(target=wait, name="network", daemon=True).start()
        while not failed.done():
            await told.wait()
            if not failed.done():
                await asyncio.sleep(SETTLE_SECONDS)
                told.clear()
                changed()
        self.reason = f"Network changes cannot be watched: error {failed.result()} of Windows."
        _log.warning("%s", self.reason)


class _Overlapped(ctypes.Structure):
    """``OVERLAPPED``: the last member is the event that is set."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("internal", "internal_high", "offset", "event"))


def _next_address_change() -> int:
    """Wait for an address to come or go; return 0, or what Windows says against it."""
    libraries: Any = ctypes  # WinDLL is there on Windows only, for type checkers too
    kernel32, handle = libraries.WinDLL("kernel32"), ctypes.c_void_p()
    kernel32.CreateEventW.restype = ctypes.c_void_p
    event = ctypes.c_void_p(kernel32.CreateEventW(None, True, False, None))
    change = _Overlapped(event=event.value)
    told = libraries.WinDLL("iphlpapi").NotifyAddrChange(ctypes.byref(handle), ctypes.byref(change))
    if told == _ERROR_IO_PENDING:
        told = kernel32.WaitForSingleObject(event, _INFINITE)
    kernel32.CloseHandle(event)
    return int(told)


def tells_of_route(data: bytes) -> bool:
    """Return True when a netlink datagram says that a route was added to the main table.

    Routes of the local table come with every address of a container; they bring no portal nearer.
    """
    return any(
        kind == _RTM_NEWROUTE and len(body) > _TABLE_OFFSET and body[_TABLE_OFFSET] == _TABLE_MAIN
        for kind, body in _messages(data)
    )


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data)
        if length < _HEADER.size:
            return
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


if sys.platform == "linux":

    def _linux_routes() -> socket.socket:
        """Return a socket with the kernel's routing messages (rtnetlink(7))."""
        listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        try:
            listener.bind((0, _ROUTE_GROUPS))
        except OSError:
            listener.close()
            raise
        return listener


class KernelWatch:
    """Listens to the kernel's messages about routes and addresses."""

    def __init__(self, listener: Callable[[], socket.socket], tells: Callable[[bytes], bool]) -> None:
        """Open nothing yet; ``tells`` whether one message is worth a hint."""
        self._listener = listener
        self._tells = tells
        self.reason: str | None = None

    async def run(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` once per burst of news, until cancelled."""
        try:
            with self._listener() as listener:
                listener.setblocking(False)
                await self._listen(listener, changed)
        except OSError as error:
            self.reason = f"Network changes cannot be watched: {error.strerror}."
            _log.warning("%s", self.reason)

    async def _listen(self, listener: socket.socket, changed: Callable[[], None]) -> None:
        while True:
            await self._news(listener)
            await asyncio.sleep(SETTLE_SECONDS)
            with contextlib.suppress(OSError):  # BlockingIOError at the end, ENOBUFS at a flood
                while listener.recv(_PIECE):
                    pass
            changed()

    async def _news(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self._tells(await loop.sock_recv(listener, _PIECE)):
                    return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                return  # messages were lost, so look
