"""The connections of a page on 127.0.0.1: each sends one request, is answered, and goes.

Must not judge a request or log one; nobody is waited for long, and the answer is whoever made the page's.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable

import h11

from credtray.core.errors import ListenerUnavailable
from credtray.core.loopback_peer import Address

BACKLOG = 128
_LONGEST_REQUEST = 16 * 1024

Answer = Callable[[h11.Request, Address], "bytes | asyncio.Future[bytes]"]
"""Takes a request and its sender's address; returns the whole answer, or what will be it."""


def unshared_port() -> socket.socket:
    """Return a listening socket of 127.0.0.1 that nobody can share: no SO_REUSEADDR, no SO_REUSEPORT.

    Raises:
        ListenerUnavailable: no port could be bound.
    """
    try:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise ListenerUnavailable(error.strerror or "no socket") from None
    try:
        if sys.platform == "win32":
            # Without it, any program of any user may bind the same port there and race for what is sent.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ListenerUnavailable(error.strerror or "no port") from None
    return listening


class Visitors:
    """Everybody who is connected, the one that has been silent longest first."""

    def __init__(self, answer: Answer, malformed: bytes, *, most: int, seconds: float) -> None:
        """Open nothing yet.

        Args:
            answer: to a request.
            malformed: the answer to what is no HTTP request.
            most: connections kept at once; one more, and the first goes.
            seconds: how long a visitor may take over its request.
        """
        self.answer = answer
        self.malformed = malformed
        self.seconds = seconds
        self._most = most
        self._present: dict[_Visitor, None] = {}

    def protocol(self) -> asyncio.Protocol:
        """Return what serves one more connection, on the running event loop."""
        return _Visitor(self)

    def came(self, visitor: _Visitor) -> None:
        """Keep a visitor, at the cost of the first that waits for nothing where there are too many."""
        if len(self._present) >= self._most:
            next((each for each in self._present if not each.held), next(iter(self._present))).drop()
        self._present[visitor] = None

    def went(self, visitor: _Visitor) -> None:
        """Forget a visitor."""
        self._present.pop(visitor, None)

    async def farewell(self, seconds: float) -> None:
        """Let the answers leave that are on their way, for so long at most; then close every connection."""
        leaving = [visitor.left for visitor in self._present if visitor.answered]
        if leaving:
            await asyncio.wait(leaving, timeout=seconds)
        for visitor in list(self._present):
            visitor.drop()
        await asyncio.sleep(0)  # lets the dropped connections report their end before the loop is closed


class _Visitor(asyncio.Protocol):
    """One connection."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_REQUEST)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.answered = False
        self.held = False
        """It has asked, and its answer comes later."""
        self.left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):  # never so for TCP; tells the type checker
            transport.close()
            return
        self._transport = transport
        self._visitors.came(self)
        self._timer = asyncio.get_running_loop().call_later(self._visitors.seconds, self.drop)

    def data_received(self, data: bytes) -> None:
        if self.answered or self.held or self._transport is None:
            return
        try:
            self._parser.receive_data(data)
            event = self._parser.next_event()
        except h11.RemoteProtocolError:
            self._say(self._visitors.malformed)
            return
        if isinstance(event, h11.Request):
            peer: Address = self._transport.get_extra_info("peername")
            self._give(self._visitors.answer(event, peer))

    def eof_received(self) -> bool:
        # A client may close its half once it has asked; the answer still goes out.
        return self.answered or self.held

    def connection_lost(self, _error: Exception | None) -> None:
        self._visitors.went(self)
        if self._timer is not None:
            self._timer.cancel()
        self.left.set_result(None)

    def drop(self) -> None:
        """Close without a word; what was already being sent may be lost."""
        self._visitors.went(self)
        if self._transport is not None:
            self._transport.abort()

    def _give(self, answer: bytes | asyncio.Future[bytes]) -> None:
        if isinstance(answer, bytes):
            self._say(answer)
            return
        self.held = True
        if self._timer is not None:
            self._timer.cancel()
        answer.add_done_callback(lambda settled: self._say(settled.result()))

    def _say(self, answer: bytes) -> None:
        self.answered = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)
            self._transport.close()
