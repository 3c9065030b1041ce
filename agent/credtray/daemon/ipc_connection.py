"""One client's conversation with the agent: a request, signs of life, the reply, and again.

Knows nothing of how clients got in (see ``ipc``) nor of what requests mean (see ``RequestHandler``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol

from credtray.core import protocol
from credtray.core.errors import BadFrame, CredtrayError
from credtray.core.protocol import Failed, Progress, Reply, Request
from credtray.core.protocol.messages import Frames

_log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
"""A connection without a whole request for this long is closed."""
STALLED_SECONDS = 5.0
"""A client that takes nothing of a reply for this long is given up."""
SIGN_OF_LIFE_SECONDS = 1.0
"""How often a client hears that its request is still being worked on."""
_PIECE = 64 * 1024


class ReplySink(Protocol):
    """Takes the replies to one request. Sending to a client that is gone does nothing."""

    @property
    def caller(self) -> int | None:
        """The process id of the client; None where the system does not tell, or it is this process."""
        ...

    async def send(self, reply: Reply) -> None:
        """Send one reply; returns when the client's system has it, or the client is given up."""
        ...


class HeardHere:
    """The client's end of a request that this process makes itself: a ``ReplySink`` of its own."""

    caller: int | None = None

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        """Hear nothing yet; *on_progress* hears of each step at once."""
        self.final: Reply | None = None
        self._on_progress = on_progress

    async def send(self, reply: Reply) -> None:
        """Hand progress on, keep the rest."""
        if isinstance(reply, Progress):
            self._on_progress(reply)
        else:
            self.final = reply


class RequestHandler(Protocol):
    """Carries out requests: the daemon's loop."""

    async def handle(self, request: Request, reply: ReplySink) -> None:
        """Send any number of ``Progress`` or ``Update``, then one of the other replies.

        A ``CredtrayError`` raised here is sent as ``Failed``. Cancelled when the client goes away, so work
        that others share must be shielded.
        """
        ...


class Channel(Protocol):
    """A connected stream of bytes; both methods raise OSError when it breaks."""

    caller: int | None
    """The process id at the other end; None where the system does not tell."""

    async def receive(self, most: int) -> bytes:
        """Return what came, empty at the end."""
        ...

    async def send(self, data: bytes) -> None:
        """Return when all of it was taken by the system."""
        ...

    def close(self) -> None:
        """Close it, dropping what was not sent."""
        ...


class Connection:
    """Serves one client until it goes, misbehaves or falls silent."""

    def __init__(self, channel: Channel, handler: RequestHandler) -> None:
        self._channel = channel
        self._handler = handler
        self._frames = Frames(protocol.REQUEST_LIMIT)
        self._coming: asyncio.Task[bytes] | None = None
        self.idle = True
        """True while no request is being worked on: such a connection may be closed to make room."""

    async def serve(self) -> None:
        """Answer one request after the other; never raises but for cancellation."""
        try:
            while (frame := await self._next_frame()) is not None:
                self.idle = False
                if not await self._answer(frame):
                    return
                self.idle = True
        except BadFrame as error:
            await _Sink(self._channel).send(Failed.of(error))
        except (OSError, TimeoutError):
            return  # gone, or silent for too long
        finally:
            if self._coming is not None:
                self._coming.cancel()
                await asyncio.gather(self._coming, return_exceptions=True)
            self._channel.close()

    async def _next_frame(self) -> bytes | None:
        async with asyncio.timeout(IDLE_SECONDS):
            while (frame := self._frames.next()) is None:
                data = await self._piece()
                if not data:
                    return None
                self._frames.feed(data)
        return frame

    async def _answer(self, frame: bytes) -> bool:
        """Return False when the client is not to be listened to any longer."""
        sink = _Sink(self._channel)
        try:
            request = protocol.decode_request(frame)
        except CredtrayError as error:
            await sink.send(Failed.of(error))
            return False
        working = asyncio.create_task(self._work(request, sink), name="ipc request")
        leaving = asyncio.create_task(self._hear(), name="ipc hear")
        sink.given_up.add_done_callback(lambda _: leaving.cancel())
        both = {working, leaving}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return working.done() and not sink.gone
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _hear(self) -> None:
        """Return when the client goes away; a next request sent early is kept."""
        with contextlib.suppress(OSError, BadFrame):
            while data := await self._piece():
                self._frames.feed(data)

    async def _piece(self) -> bytes:
        """Return what comes next. Who stops waiting for it loses nothing: the next caller gets it.

        A read that is cancelled may have taken bytes already: the request after the reply would be lost.
        """
        if self._coming is None:
            self._coming = asyncio.create_task(self._channel.receive(_PIECE), name="ipc piece")
        coming = self._coming
        await asyncio.wait({coming})
        self._coming = None
        return coming.result()

    async def _work(self, request: Request, sink: _Sink) -> None:
        living = asyncio.create_task(self._show_life(request, sink), name="ipc sign of life")
        try:
            await self._handler.handle(request, sink)
            if not sink.finished:
                _log.error("%s was not answered", type(request).__name__)
                await sink.send(Failed.of(CredtrayError("the request was not answered")))
        except CredtrayError as error:
            await sink.send(Failed.of(error))
        except Exception as error:  # noqa: BLE001 -- the error border of IPC: one bad request, one reply
            _log.exception("%s failed", type(request).__name__)
            await sink.send(Failed.of(CredtrayError(type(error).__name__)))
        finally:
            living.cancel()

    async def _show_life(self, request: Request, sink: _Sink) -> None:
        if isinstance(request, protocol.Watch):
            return  # lasts for hours: no wakeups for its sake
        while not sink.finished:
            await asyncio.sleep(SIGN_OF_LIFE_SECONDS)
            await sink.send(Progress("waiting"))


class Connections:
    """The clients of one server. Never lets one of them starve another."""

    def __init__(self, handler: RequestHandler, most: int) -> None:
        self._handler = handler
        self._most = most
        """Connections at a time; one more closes the one that has been idle for longest."""
        self._serving: dict[asyncio.Task[None], Connection] = {}

    def take_in(self, channel: Channel) -> None:
        """Serve it from here on, or close it when there is no room."""
        if not self.make_room(self._most - 1):
            channel.close()
            return
        connection = Connection(channel, self._handler)
        task = asyncio.create_task(connection.serve(), name="ipc connection")
        self._serving[task] = connection
        task.add_done_callback(lambda done: self._serving.pop(done, None))

    def make_room(self, most: int) -> bool:
        """Close connections that wait for nothing, the oldest first; False when that is not enough."""
        for task, connection in list(self._serving.items()):
            if len(self._serving) <= most:
                break
            if connection.idle:
                del self._serving[task]
                task.cancel()
        return len(self._serving) <= most

    async def close(self) -> None:
        """End every connection."""
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


class _Sink:
    """Sends replies over one channel, whole frames only."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._turn = asyncio.Lock()  # a sign of life must not fall into the middle of a reply
        self.given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.finished = False
        self.gone = False
        self.caller = channel.caller

    async def send(self, reply: Reply) -> None:
        async with self._turn:
            if self.gone or self.finished:
                return
            # A frame cut off by cancellation would garble the next one: from here on it is all or nothing.
            self.gone, self.finished = True, not isinstance(reply, Progress | protocol.Update)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(STALLED_SECONDS):
                    await self._channel.send(_encoded(reply))
                self.gone = False
            if self.gone:
                self.given_up.set_result(None)  # else a handler that sends for hours would never end


def _encoded(reply: Reply) -> bytes:
    try:
        return protocol.encode(reply)
    except BadFrame as error:
        return protocol.encode(Failed.of(error))
