"""Receives the redirect of one sign-in on 127.0.0.1: implements ``ports.CallbackListener``.

Must not judge a request itself (core/oauth does), log one, or end a sign-in because of a stranger's request.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11

from credtray.core import oauth
from credtray.core.errors import ListenerUnavailable, SignInCancelled, SignInDenied, SignInTimedOut
from credtray.core.loopback_peer import Address
from credtray.core.oauth import CallbackRequest, CodeReceived, DenialReceived, NotOurs
from credtray.core.secret import Secret
from credtray.web import pages
from credtray.web.visitors import BACKLOG, Visitors, unshared_port

MOST_VISITORS = 64
"""Connections kept at once; one more, and the one that has been silent longest goes."""

REQUEST_SECONDS = 10.0
"""How long a visitor may take over its request."""

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
        listening = unshared_port()
        callback = LoopbackCallback(listening, state)
        callback.start()
        try:
            yield callback
        finally:
            callback.stop()


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
        self._visitors = Visitors(
            self._answer, pages.refused(400), most=MOST_VISITORS, seconds=REQUEST_SECONDS
        )
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

    def _answer(self, request: h11.Request, _peer: Address) -> bytes:
        hosts = tuple(value for name, value in request.headers if name == b"host")
        return self._judge(CallbackRequest(request.method, request.target, hosts))

    def _judge(self, request: CallbackRequest) -> bytes:
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
            self._visitors.protocol, sock=self._listening, backlog=BACKLOG
        )
        self._end = end
        self._ready.set()
        await end.wait()
        server.close()
        await self._visitors.farewell(_FAREWELL_SECONDS)
