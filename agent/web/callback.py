"""Receives the redirect of one sign-in on 127.0.0.1: implements ``ports.CallbackListener``.

Must not judge a request itself (core/oauth does), log one, or end a sign-in because of a stranger's request.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11

from agent.core import oauth
from agent.core.errors import ListenerUnavailable, SignInCancelled, SignInDenied, SignInTimedOut
from agent.core.oauth import CallbackRequest, CodeReceived, DenialReceived, NotOurs
from agent.core.secret import Secret
from agent.web import pages

MOST_VISITORS = 64
"""Connections kept at once; one more, and the one that has been silent longest goes."""

REQUEST_SECONDS = 10.0
"""How long a visitor may take over its request."""

_BACKLOG = 128
_LONGEST_REQUEST = 16 * 1024
_POLL_SECONDS = 0.1
_FAREWELL_SECONDS = 1.0
"""How long the last page may take to leave before the port is closed."""

Outcome = CodeReceived | DenialReceived


class LoopbackCallbackListener:
    """Binds a fresh port for every sign-in."""

    @contextmanager
    def listen(self, state: Secret) -> Iterator[LoopbackCallback]:
        """Bind 127.0.0.1 on a free port and serve it from a thread until the context ends.

        Raises:
            ListenerUnavailable: no port could be bound.
        """
        listening = _bound()
        callback = LoopbackCallback(listening, state)
        callback.start()
        try:
            yield callback
        finally:
            callback.stop()


def _bound() -> socket.socket:
    """Return a listening socket that nobody can share: no SO_REUSEADDR, no SO_REUSEPORT."""
    try:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise ListenerUnavailable(error.strerror or "no socket") from None
    try:
        if sys.platform == "win32":
            # Without it, any program of any user may bind the same port there and race for the redirect.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ListenerUnavailable(error.strerror or "no port") from None
    return listening


class LoopbackCallback:
    """Implements ``ports.Callback``: the first request that is right decides, all others are turned away."""

    def __init__(self, listening: socket.socket, state: Secret) -> None:
        self._listening = listening
        self._port: int = listening.getsockname()[1]
        self._state = state
        self._outcome: Outcome | None = None
        self._decided = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._end: asyncio.Event | None = None
        self._visitors: dict[_Visitor, None] = {}
        self._thread = threading.Thread(target=self._serve, name="sign-in-callback", daemon=True)

    @property
    def redirect_uri(self) -> str:
        """``http://127.0.0.1:PORT/oauth/callback``."""
        return f"http://127.0.0.1:{self._port}{oauth.CALLBACK_PATH}"

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        """Return the authorization code of the one request that is right; *timeout* in seconds.

        Raises:
            SignInDenied: the right state came with an error.
            SignInTimedOut: nothing right came in time.
            SignInCancelled: ``cancelled`` became true.
        """
        deadline = time.monotonic() + timeout
        while not self._decided.is_set():
            if cancelled():
                raise SignInCancelled
            left = deadline - time.monotonic()
            if left <= 0:
                raise SignInTimedOut
            self._decided.wait(min(left, _POLL_SECONDS))
        match self._outcome:
            case CodeReceived(code):
                return code
            case DenialReceived(reason):
                raise SignInDenied(reason)
        raise AssertionError("decided without an outcome")

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

    def judge(self, request: CallbackRequest) -> bytes:
        """Return the answer to a request; the first right one decides the sign-in."""
        found = oauth.read_callback(request, self._port, self._state)
        if isinstance(found, NotOurs):
            return pages.gone() if self._is_late(request) else pages.refused(found.status)
        if self._outcome is not None:
            return pages.gone()
        self._outcome = found
        self._decided.set()
        return pages.signed_in() if isinstance(found, CodeReceived) else pages.denied()

    def _is_late(self, request: CallbackRequest) -> bool:
        path = request.target.partition(b"?")[0]
        return self._outcome is not None and path == oauth.CALLBACK_PATH.encode()

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
        server = await self._loop.create_server(
            lambda: _Visitor(self.judge, self._visitors), sock=self._listening, backlog=_BACKLOG
        )
        self._end = end
        self._ready.set()
        await end.wait()
        server.close()
        leaving = [visitor.left for visitor in self._visitors if visitor.answered]
        if leaving:
            await asyncio.wait(leaving, timeout=_FAREWELL_SECONDS)
        for visitor in list(self._visitors):
            visitor.drop()
        await asyncio.sleep(0)  # lets the dropped connections report their end before the loop is closed


class _Visitor(asyncio.Protocol):
    """One connection: reads one request, answers it, closes."""

    def __init__(self, judge: Callable[[CallbackRequest], bytes], visitors: dict[_Visitor, None]) -> None:
        self._judge = judge
        self._visitors = visitors
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_REQUEST)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.answered = False
        self.left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):  # never so for TCP; tells the type checker
            transport.close()
            return
        self._transport = transport
        if len(self._visitors) >= MOST_VISITORS:
            next(iter(self._visitors)).drop()
        self._visitors[self] = None
        self._timer = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self.drop)

    def data_received(self, data: bytes) -> None:
        if self.answered:
            return
        try:
            self._parser.receive_data(data)
            event = self._parser.next_event()
        except h11.RemoteProtocolError:
            self._answer(pages.refused(400))
            return
        if isinstance(event, h11.Request):
            hosts = tuple(value for name, value in event.headers if name == b"host")
            self._answer(self._judge(CallbackRequest(event.method, event.target, hosts)))

    def eof_received(self) -> bool:
        return self.answered  # a client may close its half once it has asked; the page still goes out

    def connection_lost(self, _error: Exception | None) -> None:
        self._visitors.pop(self, None)
        self.left.set_result(None)
        if self._timer is not None:
            self._timer.cancel()

    def drop(self) -> None:
        """Close without a word; what was already being sent may be lost."""
        self._visitors.pop(self, None)
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, page: bytes) -> None:
        self.answered = True
        if self._transport is not None:
            self._transport.write(page)
            self._transport.close()
