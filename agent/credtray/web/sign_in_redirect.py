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
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
from credtray.web.sign_in_pages import (
    denied,
    failed,
    gone,
    kept,
    onward,
    question,
    refused,
    signed_in,
    unsettled,
)

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
