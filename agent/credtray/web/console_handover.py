"""Hands one secret address to the browser of the same person, once, without it standing in any argv or log.

A program's arguments can be read by every user of a computer, so the browser is started with the address of
this page, which is good for one visit. Must not answer anybody else with anything that tells them apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import h11

from credtray.core.models import Secret
from credtray.web.http_connections import HttpConnections, Received, begin_serving, page_socket, same_person
from credtray.web.loopback_peer import Address

GOOD_FOR_SECONDS = 30.0
"""How long the page waits for its one visit."""

_PATH_BYTES = 32
_REQUEST_SECONDS = 5.0
_MOST_CONNECTIONS = 16
_DRAIN_SECONDS = 2.0

MayVisit = Callable[[Address, Address], bool]
"""Takes the visitor's address and ours; tells whether it is the same person's program."""


@contextlib.asynccontextmanager
async def one_time_redirect(
    target: Secret, may_visit: MayVisit = same_person
) -> AsyncIterator[OneTimeRedirect]:
    """Serve *target* on a fresh loopback port until the context ends.

    Raises:
        ListenerUnavailable: no port could be bound.
    """
    page = OneTimeRedirect(target, may_visit)
    await page.open()
    try:
        yield page
    finally:
        await page.close()


class OneTimeRedirect:
    """The page; see ``one_time_redirect``."""

    def __init__(self, target: Secret, may_visit: MayVisit) -> None:
        self._target: Secret | None = target
        self._may_visit = may_visit
        self._path = f"/{secrets.token_urlsafe(_PATH_BYTES)}"
        self._ours: Address = ("127.0.0.1", 0)
        self._server: asyncio.Server | None = None
        self._connections = HttpConnections(
            self.answer,
            lambda _error: _answer(HTTPStatus.NOT_FOUND),
            most=_MOST_CONNECTIONS,
            seconds=_REQUEST_SECONDS,
        )
        self._fetched = asyncio.Event()

    @property
    def address(self) -> str:
        """What the browser is to open."""
        return f"http://{self._host}{self._path}"

    @property
    def _host(self) -> str:
        return f"{self._ours[0]}:{self._ours[1]}"

    async def open(self) -> None:
        """Bind a port that nobody can share, and serve it."""
        listening = page_socket()
        self._ours = listening.getsockname()
        self._server = await begin_serving(self._connections.protocol, listening)

    async def fetched(self, seconds: float = GOOD_FOR_SECONDS) -> bool:
        """Wait until the browser has fetched the address; False when it did not come in time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._fetched.wait(), seconds)
        return self._fetched.is_set()

    async def close(self) -> None:
        """Forget the address, let the last answer leave, and close the port."""
        self._target = None
        if self._server is not None:
            self._server.close()
        await self._connections.drain(_DRAIN_SECONDS)

    def answer(self, received: Received) -> bytes:
        """Return the answer: the redirect for the one right visit, the same refusal for all others."""
        target = self._target
        if (
            target is None
            or not self._is_right(received.request)
            or not self._may_visit(received.peer, self._ours)
        ):
            return _answer(HTTPStatus.NOT_FOUND)
        self._target = None
        self._fetched.set()
        return _answer(HTTPStatus.SEE_OTHER, target)

    def _is_right(self, request: h11.Request) -> bool:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in request.headers:
            headers.setdefault(name, []).append(value)
        # A browser that was told to open an address comes from nowhere; a page that found us does not.
        from_a_page = headers.keys() & {b"referer", b"origin"}
        site = headers.get(b"sec-fetch-site", [b"none"])
        return (
            hmac.compare_digest(request.target, self._path.encode())
            and request.method == b"GET"
            and headers.get(b"host") == [self._host.encode()]
            and not from_a_page
            and site == [b"none"]
        )


def _answer(status: HTTPStatus, location: Secret | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Length: 0",
        "Connection: close",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "X-Frame-Options: DENY",
    ]
    if location is not None:
        lines.append(f"Location: {location.reveal()}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")
