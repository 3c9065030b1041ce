"""Receives the redirect of one sign-in on 127.0.0.1; see ``sign_in_listener``.

Must not judge a request itself (core/oauth does), log one, or end a sign-in because of a
stranger's request. A browser hears only what is true by then: its answer comes when that is known.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

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
)
from credtray.web.sign_in_pages import (
    begun_again,
    denied,
    failed,
    gone,
    kept,
    onward,
    over,
    page_opens,
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

FORBIDDEN = HTTPStatus.FORBIDDEN.value
_POLL_SECONDS = 0.1
_FOLLOW_SECONDS = 2.0
"""How long a browser may take to come to the page that it was led to, before the port is closed."""
_DRAIN_SECONDS = 1.0
"""How long the last page may take to leave before the port is closed."""

Outcome = CodeReceived | DenialReceived
Answer = asyncio.Future[bytes]
"""Of a browser that is to be told something later."""


class LoopbackCallback:
    """Implements ``ports.Callback``: the first request that is right decides, all others are turned away.

    ``door``, ``wait`` and ``tell`` belong to the thread of the sign-in; everything else to our own.
    """

    def __init__(
        self, listening: socket.socket, state: Secret, show_page: Callable[[], None] | None = None
    ) -> None:
        self._listening = listening
        self._port: int = listening.getsockname()[1]
        self._state = state
        self._outcome: Outcome | None = None
        self._told: Answer | None = None
        """What the browser that brought the code is waiting for."""
        self._truth: bytes | None = None
        """How it ended: the page for whoever brought the right state, however late and how often."""
        self._result = Entrance.new(self._port, secrets.token_bytes(2 * PATH_BYTES))
        """Where that page is: an address without a code, which is also that of its button."""
        self._begin_again: Callable[[], None] | None = None
        self._tried_again = False
        self._show_page = show_page
        self._page_shown = False
        self._led = False
        """Somebody was sent to the page of how it ended; ``_followed``: and has come."""
        self._followed = asyncio.Event()
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
        self._gone: asyncio.Event | None = None
        """Set when the port is to be closed."""
        self._drained = threading.Event()
        self._linger = 0.0
        self._connections = HttpConnections(
            self._answer, lambda _error: refused(400), most=MOST_CONNECTIONS, seconds=REQUEST_SECONDS
        )
        self._thread = threading.Thread(target=self._serve, name="sign-in-callback", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

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

    def offer_again(self, begin: Callable[[], None]) -> None:
        """Have the page of a sign-in without a token offer another try."""
        self._begin_again = begin

    def tell(self, failure: str | None) -> None:
        """Let the browser that brought the code know: None, there is a token; else why there is none."""
        if failure is None:
            self._settle_truth(signed_in(self._page_path()))
        else:
            self._settle_truth(failed(failure, self._again_path()))

    def end_with(self, error: CredtrayError) -> None:
        """Keep for who comes late why there is no token, where nothing better is known."""
        if self._truth is None:
            self._settle_truth(over(error.title, self._again_path()))

    def _again_path(self) -> str | None:
        return None if self._begin_again is None else self._result.path(Wish.END)

    def _page_path(self) -> str | None:
        return None if self._show_page is None else self._result.path(Wish.KEEP)

    def _settle_truth(self, page: bytes) -> None:
        self._truth = page
        self._settle(self._told, page)

    def start(self) -> None:
        """Serve from a thread; returns once it does.

        Raises:
            ListenerUnavailable: the system has no means left for an event loop.
        """
        self._thread.start()
        self._ready.wait()
        if self._end is None or self._gone is None:
            self._thread.join()
            self._listening.close()
            raise ListenerUnavailable("no event loop could be started")

    def stop(self, linger: float = 0.0) -> None:
        """Let the last page leave; then end the thread and close the port, *linger* seconds later.

        Nobody waits for that: what lingers holds up no other sign-in, and not the end of the process.
        """
        self._linger = linger
        for event in (self._end,) if linger else (self._end, self._gone):
            if self._loop is not None and event is not None:
                with suppress(RuntimeError):  # it has ended already
                    self._loop.call_soon_threadsafe(event.set)
        if linger:
            self._drained.wait()
        else:
            self._thread.join()

    # --- our own thread ---------------------------------------------------------------------------------

    def _answer(self, received: Received) -> bytes | Answer:
        request = received.request
        if request.target.startswith(PATH.encode()):
            # Every user of a computer can read with what address a browser was started.
            strange = another_person(received.peer, ("127.0.0.1", self._port))
            return refused(404) if strange else self._at_a_page(request)
        hosts = tuple(value for name, value in request.headers if name == b"host")
        return self._judge(CallbackRequest(request.method, request.target, hosts))

    def _judge(self, request: CallbackRequest) -> bytes | Answer:
        """Return the answer to a request; the first right one decides the sign-in."""
        found = oauth.read_callback(request, self._port, self._state)
        if isinstance(found, NotOurs):
            return gone() if self._is_late(request) else refused(found.status)
        if self._outcome is None and self._truth is None:
            self._outcome = found
            if isinstance(found, DenialReceived):
                self._truth = denied(self._again_path())
            self._news.set()
        elif self._outcome not in {None, found}:
            return gone()
        self._led = True
        # Nobody is shown an answer below an address that holds a code: it would be in the browser's history.
        return onward(f"{self._result.origin}{self._result.path(Wish.LOOK)}")

    def _is_late(self, request: CallbackRequest) -> bool:
        path = request.target.partition(b"?")[0]
        return self._outcome is not None and path == oauth.CALLBACK_PATH.encode()

    def _at_a_page(self, request: h11.Request) -> bytes | Answer:
        wish = read_visit(Visit(request.method, request.target, list(request.headers)), self._result)
        if isinstance(wish, NotOurs):
            return refused(wish.status) if wish.status == FORBIDDEN else self._at_the_door(request)
        if wish is Wish.LOOK:
            self._followed.set()
            return self._ended()
        if wish is Wish.KEEP:
            return self._page_opened()
        if self._begin_again is None or self._truth is None:
            return refused(404)
        if not self._tried_again:  # pressed twice, it is begun once
            self._tried_again = True
            self._begin_again()
        return begun_again()

    def _page_opened(self) -> bytes:
        if self._show_page is None or self._truth is None:
            return refused(404)
        if not self._page_shown:  # pressed twice, it opens once
            self._page_shown = True
            self._show_page()
        return page_opens()

    def _ended(self) -> bytes | Answer:
        """Return how it ended, as soon as that is known."""
        if self._truth is not None:
            return self._truth
        if self._outcome is None:
            return refused(404)
        if self._told is None or self._told.done():
            self._told = self._held()
        return self._told

    def _at_the_door(self, request: h11.Request) -> bytes | Answer:
        door, entrance = self._door, self._entrance
        if door is None or entrance is None:
            return refused(404)
        wish = read_visit(Visit(request.method, request.target, list(request.headers)), entrance)
        if isinstance(wish, NotOurs):
            return refused(wish.status)
        if self._outcome is not None:
            return gone()
        if self._truth is not None:
            return self._truth
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
        end, over = asyncio.Event(), asyncio.Event()
        server = await begin_serving(self._connections.protocol, self._listening)
        self._end, self._gone = end, over
        self._ready.set()
        await end.wait()
        self._tell_the_rest()
        # Without an agent the process is about to end, and the port with it.
        if self._led and not self._followed.is_set() and self._begin_again is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._followed.wait(), _FOLLOW_SECONDS)
        await asyncio.sleep(0)  # lets the answers that were just settled be sent
        if self._linger:
            self._drained.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._linger)
        server.close()
        await self._connections.drain(_DRAIN_SECONDS)

    def _tell_the_rest(self) -> None:
        """Answer everybody who waits: the sign-in is over, and nobody leaves without an answer."""
        if self._truth is None:
            self._truth = signed_in() if self._outcome is None else unsettled()
        for answer in (self._told, self._led_on):
            if answer is not None:
                _set(answer, self._truth)


def _set(answer: Answer, page: bytes) -> None:
    if not answer.done():
        answer.set_result(page)
