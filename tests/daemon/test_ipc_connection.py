"""One client's conversation, over a channel whose bytes arrive at chosen moments."""

from __future__ import annotations

import asyncio

import pytest

from credtray.core.protocol import Done, Ping, Request, decode_reply, encode
from credtray.core.protocol.results import PingResult
from credtray.daemon.ipc_connection import Connection, ReplySink


class Handler:
    async def handle(self, request: Request, reply: ReplySink) -> None:
        await reply.send(Done(PingResult(7, type(request).__name__)))


class Channel:
    """Brings one request, another so many turns of the loop after the first reply, and then the end."""

    def __init__(self, turns: int) -> None:
        self.caller: int | None = None
        self.sent: list[bytes] = []
        self._turns = turns
        self._held = [encode(Ping())]
        self._waiting: asyncio.Future[bytes] | None = None

    async def receive(self, most: int) -> bytes:
        if self._held:
            return self._held.pop(0)
        self._waiting = asyncio.get_running_loop().create_future()
        return await self._waiting

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        self._later(self._turns, encode(Ping()) if len(self.sent) == 1 else b"")

    def close(self) -> None:
        """Nothing to close."""

    def _later(self, turns: int, data: bytes) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._later, turns - 1, data)
        elif self._waiting is None or self._waiting.done():
            self._held.append(data)
        else:
            self._waiting.set_result(data)


@pytest.mark.parametrize("turns", range(8))
def test_request_that_comes_just_as_the_one_before_is_answered_is_heard(turns: int) -> None:
    channel = Channel(turns)
    asyncio.run(Connection(channel, Handler()).serve())

    assert [decode_reply(frame, Ping()) for frame in channel.sent] == [Done(PingResult(7, "Ping"))] * 2
