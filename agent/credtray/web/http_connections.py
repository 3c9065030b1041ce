"""The connections of a page or endpoint on 127.0.0.1: each sends one request, is answered, and ends.

Must not judge a request or log one; nobody is waited for long, and the answer is whoever serves here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h11

from credtray.core.errors import ListenerUnavailable
from credtray.web.loopback_peer import Address, owner_in

_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64
"""Then what these have sent is read: a crowd that comes in one go pushes out nobody who has asked."""
_LONGEST_HEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    request: h11.Request
    peer: Address
    head: bytes
    """Everything up to and with the empty line."""
    rest: bytes
    """What came after it: a body, or a second request."""


Answer = Callable[[Received], "bytes | asyncio.Future[bytes]"]
"""Returns the whole answer, or what will be it. A task is that request's own and is cancelled when the client
goes; any other future may be the answer to several."""
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


async def begin_serving(protocol: Callable[[], asyncio.Protocol], listening: socket.socket) -> asyncio.Server:
    """Serve on a listening socket; asyncio's own backlog is also how many it accepts at once."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, sock=listening, backlog=_ACCEPTED_AT_ONCE)
    listening.listen(_BACKLOG)
    return server


def page_socket() -> socket.socket:
    """Return a ``listening_socket`` on a free port, for a page a browser is to open.

    Raises:
        ListenerUnavailable: no port could be bound.
    """
    try:
        return listening_socket()
    except OSError as error:
        raise ListenerUnavailable(error.strerror or "no port") from None


class HttpConnections:
    """Everybody who is connected."""

    def __init__(self, answer: Answer, refuse: Refuse, *, most: int, seconds: float) -> None:
        """Open nothing yet.

        Args:
            answer: to a request.
            refuse: what is no HTTP request.
            most: connections kept that have no answer coming; one more, and the first of them goes.
            seconds: how long a client may take over its request, and over reading an answer given at once.
        """
        self.answer = answer
        self.refuse = refuse
        self.seconds = seconds
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
        self._heard = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._coming: asyncio.Future[bytes] | None = None
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
            event = self._parser.next_event()
        except h11.RemoteProtocolError as error:
            self._hear()
            self._send(self._connections.refuse(error))
            return
        if isinstance(event, h11.Request):
            rest = self._parser.trailing_data[0]
            head = bytes(self._received[: len(self._received) - len(rest)])
            self._hear()
            peer: Address = self._transport.get_extra_info("peername")
            self._give(self._connections.answer(Received(event, peer, head, rest)))

    def eof_received(self) -> bool:
        return self._heard  # a client may close its half once it has asked; the answer still goes out

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

    def _give(self, answer: bytes | asyncio.Future[bytes]) -> None:
        if isinstance(answer, bytes):
            self._send(answer)
            return
        if self._timer is not None:
            self._timer.cancel()
        self._coming = answer
        answer.add_done_callback(self._settled)

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
