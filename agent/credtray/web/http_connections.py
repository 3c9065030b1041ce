"""The connections of a page or endpoint on 127.0.0.1: each sends one request, is answered, and ends.

Must not judge a request or log one; nobody is waited for long, and the answer is whoever serves here.
An answer may go on for as long as the client stays (server-sent events) and reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

import h11

from credtray.core.errors import ListenerUnavailable
from credtray.web.loopback_peer import Address, owner_in

_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64
"""Then what these have sent is read: a crowd that comes in one go pushes out nobody who has asked."""
_LONGEST_HEAD = 16 * 1024
_PORTS = range(20000, 32768)
"""Below the ports that systems lend to outgoing connections: ours is rarely taken when we come back."""
_TRIES = 20
_UNREAD = 256 * 1024
"""Bytes of an answer that goes on which a client may leave unread."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    request: h11.Request
    peer: Address
    head: bytes
    """Everything up to and with the empty line."""
    rest: bytes
    """What came after the request: a second one, or a body where none is read."""
    body: bytes = b""
    """Whole where bodies are read and its length was told and not too long; else empty."""


Stream = AsyncGenerator[bytes, None]
"""The pieces of an answer that goes on, head and all; closed when the client goes."""
Answer = Callable[[Received], "bytes | asyncio.Future[bytes] | Stream"]
"""Returns the whole answer, or what will be it, or its pieces. A task is that request's own and is cancelled
when the client goes; any other future may be the answer to several."""
Refuse = Callable[[h11.RemoteProtocolError], bytes]
"""Returns the answer to what is no HTTP request."""


def listening_socket(port: int = 0) -> socket.socket:
    """Return a listening socket of 127.0.0.1 that nobody can share; 0: on any free port.

    Raises:
        OSError: the port is taken, or there is none.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # Without it, any program of any user may bind the same port there and race for what is sent.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif port:
            # Else the connections of our own past would keep the port from us for a minute. It lets nobody
            # share a port that somebody listens on: that would take SO_REUSEPORT on both sides.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(_BACKLOG)  # at once: until then another socket could be bound beside it
    except OSError:
        listening.close()
        raise
    return listening


def lasting_socket(port: int | None = None) -> socket.socket:
    """Return a ``listening_socket`` on a port that can be taken again later: *port* where it is free.

    Raises:
        OSError: no port is free.
    """
    wanted = [] if port is None else [port]
    for each in (*wanted, *(secrets.choice(_PORTS) for _ in range(_TRIES))):
        with contextlib.suppress(OSError):
            return listening_socket(each)
    return listening_socket(0)


async def begin_serving(protocol: Callable[[], asyncio.Protocol], listening: socket.socket) -> asyncio.Server:
    """Serve on a listening socket; asyncio's own backlog is also how many it accepts at once."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, sock=listening, backlog=_ACCEPTED_AT_ONCE)
    listening.listen(_BACKLOG)
    return server


def page_socket(port: int = 0) -> socket.socket:
    """Return a ``listening_socket`` for a page a browser is to open, on a free port or on this one.

    Raises:
        ListenerUnavailable: no port could be bound.
    """
    try:
        return listening_socket(port)
    except OSError as error:
        which = f"port {port}: " if port else ""
        raise ListenerUnavailable(f"{which}{error.strerror or 'no port'}") from None


class HttpConnections:
    """Everybody who is connected."""

    def __init__(
        self, answer: Answer, refuse: Refuse, *, most: int, seconds: float, longest_body: int = 0
    ) -> None:
        """Open nothing yet.

        Args:
            answer: to a request.
            refuse: what is no HTTP request.
            most: connections kept that have no answer coming; one more, and the first of them goes.
            seconds: how long a client may take over its request, and over reading an answer given at once.
            longest_body: bytes of a body that are read before the request is answered; 0 reads none.
        """
        self.answer = answer
        self.refuse = refuse
        self.seconds = seconds
        self.longest_body = longest_body
        self._most = most
        self._silent: dict[_Connection, None] = {}
        """They wait for nothing yet, the one that has been here longest first."""
        self._asked: set[_Connection] = set()
        """Their answers are coming, or on their way."""

    def protocol(self) -> asyncio.Protocol:
        """Return what serves one more connection, on the running event loop."""
        return _Connection(self)

    def add(self, connection: _Connection) -> None:
        """Keep a connection, at the cost of the first silent one where there are too many."""
        if len(self._silent) >= self._most:
            next(iter(self._silent)).drop()
        self._silent[connection] = None

    def heard(self, connection: _Connection) -> None:
        """Keep a connection that has asked, whoever comes: it makes no room for others."""
        self._silent.pop(connection, None)
        self._asked.add(connection)

    def remove(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._silent.pop(connection, None)
        self._asked.discard(connection)

    async def drain(self, seconds: float) -> None:
        """Let the answers leave that are on their way, for so long at most; then close every connection."""
        leaving = [connection.closed for connection in self._asked if connection.answered]
        if leaving and seconds:
            await asyncio.wait(leaving, timeout=seconds)
        for connection in (*self._silent, *self._asked):
            connection.drop()
        await asyncio.sleep(0)  # lets the dropped connections report their end before the loop is closed


class _Connection(asyncio.Protocol):
    """One connection: reads one request, answers it, closes."""

    def __init__(self, connections: HttpConnections) -> None:
        self._connections = connections
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
        self._received = bytearray()
        self._asked: tuple[h11.Request, bytes] | None = None
        """Request and head of which the body is still coming."""
        self._body = bytearray()
        self._heard = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._coming: asyncio.Future[bytes] | asyncio.Task[None] | None = None
        self._pouring = False
        self.answered = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):  # never so for TCP; tells the type checker
            transport.close()
            return
        self._transport = transport
        self._connections.add(self)
        self._timer = asyncio.get_running_loop().call_later(self._connections.seconds, self.drop)

    def data_received(self, data: bytes) -> None:
        if self._heard or self._transport is None:
            return
        self._received += data
        try:
            self._parser.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            self._hear()
            self._send(self._connections.refuse(error))

    def _read(self) -> None:
        """Take what the parser has made of it; answer when the request is there."""
        event = self._parser.next_event()
        if isinstance(event, h11.Request):
            rest = self._parser.trailing_data[0]
            head = bytes(self._received[: len(self._received) - len(rest)])
            if not self._has_body(event):
                self._ask(event, head, rest)
                return
            self._asked = event, head
            event = self._parser.next_event()
        while isinstance(event, h11.Data):
            self._body += event.data
            event = self._parser.next_event()
        if isinstance(event, h11.EndOfMessage) and self._asked is not None:
            self._ask(*self._asked, self._parser.trailing_data[0])

    def _has_body(self, request: h11.Request) -> bool:
        """Tell whether there is a body to be read; one too long, or of no known length, is not."""
        lengths = [int(value) for name, value in request.headers if name == b"content-length"]
        return len(lengths) == 1 and 0 < lengths[0] <= self._connections.longest_body

    def _ask(self, request: h11.Request, head: bytes, rest: bytes) -> None:
        self._hear()
        assert self._transport is not None  # noqa: S101 - what came came over it
        peer: Address = self._transport.get_extra_info("peername")
        self._give(self._connections.answer(Received(request, peer, head, rest, bytes(self._body))))

    def eof_received(self) -> bool:
        # A client may close its half once it has asked, and the answer still goes out: if it has an end.
        return self._heard and not self._pouring

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(self._coming, asyncio.Task):
            self._coming.cancel()
        self.closed.set_result(None)

    def drop(self) -> None:
        """Close without a word; what was already being sent may be lost."""
        self._connections.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def _hear(self) -> None:
        self._heard = True
        self._received.clear()
        self._connections.heard(self)

    def _give(self, answer: bytes | asyncio.Future[bytes] | Stream) -> None:
        if isinstance(answer, bytes):
            self._send(answer)
            return
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(answer, asyncio.Future):
            self._coming = answer
            answer.add_done_callback(self._settled)
        else:
            self._pouring = True
            self._coming = asyncio.create_task(self._pour(answer), name="stream")

    async def _pour(self, pieces: Stream) -> None:
        """Send the pieces as they come, until there are no more or the client goes."""
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                if self._transport is None or self._transport.is_closing():
                    return
                self._transport.write(piece)
                if self._transport.get_write_buffer_size() > _UNREAD:
                    self.drop()
                    return
        if self._transport is not None:
            self._transport.close()

    def _settled(self, answer: asyncio.Future[bytes]) -> None:
        if not answer.cancelled():
            self._send(answer.result())

    def _send(self, answer: bytes) -> None:
        self.answered = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)
            self._transport.close()


_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def same_person(peer: Address, ours: Address) -> bool:
    """Tell whether the visitor's process runs as our user; True where the system does not tell."""
    return sys.platform != "linux" or _is_ours(peer, ours)


def _is_ours(peer: Address, ours: Address) -> bool:
    tables = _tables()
    if not tables:
        return True  # no table, as in some sandboxes: the secret path has to do
    us: int = getattr(os, "geteuid", int)()
    return us in (owner_in(table, peer, ours, sys.byteorder) for table in tables)


def another_person(peer: Address, ours: Address) -> bool:
    """Tell whether the visitor's process is known to run as another user, who is not root.

    Less strict than ``same_person``: beyond a relay (WSL, a forwarded port) it may be root's or nobody's.
    """
    return sys.platform == "linux" and _is_of_another(peer, ours)


def _is_of_another(peer: Address, ours: Address) -> bool:
    us: int = getattr(os, "geteuid", int)()
    owners = {owner_in(table, peer, ours, sys.byteorder) for table in _tables()} - {None}
    return bool(owners) and not owners & {us, 0}


def _tables() -> list[str]:
    try:
        return [Path(name).read_text(encoding="ascii") for name in _TABLES if Path(name).exists()]
    except (OSError, UnicodeDecodeError):
        return []
