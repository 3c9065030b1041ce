"""The page of `credtray open` on 127.0.0.1: lets one person's browser in and hands its requests on.

Must not judge the shape of a request (ways_out/page does), make a view (page/ does) or log one. Closed until
somebody asks for it, and again when nobody has looked at it for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

import h11

from credtray.core.errors import ListenerUnavailable
from credtray.core.models import Secret
from credtray.ways_out import page as door
from credtray.ways_out.endpoint import EndpointRequest
from credtray.ways_out.page import LONGEST_BODY, Admitted, Kind, Place, Refused
from credtray.web.http_connections import (
    HttpConnections,
    Received,
    Stream,
    begin_serving,
    lasting_socket,
    listening_socket,
    same_person,
)
from credtray.web.loopback_peer import Address

_log = logging.getLogger(__name__)

ENTRANCE_SECONDS = 60.0
"""How long a one-time address is good."""
CLOSE_SECONDS = 15 * 60.0
"""After the last sign of a browser the page closes."""

_SECRET_BYTES = 32
_ROOM_BYTES = 8
_MOST_ENTRANCES = 8
_MOST_GUESTS = 16
_MOST_STREAMS = 32
_MOST_CONNECTIONS = 64
_REQUEST_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_DRAIN_SECONDS = 1.0
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

MayVisit = Callable[[Address, Address], bool]
"""Takes the visitor's address and ours; tells whether it is the same person's program."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was let in."""

    kind: Kind
    name: str
    """Of the view, part, asset or action."""
    query: Mapping[str, str]
    base: str
    """The page's own path: every address in it begins with that."""
    token: str
    """What each form of the answer has to carry."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Of a form, without its token."""
    scripted: bool = False
    """The script waits for a part of a view, not for a whole one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    location: str | None = None
    """Relative to the page's own path."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is served."""

    answer: Callable[[Asked], Awaitable[Answer]]
    changes: Callable[[], AsyncGenerator[bytes, None]]
    """Yields the events of one listener for as long as it stays."""
    stranger: Callable[[str], bytes]
    """Returns the whole page for a browser without our cookie, from the page's own path."""
    close: Callable[[], Awaitable[None]]
    """Gives up what is under way."""


class PageServer:
    """One port, and the guests that were let in. Serves nobody before ``open``."""

    def __init__(self, site: Site, may_visit: MayVisit = same_person) -> None:
        self._site = site
        self._may_visit = may_visit
        self._key = Secret(secrets.token_urlsafe(_SECRET_BYTES))
        self._entrances: OrderedDict[str, tuple[float, str]] = OrderedDict()
        """Digest of a one-time secret -> until when it is good, on the loop's clock, and where it leads."""
        self._guests: OrderedDict[str, None] = OrderedDict()
        """Digests of the cookies, the one that was seen last at the end."""
        self.changed = asyncio.Event()
        """Set when somebody has entered; whoever notes that clears it."""
        self._streams = 0
        self._seen = 0.0
        self._place: Place | None = None
        self._server: asyncio.Server | None = None
        self._connections = HttpConnections(
            self._answer,
            lambda _error: _refusal(HTTPStatus.BAD_REQUEST),
            most=_MOST_CONNECTIONS,
            seconds=_REQUEST_SECONDS,
            longest_body=LONGEST_BODY,
        )

    # --- life -------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place | None:
        """Where it is; None while it is closed."""
        return self._place

    @property
    def guests(self) -> tuple[str, ...]:
        """Digests of the cookies that are good."""
        return tuple(self._guests)

    async def open(self, place: Place | None = None, guests: tuple[str, ...] = ()) -> None:
        """Serve from now on; with a *place*, there again, for those who were in.

        Raises:
            ListenerUnavailable: no port could be bound, or not that one.
        """
        if self._place is not None:
            return
        listening = _bound(place)
        port: int = listening.getsockname()[1]
        self._server = await begin_serving(self._connections.protocol, listening)
        room = secrets.token_hex(_ROOM_BYTES) if place is None else place.room
        self._guests = OrderedDict.fromkeys(guests)
        self._place = Place(port, room)
        self._touch()
        _log.info("the page is open on port %d", port)

    def entrance(self, view: str = "") -> Secret:
        """Return an address that lets one browser in, to a view, once, within a minute. Only while open."""
        assert self._place is not None  # noqa: S101 - whoever asks has opened it
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        while len(self._entrances) >= _MOST_ENTRANCES:
            self._entrances.popitem(last=False)
        self._entrances[door.digest(secret)] = _now() + ENTRANCE_SECONDS, view
        self._touch()
        return Secret(f"http://{self._place.host}{self._place.path}enter/{secret}")

    def left(self) -> float:
        """Return in how many seconds it is to be closed; nobody is thrown out who is looking."""
        return CLOSE_SECONDS if self._streams else max(0.0, self._seen + CLOSE_SECONDS - _now())

    async def end(self) -> None:
        """Close it for good, and give up what is under way."""
        await self.close()
        await self._site.close()

    async def close(self) -> None:
        """Close the port and every connection, and forget who was in."""
        server, self._server = self._server, None
        self._place = None
        self._entrances.clear()
        self._guests.clear()
        if server is not None:
            server.close()
            await self._connections.drain(_DRAIN_SECONDS)
            _log.info("the page is closed")

    def _touch(self) -> None:
        self._seen = _now()

    # --- requests ---------------------------------------------------------------------------------------

    def _answer(self, received: Received) -> bytes | asyncio.Task[bytes] | Stream:
        place = self._place
        if place is None or not self._may_visit(received.peer, ("127.0.0.1", place.port)):
            return _refusal(HTTPStatus.NOT_FOUND)
        found = door.judge(_shape(received.request), received.head, received.rest, place, self._guests)
        if isinstance(found, Refused):
            return self._refused(found, place)
        if found.kind is Kind.ENTRANCE:
            return self._let_in(found, place)
        if found.kind is Kind.ASSET:
            return self._asked(found, b"")
        self._guests.move_to_end(door.digest(found.guest.reveal()))
        self._touch()
        if found.kind is Kind.EVENTS:
            full = self._streams >= _MOST_STREAMS
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE) if full else self._events()
        return self._asked(found, received.body)

    def _refused(self, refused: Refused, place: Place) -> bytes:
        status = HTTPStatus(refused.status)
        if not refused.unknown_guest:
            return _refusal(status)
        return _http(Answer(status, self._site.stranger(place.path)))

    def _let_in(self, found: Admitted, place: Place) -> bytes:
        """Answer at the entrance: a cookie for the first one who comes in time."""
        until, view = self._entrances.pop(door.digest(found.name), (0.0, ""))
        if not until or _now() > until:
            return _http(Answer(HTTPStatus.GONE, self._site.stranger(place.path)))
        first = f"{place.path}{view}"
        if found.guest.reveal():  # another cookie would make the forms of its other tabs worthless
            return _http(Answer(HTTPStatus.SEE_OTHER, location=first))
        cookie = secrets.token_urlsafe(_SECRET_BYTES)
        while len(self._guests) >= _MOST_GUESTS:
            self._guests.popitem(last=False)
        self._guests[door.digest(cookie)] = None
        self._touch()
        self.changed.set()
        kept = f"{place.cookie}={cookie}; HttpOnly; SameSite=Strict; Path={place.path}"
        return _http(Answer(HTTPStatus.SEE_OTHER, location=first), f"Set-Cookie: {kept}")

    def _asked(self, admitted: Admitted, body: bytes) -> bytes | asyncio.Task[bytes]:
        token = door.form_token(self._key, admitted.guest)
        fields: Mapping[str, tuple[str, ...]] = MappingProxyType({})
        if admitted.kind is Kind.ACTION:
            read = door.read_form(body, self._key, admitted.guest)
            if read is None:
                return _refusal(HTTPStatus.FORBIDDEN)
            fields = read
        asked = Asked(
            admitted.kind, admitted.name, admitted.query, self._path(), token, fields, admitted.scripted
        )
        return asyncio.create_task(self._made(asked), name="page")

    def _path(self) -> str:
        return "/" if self._place is None else self._place.path

    async def _made(self, asked: Asked) -> bytes:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._site.answer(asked)
        except TimeoutError:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 -- an error border: one bad request, one answer
            _log.error("the page could not be made: %s", type(error).__name__)
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
        if answer.location is not None:
            answer = Answer(answer.status, answer.body, answer.content_type, asked.base + answer.location)
        return _http(answer)

    async def _events(self) -> Stream:
        """Yield the head and the events, for as long as the browser listens."""
        self._streams += 1
        try:
            yield _head(HTTPStatus.OK, "text/event-stream", None, ())
            async with contextlib.aclosing(self._site.changes()) as events:
                async for event in events:
                    yield event
        finally:
            self._streams -= 1
            self._touch()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _bound(place: Place | None) -> socket.socket:
    try:
        return lasting_socket() if place is None else listening_socket(place.port)
    except OSError as error:
        raise ListenerUnavailable(error.strerror or "no port") from None


def _shape(request: h11.Request) -> EndpointRequest:
    headers = tuple((name, value) for name, value in request.headers)
    return EndpointRequest(request.method, request.target, request.http_version, headers)


# --- answers as bytes ------------------------------------------------------------------------------------


def _head(status: HTTPStatus, content_type: str, length: int | None, more: tuple[str, ...]) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {content_type}",
        *(() if length is None else (f"Content-Length: {length}",)),
        "Connection: close",
        "Cache-Control: no-store",
        f"Content-Security-Policy: {_POLICY}",
        # Not no-referrer: with that, browsers send `Origin: null` with a form, which says nothing.
        "Referrer-Policy: same-origin",
        "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _http(answer: Answer, *more: str) -> bytes:
    if answer.location is not None:
        more = (*more, f"Location: {answer.location}")
    return _head(answer.status, answer.content_type, len(answer.body), more) + answer.body


def _refusal(status: HTTPStatus) -> bytes:
    """Return the same few words for whatever is not let in."""
    words = f"{status.phrase}\n".encode()
    return _http(Answer(status, words, "text/plain; charset=utf-8"))
