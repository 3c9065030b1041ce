"""Receives the redirect of one sign-in on 127.0.0.1: implements ``ports.CallbackListener``.

Must not judge a request itself (core/oauth does), log one, or end a sign-in because of a
stranger's request. A browser hears only what is true by then: its answer comes when that is known.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

import h11

from credtray.core import oauth
from credtray.core.errors import (
    CredtrayError,
    ListenerUnavailable,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
)
from credtray.core.models import Secret
from credtray.core.oauth import (
    PATH,
    PATH_BYTES,
    CallbackRequest,
    CodeReceived,
    DenialReceived,
    Entrance,
    NotOurs,
    Visit,
    Wish,
    read_visit,
)
from credtray.core.ports import Door
from credtray.web.http_connections import (
    HttpConnections,
    Received,
    another_person,
    begin_serving,
    page_socket,
)

# The pages of the loopback redirect, and the one in front of it that asks first: whole HTTP answers.
#
# Nothing a request says ever appears in an answer, so there is nothing to reflect. What we say ourselves in
# one (a time, the reason of a failure) is escaped all the same.


_STYLE = """
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--text:#16202b;--quiet:#5a6775;--edge:#e0e6ec;
--good:#12805c;--good-soft:#e2f5ee;--bad:#b3372b;--bad-soft:#fcebe9;--ask:#8a5a00;--ask-soft:#fdf1d8;
--act:#1f5fbf;--on-act:#fff}
@media (prefers-color-scheme:dark){:root{--page:#12171d;--card:#1b222b;--text:#e9eef4;--quiet:#9fadbc;
--edge:#2b3541;--good:#5fd0a5;--good-soft:#173328;--bad:#ff9d92;--bad-soft:#3d1f1c;--ask:#f2c46d;
--ask-soft:#3a2d12;--act:#8ab8ff;--on-act:#0d1a2b}}
body{margin:0;min-height:100vh;display:grid;place-content:center;box-sizing:border-box;padding:24px;
background:var(--page);color:var(--text);text-align:center;
font:17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:24rem;padding:40px 36px 32px;background:var(--card);border:1px solid var(--edge);
border-radius:18px;box-shadow:0 1px 2px rgb(0 0 0/5%),0 16px 40px rgb(0 0 0/7%)}
svg{width:64px;height:64px;border-radius:50%;fill:none;stroke:currentColor;stroke-width:4;
stroke-linecap:round;stroke-linejoin:round}
.good{color:var(--good);background:var(--good-soft)}
.bad{color:var(--bad);background:var(--bad-soft)}
.ask{color:var(--ask);background:var(--ask-soft)}
h1{margin:20px 0 8px;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:0;color:var(--quiet);text-wrap:balance}
.whole{white-space:nowrap}
form{margin:12px 0 0}
p+form{margin-top:28px}
button{width:100%;padding:11px 16px;border:1px solid var(--edge);border-radius:10px;background:none;
color:var(--text);font:inherit;cursor:pointer}
button.act{border-color:var(--act);background:var(--act);color:var(--on-act);font-weight:600}
button:focus-visible{outline:3px solid var(--ask);outline-offset:2px}
footer{margin-top:28px;padding-top:18px;border-top:1px solid var(--edge);font-size:.85rem;color:var(--quiet)}
code{font:.95em ui-monospace,"DejaVu Sans Mono",monospace;color:var(--text)}
"""

_PATHS = {"good": "M20 33l9 9 16-19", "bad": "M23 23l18 18M41 23L23 41", "ask": "M32 18v17M32 45v.5"}
_MARKS = {
    name: f'<svg class="{name}" viewBox="0 0 64 64" aria-hidden="true"><path d="{path}"/></svg>'
    for name, path in _PATHS.items()
}


_WHOLE = '<span class="whole">sign-in</span>'
"""Never parted at its hyphen."""


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str
    """HTML."""
    mark: str = "bad"


_SIGNED_IN = _Words("You are signed in", "You can close this tab.", "good")
_DENIED = _Words(
    "Sign-in not allowed",
    "You can close this tab. To try again, run <code>credtray login</code>.",
)
_GONE = _Words("This sign-in is over", "This page has already been used. You can close this tab.")
_REFUSED = _Words("Nothing here", "This address only receives the result of a sign-in.")
_UNSETTLED = _Words(
    "Not finished yet",
    "AWS has not answered yet. Go back to credtray to see how it ends.",
    "ask",
)
_KEPT = _Words("Nothing was changed", "You keep your current sign-in. You can close this tab.", "good")


def signed_in() -> bytes:
    """Return the answer to the redirect that carried the code, once there is a token."""
    return _answer(HTTPStatus.OK, _SIGNED_IN)


def failed(reason: str) -> bytes:
    """Return the answer to it when there is none; *reason* is a sentence of ours without its full stop."""
    text = f"{escape(reason)}. You can close this tab and go back to credtray."
    return _answer(HTTPStatus.OK, _Words("Sign-in failed", text))


def unsettled() -> bytes:
    """Return the answer to it when nobody knows yet after a long while."""
    return _answer(HTTPStatus.OK, _UNSETTLED)


def denied() -> bytes:
    """Return the answer to the redirect that carried an error."""
    return _answer(HTTPStatus.OK, _DENIED)


def gone() -> bytes:
    """Return the answer to a redirect that comes after the one that counted."""
    return _answer(HTTPStatus.GONE, _GONE)


def refused(status: int) -> bytes:
    """Return the answer to anything else, with this 4xx status."""
    return _answer(HTTPStatus(status), _REFUSED)


# --- in front of a sign-in -------------------------------------------------------------------------------


def question(price: str, end: str, keep: str, onward: str) -> bytes:
    """Return the page that asks before a sign-in is ended that is good for long.

    Args:
        price: what it costs, in sentences of ours.
        end: the path its first button is sent to.
        keep: the path its second button is sent to.
        onward: the address that the first one leads to afterwards.
    """
    text = (
        f"{escape(price).replace('sign-in', _WHOLE)}</p>"
        f'<form method="post" action="{escape(end)}">'
        '<button class="act">End it and sign in again</button></form>'
        f'<form method="post" action="{escape(keep)}"><button>Keep my current sign-in</button></form><p>'
    )
    words = _Words("Sign in again?", text, "ask")
    # Chromium holds every redirect that follows a form against this: AWS's pages and, in their chain, those
    # of an organisation's own sign-in. So https is allowed, and the very host where that is not used.
    place = urlsplit(onward)
    return _page(HTTPStatus.OK, words, f"'self' https: {place.scheme}://{place.netloc}", "same-origin")


def kept() -> bytes:
    """Return the answer to the second button."""
    return _answer(HTTPStatus.OK, _KEPT)


def onward(address: str) -> bytes:
    """Return the redirect to AWS's own page."""
    lines = [
        "HTTP/1.1 303 See Other",
        f"Location: {address}",
        "Content-Length: 0",
        "Connection: close",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


@cache
def _answer(status: HTTPStatus, words: _Words) -> bytes:
    return _page(status, words, "'none'", "no-referrer")


def _page(status: HTTPStatus, words: _Words, forms: str, referrer: str) -> bytes:
    body = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{words.title} · credtray</title><style>{_STYLE}</style></head>"
        f"<body><main>{_MARKS[words.mark]}<h1>{words.title}</h1><p>{words.text}</p>"
        "<footer>credtray keeps your AWS credentials fresh</footer></main></body></html>\n"
    ).encode()
    style = b64encode(sha256(_STYLE.encode()).digest()).decode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n"
        "Cache-Control: no-store\r\n"
        f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; "
        f"base-uri 'none'; form-action {forms}; frame-ancestors 'none'\r\n"
        f"Referrer-Policy: {referrer}\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-Frame-Options: DENY\r\n"
        f"{'Allow: GET' + chr(13) + chr(10) if status is HTTPStatus.METHOD_NOT_ALLOWED else ''}"
        "\r\n"
    )
    return head.encode("ascii") + body


MOST_CONNECTIONS = 64
"""That have asked for nothing yet; one more, and the one that has been silent longest goes."""

REQUEST_SECONDS = 10.0
"""How long a client may take over its request."""

HOLD_SECONDS = 90.0
"""How long a browser waits for the truth about its sign-in before it is sent to credtray for it."""

_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 1.0
"""How long the last page may take to leave before the port is closed."""

Outcome = CodeReceived | DenialReceived
Answer = asyncio.Future[bytes]
"""Of a browser that is to be told something later."""


class LoopbackCallbackListener:
    """Binds a fresh port for every sign-in."""

    @contextmanager
    def listen(self, state: Secret) -> Iterator[LoopbackCallback]:
        """Bind 127.0.0.1 on a free port and serve it from a thread until the context ends.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        listening = page_socket()
        callback = LoopbackCallback(listening, state)
        callback.start()
        try:
            yield callback
        finally:
            callback.stop()


class LoopbackCallback:
    """Implements ``ports.Callback``: the first request that is right decides, all others are turned away.

    ``door``, ``wait`` and ``tell`` belong to the thread of the sign-in; everything else to our own.
    """

    def __init__(self, listening: socket.socket, state: Secret) -> None:
        self._listening = listening
        self._port: int = listening.getsockname()[1]
        self._state = state
        self._outcome: Outcome | None = None
        self._told: Answer | None = None
        """What the browser that brought the code is waiting for."""
        self._door: Door | None = None
        self._entrance: Entrance | None = None
        self._led_on: Answer | None = None
        """What a browser at the door is waiting for; all of them are led on to the same address."""
        self._wants_in = False
        self._kept = False
        self._news = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._end: asyncio.Event | None = None
        self._connections = HttpConnections(
            self._answer, lambda _error: refused(400), most=MOST_CONNECTIONS, seconds=REQUEST_SECONDS
        )
        self._thread = threading.Thread(target=self._serve, name="sign-in-callback", daemon=True)

    @property
    def redirect_uri(self) -> str:
        """``http://127.0.0.1:PORT/oauth/callback``."""
        return f"http://127.0.0.1:{self._port}{oauth.CALLBACK_PATH}"

    def lead_through(self, door: Door) -> str:
        """Serve the page in front of the sign-in; return its address, which is for the browser to open."""
        entrance = Entrance.new(self._port, secrets.token_bytes(2 * PATH_BYTES))
        self._door, self._entrance = door, entrance
        return f"{entrance.origin}{entrance.path(Wish.LOOK)}"

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        """Return the authorization code of the one request that is right; *timeout* in seconds.

        Whoever comes to the door meanwhile is led through it, in the calling thread.

        Raises:
            SignInDenied: the right state came with an error.
            SignInTimedOut: nothing right came in time.
            SignInCancelled: ``cancelled`` became true, or the person keeps the present sign-in.
            CredtrayError: what ``Door.through`` raises.
        """
        deadline = time.monotonic() + timeout
        while self._outcome is None:
            if cancelled():
                raise SignInCancelled
            if self._kept:
                raise SignInCancelled("you kept your current sign-in")
            if self._wants_in:
                self._wants_in = False
                self._let_through()
            left = deadline - time.monotonic()
            if left <= 0:
                raise SignInTimedOut
            self._news.wait(min(left, _POLL_SECONDS))
            self._news.clear()
        match self._outcome:
            case CodeReceived(code):
                return code
            case DenialReceived(reason):
                raise SignInDenied(reason)
        raise AssertionError("decided without an outcome")

    def tell(self, failure: str | None) -> None:
        """Let the browser that brought the code know: None, there is a token; else why there is none."""
        self._settle(self._told, signed_in() if failure is None else failed(failure))

    def start(self) -> None:
        """Serve from a thread; returns once it does.

        Raises:
            ListenerUnavailable: the system has no means left for an event loop.
        """
        self._thread.start()
        self._ready.wait()
        if self._end is None:
            self._thread.join()
            self._listening.close()
            raise ListenerUnavailable("no event loop could be started")

    def stop(self) -> None:
        """Let the last page leave, then close the port and end the thread."""
        if self._loop is not None and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    # --- our own thread ---------------------------------------------------------------------------------

    def _answer(self, received: Received) -> bytes | Answer:
        request = received.request
        if request.target.startswith(PATH.encode()):
            # Every user of a computer can read with what address a browser was started.
            strange = another_person(received.peer, ("127.0.0.1", self._port))
            return refused(404) if strange else self._at_the_door(request)
        hosts = tuple(value for name, value in request.headers if name == b"host")
        return self._judge(CallbackRequest(request.method, request.target, hosts))

    def _judge(self, request: CallbackRequest) -> bytes | Answer:
        """Return the answer to a request; the first right one decides the sign-in."""
        found = oauth.read_callback(request, self._port, self._state)
        if isinstance(found, NotOurs):
            return gone() if self._is_late(request) else refused(found.status)
        if self._outcome is not None:
            # Reloaded by a person who waits: the page gets the answer the first one would have got.
            waits = self._told is not None and not self._told.done() and found == self._outcome
            return self._told if self._told is not None and waits else gone()
        if isinstance(found, CodeReceived):
            self._told = self._held()
        self._outcome = found
        self._news.set()
        return denied() if self._told is None else self._told

    def _is_late(self, request: CallbackRequest) -> bool:
        path = request.target.partition(b"?")[0]
        return self._outcome is not None and path == oauth.CALLBACK_PATH.encode()

    def _at_the_door(self, request: h11.Request) -> bytes | Answer:
        door, entrance = self._door, self._entrance
        if door is None or entrance is None:
            return refused(404)
        wish = read_visit(Visit(request.method, request.target, list(request.headers)), entrance)
        if isinstance(wish, NotOurs):
            return refused(wish.status)
        if self._outcome is not None:
            return gone()
        # Pressed twice, or come back: the same way on, nothing is ended again.
        return self._led_on or self._carried_out(wish, door, entrance)

    def _carried_out(self, wish: Wish, door: Door, entrance: Entrance) -> bytes | Answer:
        if self._kept or wish is Wish.KEEP:
            self._kept = True
            self._news.set()
            return kept()
        price = door.question() if wish is Wish.LOOK else None
        if price is not None:
            paths = (entrance.path(Wish.END), entrance.path(Wish.KEEP))
            return question(price, *paths, door.onward)
        self._led_on = self._held()
        self._wants_in = True
        self._news.set()
        return self._led_on

    def _held(self) -> Answer:
        """Return an answer that comes later, and never too late for a browser's patience."""
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        loop.call_later(HOLD_SECONDS, _set, answer, unsettled())
        return answer

    # --- between the two --------------------------------------------------------------------------------

    def _let_through(self) -> None:
        """End what is to be ended and lead the browser on, or tell it why it comes no further."""
        door = self._door
        if door is None:  # nobody wants in without one; the type checker cannot know
            return
        try:
            address = door.through()
        except CredtrayError as error:
            self._settle(self._led_on, failed(error.title))
            raise
        self._settle(self._led_on, signed_in() if address is None else onward(address))

    def _settle(self, answer: Answer | None, page: bytes) -> None:
        if answer is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(_set, answer, page)

    # --- serving ----------------------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            asyncio.run(self._attend())
        except OSError:  # out of file descriptors: ``start`` finds nothing running
            self._end = None
        finally:
            self._ready.set()

    async def _attend(self) -> None:
        self._loop = asyncio.get_running_loop()
        end = asyncio.Event()
        server = await begin_serving(self._connections.protocol, self._listening)
        self._end = end
        self._ready.set()
        await end.wait()
        server.close()
        for answer in (self._told, self._led_on):  # nobody leaves without an answer
            if answer is not None:
                _set(answer, unsettled())
        await asyncio.sleep(0)  # lets the answers that were just settled be sent
        await self._connections.drain(_DRAIN_SECONDS)


def _set(answer: Answer, page: bytes) -> None:
    if not answer.done():
        answer.set_result(page)
