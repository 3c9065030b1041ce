"""The container credentials endpoint: role credentials over HTTP, on 127.0.0.1 only, for who holds the token.

Must not judge a request itself (ways_out/endpoint does), log one, or wait long for anybody.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import h11

from credtray.core.errors import CredtrayError, EndpointTokenRefused, EndpointUnavailable, TimedOut
from credtray.core.models import Secret
from credtray.core.ports.files import Caller, IssueForProfile
from credtray.ways_out import endpoint
from credtray.ways_out import endpoint as door
from credtray.ways_out.endpoint import Admitted, Answer, EndpointRequest, Refused
from credtray.web.http_connections import HttpConnections, Received, begin_serving, lasting_socket

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how many."""

    request_seconds: float = 5.0
    """Within which a client must have sent its request."""
    answer_seconds: float = 1.4
    """For the keys: botocore gives up a try after 2 s, and the reason must reach it before."""
    connections: int = 256
    """Connections that have not shown a token; one more, and the oldest of them goes."""


Refuse = Callable[[Caller], None]
"""Hears of each request with a wrong token. Costs nobody time."""


def listening_on(port: int | None, wrong: Refuse = lambda _caller: None) -> BoundEndpoint:
    """Take *port* of 127.0.0.1 where it is free, else another one; nobody is answered yet.

    Raises:
        EndpointUnavailable: no port is free.
    """
    try:
        return BoundEndpoint(lasting_socket(port), wrong)
    except OSError as error:
        raise EndpointUnavailable(error.strerror or "no port") from None


class BoundEndpoint:
    """A port of ours. Whoever connects waits until ``serve``."""

    def __init__(self, listening: socket.socket, wrong: Refuse) -> None:
        self._listening = listening
        self._wrong = wrong
        self._serving: tuple[asyncio.Server, HttpConnections] | None = None
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
        limits = limits or Limits()
        desk = _Answers(self.port, tokens, issue, limits.answer_seconds, self._wrong)
        connections = HttpConnections(
            desk.answer, _malformed, most=limits.connections, seconds=limits.request_seconds
        )
        server = await begin_serving(connections.protocol, self._listening)
        self._serving = server, connections

    async def close(self) -> None:
        """Close the port and every connection."""
        if self._serving is None:
            self._listening.close()
            return
        server, connections = self._serving
        server.close()
        await connections.drain(0)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the endpoint says to whom."""

    port: int
    tokens: Mapping[str, Secret]
    issue: IssueForProfile
    seconds: float
    wrong: Refuse

    def answer(self, received: Received) -> bytes | asyncio.Task[bytes]:
        """Answer a request: a refusal at once, keys when they are there."""
        found = door.raw_refusal(received.head, received.rest) or self._judged(received.request)
        if isinstance(found, Refused):
            if found.problem.code == EndpointTokenRefused.code:
                self.wrong(received.peer)
            return _refusal(found)
        return asyncio.create_task(self._keys(found.profile, received.peer), name="endpoint answer")

    def _judged(self, request: h11.Request) -> Admitted | Refused:
        headers = tuple((name, value) for name, value in request.headers)
        asked = EndpointRequest(request.method, request.target, request.http_version, headers)
        return door.judge(asked, self.port, self.tokens)

    async def _keys(self, profile: str, caller: Caller) -> bytes:
        """Return the keys, or why there are none in time."""
        try:
            async with asyncio.timeout(self.seconds):
                return _http(endpoint.keys(await self.issue(profile, caller)))
        except TimeoutError:
            late = TimedOut("the keys are not here yet", hint="Ask again; `credtray status` shows why.")
            return _http(endpoint.refusal(late.problem))
        except CredtrayError as error:
            return _http(endpoint.refusal(error.problem))
        except Exception as error:  # noqa: BLE001 -- an error border: one bad request, one answer
            _log.error("the endpoint could not answer: %s", type(error).__name__)
            return _http(endpoint.refusal(CredtrayError().problem))


def _malformed(error: h11.RemoteProtocolError) -> bytes:
    too_large = error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return _refusal(door.too_large() if too_large else door.malformed())


def _refusal(refused: Refused) -> bytes:
    return _http(endpoint.refusal(refused.problem, refused.status))


def _http(answer: Answer) -> bytes:
    return _head(answer.status, len(answer.body)) + answer.body


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
