"""The container credentials endpoint: role credentials over HTTP, on 127.0.0.1 only, for who holds the token.

Must not judge a request itself (core/endpoint/filter does), log one, or wait long for anybody.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import h11

from credtray.core.endpoint import answers
from credtray.core.endpoint import filter as door
from credtray.core.endpoint.answers import Answer
from credtray.core.endpoint.filter import LONGEST_HEAD, EndpointRequest, Refused
from credtray.core.errors import CredtrayError, EndpointUnavailable, TimedOut
from credtray.core.ports.endpoint import IssueForProfile
from credtray.core.secret import Secret

_log = logging.getLogger(__name__)

_BACKLOG = 1024
_PORTS = range(20000, 32768)
"""Below the ports that systems lend to outgoing connections: ours is rarely taken when we come back."""
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how many."""

    request_seconds: float = 5.0
    """Within which a visitor must have sent its request."""
    answer_seconds: float = 1.4
    """For the keys: botocore gives up a try after 2 s, and the reason must reach it before."""
    visitors: int = 256
    """Connections that have not shown a token; one more, and the oldest of them goes."""


def listening_on(port: int | None) -> BoundEndpoint:
    """Take *port* of 127.0.0.1 where it is free, else another one; nobody is answered yet.

    Raises:
        EndpointUnavailable: no port is to be had.
    """
    wanted = [] if port is None else [port]
    drawn = [secrets.choice(_PORTS) for _ in range(_TRIES)]
    reason = ""
    for each in (*wanted, *drawn, 0):
        try:
            return BoundEndpoint(_listening(each))
        except OSError as error:
            reason = error.strerror or "no port"
    raise EndpointUnavailable(reason)


def _listening(port: int) -> socket.socket:
    """Return a listening socket that nobody can share.

    Raises:
        OSError: the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # Without it, any program of any user may bind the same port there.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Else the connections of our own past would keep the port from us for a minute. It lets nobody
            # share a port that somebody listens on: that would take SO_REUSEPORT on both sides.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(_BACKLOG)  # at once: until then another socket could be bound beside it
    except OSError:
        listening.close()
        raise
    return listening


class BoundEndpoint:
    """A port of ours. Whoever connects waits until ``serve``."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._server: asyncio.Server | None = None
        self._visitors: dict[_Visitor, None] = {}
        self._served: set[_Visitor] = set()
        self.port: int = listening.getsockname()[1]

    async def serve(
        self, tokens: Mapping[str, Secret], issue: IssueForProfile, limits: Limits | None = None
    ) -> None:
        """Answer from now on, on the running event loop.

        Args:
            tokens: profile -> its token; looked at for each request, so it may change.
            issue: gives the keys.
            limits: how long and how many.
        """
        desk = _Desk(self.port, tokens, issue, limits or Limits(), self._visitors, self._served)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Visitor(desk), sock=self._listening, backlog=_BACKLOG
        )

    async def close(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            self._listening.close()
            return
        self._server.close()
        for visitor in (*self._visitors, *self._served):
            visitor.drop()
        await asyncio.sleep(0)  # lets the dropped connections report their end


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all visitors share."""

    port: int
    tokens: Mapping[str, Secret]
    issue: IssueForProfile
    limits: Limits
    waiting: dict[_Visitor, None]
    """Those that have not sent a whole request, the longest here first."""
    served: set[_Visitor]
    """Those whose keys are being asked for."""

    async def answer(self, profile: str) -> Answer:
        """Return the keys, or why there are none in time."""
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                return answers.keys(await self.issue(profile))
        except TimeoutError:
            late = TimedOut("the keys are not here yet", hint="Ask again; `credtray status` shows why.")
            return answers.refusal(late.problem)
        except CredtrayError as error:
            return answers.refusal(error.problem)
        except Exception as error:  # noqa: BLE001 -- an error border: one bad request, one answer
            _log.error("the endpoint could not answer: %s", type(error).__name__)
            return answers.refusal(CredtrayError().problem)


class _Visitor(asyncio.Protocol):
    """One connection: reads one request, answers it, closes."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._received = bytearray()
        self._heard = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):  # never so for TCP; tells the type checker
            transport.close()
            return
        self._transport = transport
        waiting, limits = self._desk.waiting, self._desk.limits
        if len(waiting) >= limits.visitors:
            next(iter(waiting)).drop()
        waiting[self] = None
        self._timer = asyncio.get_running_loop().call_later(limits.request_seconds, self.drop)

    def data_received(self, data: bytes) -> None:
        if self._heard:
            return
        self._received += data
        try:
            self._parser.receive_data(data)
            event = self._parser.next_event()
        except h11.RemoteProtocolError as error:
            too_large = error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(door.too_large() if too_large else door.malformed())
            return
        if isinstance(event, h11.Request):
            self._hear(event)

    def _hear(self, event: h11.Request) -> None:
        rest = self._parser.trailing_data[0]
        head = bytes(self._received[: len(self._received) - len(rest)])
        refused = door.raw_refusal(head, rest)
        if refused is not None:
            self._refuse(refused)
            return
        headers = tuple((name, value) for name, value in event.headers)
        request = EndpointRequest(event.method, event.target, event.http_version, headers)
        found = door.judge(request, self._desk.port, self._desk.tokens)
        if isinstance(found, Refused):
            self._refuse(found)
            return
        self._leave_the_queue()
        self._desk.served.add(self)
        self._answering = asyncio.create_task(self._serve(found.profile), name="endpoint answer")

    async def _serve(self, profile: str) -> None:
        self._answer(await self._desk.answer(profile))

    def eof_received(self) -> bool:
        return self._heard  # a client may close its half once it has asked; the answer still goes out

    def connection_lost(self, _error: Exception | None) -> None:
        self._leave_the_queue()
        self._desk.served.discard(self)
        if self._answering is not None:
            self._answering.cancel()

    def drop(self) -> None:
        """Close without a word."""
        self._leave_the_queue()
        if self._transport is not None:
            self._transport.abort()

    def _leave_the_queue(self) -> None:
        """Whoever has been heard is not hurried any more, and makes no room for others."""
        self._heard = True
        self._received.clear()
        self._desk.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()

    def _refuse(self, refused: Refused) -> None:
        self._leave_the_queue()
        self._answer(answers.refusal(refused.problem, refused.status))

    def _answer(self, answer: Answer) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_head(answer.status, len(answer.body)) + answer.body)
            self._transport.close()


@cache
def _head(status: int, length: int) -> bytes:
    """Return status line and headers: nothing is stored, sniffed, framed or read by a page."""
    found = HTTPStatus(status)
    lines = [
        f"HTTP/1.1 {status} {found.phrase}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        "Connection: close",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy: same-origin",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        *(["Allow: GET"] if found is HTTPStatus.METHOD_NOT_ALLOWED else []),
    ]
    return "\r\n".join((*lines, "", "")).encode("ascii")
