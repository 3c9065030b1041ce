"""The agent's named pipe on Windows. Type-checked there, but never run by its authors.

Reads no request (see ``ipc_connection``). A pipe made without a security descriptor lets only its owner,
administrators and the system write (CreateNamedPipe documentation), so no other user can send a request.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from credtray.core.errors import AgentRefused
from credtray.daemon.ipc_connection import Connection, RequestHandler

assert sys.platform == "win32"  # noqa: S101 -- the form that type checkers understand


class _Closable(Protocol):
    """What asyncio's own pipe server offers, which has no public name."""

    def close(self) -> None: ...


class PipeServer:
    """Listens on one named pipe; asyncio makes its first instance with FILE_FLAG_FIRST_PIPE_INSTANCE."""

    def __init__(self, name: str, holds_lock: Callable[[], bool], handler: RequestHandler) -> None:
        self._name = name
        self._holds_lock = holds_lock
        self._handler = handler
        self._servers: Sequence[_Closable] = ()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            AgentRefused: we are not the one agent, or somebody else has made a pipe of this name.
        """
        loop = asyncio.get_running_loop()
        if not self._holds_lock() or not isinstance(loop, asyncio.ProactorEventLoop):
            raise AgentRefused(f"{self._name}: another agent may be using it")
        try:
            self._servers = await loop.start_serving_pipe(self._protocol, self._name)
        except OSError as error:
            raise AgentRefused(f"{self._name} cannot be created: {error.strerror}") from None

    async def ensure_reachable(self) -> None:
        """Do nothing: nobody can remove a pipe that is open."""

    async def close(self) -> None:
        """Stop serving and end every connection."""
        for server in self._servers:
            server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(_StreamChannel(reader, writer), self._handler)
        task = asyncio.create_task(connection.serve(), name="ipc connection")
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)


class _StreamChannel:
    """A pair of asyncio streams as a ``Channel``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self, most: int) -> bytes:
        return await self._reader.read(most)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.transport.abort()
