"""The agent's Unix socket: lets in our own user and nobody else.

Reads no request (see ``ipc_connection``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from credtray.core.errors import AgentRefused
from credtray.daemon.ipc_connection import Connections, RequestHandler
from credtray.unix_peer import peer_pid, peer_question, peer_uid, pid_question

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

_log = logging.getLogger(__name__)

_BACKLOG = 1024
_ACCEPT_PAUSE = 1.0


class UnixServer:
    """Listens on one Unix socket, mode 0600, in a prepared runtime directory."""

    def __init__(
        self, path: Path, holds_lock: Callable[[], bool], handler: RequestHandler, most: int = 2000
    ) -> None:
        self._path = path
        self._holds_lock = holds_lock
        self._connections = Connections(handler, most)
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._refused: set[int] = set()

    async def start(self) -> None:
        """Bind, replacing a socket that a killed agent left, and begin to accept.

        Raises:
            AgentRefused: we are not the one agent, or the path cannot be bound.
        """
        if not self._holds_lock():
            raise AgentRefused(f"{self._path}: another agent may be using it")
        self._listener = self._bind()
        self._accepting = asyncio.create_task(self._accept(self._listener), name="ipc accept")

    async def ensure_reachable(self) -> None:
        """Bind anew when somebody removed or replaced the socket; cheap enough for every tick.

        Raises:
            AgentRefused: it is gone and cannot be bound again.
        """
        if self._listener is None or self._is_ours():
            return
        _log.warning("the socket %s was removed; creating it again", self._path)
        await self._stop_listening()
        await self.start()

    async def close(self) -> None:
        """Stop accepting, end every connection and remove the socket. Takes well under a second."""
        if self._listener is not None and self._is_ours():
            with contextlib.suppress(OSError):
                self._path.unlink()
        await self._stop_listening()
        await self._connections.close()

    def _bind(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISSOCK(self._path.lstat().st_mode):
                    self._path.unlink()
            listener.bind(str(self._path))
            self._path.chmod(0o600)  # before listen(): nobody can connect until the mode is right
            listener.listen(_BACKLOG)
            listener.setblocking(False)
            self._identity = self._path.lstat()
        except OSError as error:
            listener.close()
            raise AgentRefused(f"{self._path} cannot be bound: {error.strerror or error}") from None
        return listener

    def _is_ours(self) -> bool:
        try:
            return os.path.samestat(self._identity, self._path.lstat())
        except OSError:
            return False

    async def _stop_listening(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        self._accepting = self._listener = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError as error:
                # Out of file descriptors or memory: those we serve will free some.
                _log.warning("a client could not be accepted: %s", error.strerror)
                self._connections.make_room(0)
                await asyncio.sleep(_ACCEPT_PAUSE)
                continue
            if self._is_welcome(client):
                self._connections.take_in(_SocketChannel(client))
            else:
                client.close()

    def _is_welcome(self, client: socket.socket) -> bool:
        question = peer_question(sys.platform)
        if question is None:
            return False
        try:
            uid = peer_uid(client.getsockopt(*question), sys.byteorder)
        except OSError:
            return False  # already gone
        if uid in {0, os.geteuid()}:
            return True
        if uid not in self._refused:
            self._refused.add(uid)
            _log.warning("user %d tried to use the socket %s: refused", uid, self._path)
        return False


class _SocketChannel:
    """A connected, non-blocking socket as a ``Channel``."""

    def __init__(self, client: socket.socket) -> None:
        client.setblocking(False)
        self._client = client
        self.caller = _pid_of(client)
        self._loop = asyncio.get_running_loop()

    async def receive(self, most: int) -> bytes:
        return await self._loop.sock_recv(self._client, most)

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._client, data)

    def close(self) -> None:
        self._client.close()


def _pid_of(client: socket.socket) -> int | None:
    question = pid_question(sys.platform)
    try:
        return None if question is None else peer_pid(client.getsockopt(*question), sys.byteorder)
    except OSError:
        return None  # already gone
