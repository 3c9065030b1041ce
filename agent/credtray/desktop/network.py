"""Hints that the network may have come back: the kernel added a route.

Only a hint: it asks nobody whether a portal can be reached, and the tick finds out without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Final, Protocol

_log = logging.getLogger(__name__)

_RTM_NEWROUTE: Final = 24
_ROUTE_GROUPS: Final = 0x40 | 0x400
"""RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE (linux/rtnetlink.h)."""
_TABLE_MAIN: Final = 254
_HEADER: Final = struct.Struct("=IHHII")
_TABLE_OFFSET: Final = 4
"""Of ``rtm_table`` in ``struct rtmsg``."""
_PIECE: Final = 65536
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
    if sys.platform != "linux":
        return NoNetworkWatch(
            "Network changes are not reported on this system; credtray checks regularly instead."
        )
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        return RouteWatch()


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

    class RouteWatch:
        """Listens to the kernel's routing messages (rtnetlink(7))."""

        def __init__(self) -> None:
            self.reason: str | None = None

        async def run(self, changed: Callable[[], None]) -> None:
            """Call ``changed`` once per burst of new routes, until cancelled."""
            try:
                with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as listener:
                    listener.setblocking(False)
                    listener.bind((0, _ROUTE_GROUPS))
                    await self._listen(listener, changed)
            except OSError as error:
                self.reason = f"Network changes cannot be watched: {error.strerror}."
                _log.warning("%s", self.reason)

        async def _listen(self, listener: socket.socket, changed: Callable[[], None]) -> None:
            while True:
                await self._route(listener)
                await asyncio.sleep(SETTLE_SECONDS)
                with contextlib.suppress(OSError):  # BlockingIOError at the end, ENOBUFS at a flood
                    while listener.recv(_PIECE):
                        pass
                changed()

        async def _route(self, listener: socket.socket) -> None:
            loop = asyncio.get_running_loop()
            while True:
                try:
                    if tells_of_route(await loop.sock_recv(listener, _PIECE)):
                        return
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    return  # messages were lost, so look
