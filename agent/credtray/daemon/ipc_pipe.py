"""The agent's named pipe on Windows: lets in our own user and nobody else.

Reads no request (see ``ipc_connection``). Its name is new at each start, and clients find it in a file.
"""

from __future__ import annotations

import _winapi
import asyncio
import contextlib
import logging
import os
import sys
from asyncio import windows_utils
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from credtray import windows_user
from credtray.core.errors import AgentRefused
from credtray.daemon.ipc_connection import Connections, RequestHandler
from credtray.pipe_note import NOTE_LIMIT, PIPE, pipe_note

assert sys.platform == "win32"  # noqa: S101 -- the form that type checkers understand

_log = logging.getLogger(__name__)

# Constants of winbase.h that _winapi does not have.
_REJECT_REMOTE_CLIENTS = 0x00000008

_FREE = 16
"""Instances that wait for a client; more clients at once than that wait a moment for the next one."""
_BUFFER = 64 * 1024
_ACCEPT_PAUSE = 1.0
_ANOTHER_NAME = "Start the agent again: it takes another name."
_IN_THE_WAY = "Remove it: the agent writes a file there."


class _Proactor(Protocol):
    """What asyncio's loop does with pipes on Windows; ``asyncio.IocpProactor``, as far as it is used here."""

    def accept_pipe(self, pipe: windows_utils.PipeHandle) -> asyncio.Future[windows_utils.PipeHandle]: ...
    def recv(self, conn: windows_utils.PipeHandle, nbytes: int) -> asyncio.Future[bytes]: ...
    def send(self, conn: windows_utils.PipeHandle, buf: bytes) -> asyncio.Future[int]: ...


class PipeServer:
    """Listens on one named pipe; a file, private to the user, tells its name and what proves that it is ours.

    asyncio has a server for pipes, but it gives them no access list and lets other computers in.
    """

    def __init__(
        self, path: Path, holds_lock: Callable[[], bool], handler: RequestHandler, most: int = 2000
    ) -> None:
        self._path = path
        self._holds_lock = holds_lock
        self._connections = Connections(handler, most)
        end, proof = os.urandom(16).hex(), os.urandom(16).hex()
        # Not told before: nobody can have taken it.
        self._name = PIPE + end
        self._proof = proof.encode()
        self._note = pipe_note(end, proof)
        self._private = windows_user.OwnerOnly()
        self._accepting: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Make the pipe, tell its name and begin to accept.

        Raises:
            AgentRefused: we are not the one agent, or somebody else serves a pipe of this name.
        """
        loop = asyncio.get_running_loop()
        if not self._holds_lock() or not isinstance(loop, asyncio.ProactorEventLoop):
            raise AgentRefused(f"{self._path}: another agent may be using it")
        proactor: _Proactor = loop._proactor  # type: ignore[attr-defined]  # noqa: SLF001 -- see the class
        with self._refused(self._name, _ANOTHER_NAME):
            free = [self._instance(_winapi.FILE_FLAG_FIRST_PIPE_INSTANCE)]
            free += [self._instance() for _ in range(1, _FREE)]
        try:
            self._tell()
        except AgentRefused:
            for pipe in free:
                pipe.close()
            raise
        self._accepting = [
            asyncio.create_task(self._accept(pipe, proactor), name="ipc accept") for pipe in free
        ]

    async def ensure_reachable(self) -> None:
        """Tell the name again when somebody removed or changed the file; cheap enough for every tick.

        Raises:
            AgentRefused: the file is gone and cannot be written.
        """
        if not self._accepting or self._is_told():
            return
        _log.warning("the file %s was removed; writing it again", self._path)
        self._tell()

    async def close(self) -> None:
        """Stop accepting, end every connection and remove the file. Takes well under a second."""
        if self._accepting and self._is_told():
            with contextlib.suppress(OSError):
                self._path.unlink()
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        self._accepting = []
        await self._connections.close()

    def _instance(self, flags: int = 0) -> windows_utils.PipeHandle:
        return windows_utils.PipeHandle(
            _winapi.CreateNamedPipe(
                self._name,
                _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED | flags,
                _REJECT_REMOTE_CLIENTS,  # and bytes instead of messages, which have no flag
                _winapi.PIPE_UNLIMITED_INSTANCES,
                _BUFFER,
                _BUFFER,
                0,
                self._private.address,
            )
        )

    def _tell(self) -> None:
        if self._path.is_dir():  # of which Windows says no more than "access denied"
            raise AgentRefused(f"{self._path} is a folder", hint=_IN_THE_WAY)
        with self._refused(str(self._path), _IN_THE_WAY):
            # In place: a client that reads it would keep us from replacing it. All notes have one length.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_BINARY, 0o600)
            try:
                os.write(descriptor, self._note)
                os.ftruncate(descriptor, len(self._note))
            finally:
                os.close(descriptor)

    def _is_told(self) -> bool:
        try:
            with self._path.open("rb") as file:
                return file.read(NOTE_LIMIT) == self._note
        except OSError:
            return False

    @staticmethod
    @contextlib.contextmanager
    def _refused(what: str, hint: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AgentRefused(f"{what} cannot be created: {error.strerror or error}", hint=hint) from None

    async def _accept(self, pipe: windows_utils.PipeHandle, proactor: _Proactor) -> None:
        while True:
            try:
                await proactor.accept_pipe(pipe)
                await proactor.send(pipe, self._proof)
            except OSError:  # it has gone already
                pipe.close()
            except asyncio.CancelledError:
                pipe.close()
                raise
            else:
                self._connections.take_in(_PipeChannel(pipe, proactor))
            pipe = await self._next_instance()

    async def _next_instance(self) -> windows_utils.PipeHandle:
        while True:
            try:
                return self._instance()
            except OSError as error:
                # Out of memory: those we serve will free some.
                _log.warning("a client could not be accepted: %s", error.strerror)
                self._connections.make_room(0)
                await asyncio.sleep(_ACCEPT_PAUSE)


class _PipeChannel:
    """One connected instance of the pipe as a ``Channel``."""

    def __init__(self, pipe: windows_utils.PipeHandle, proactor: _Proactor) -> None:
        self.caller = windows_user.client_pid(pipe.handle)
        self._pipe = pipe
        self._proactor = proactor

    async def receive(self, most: int) -> bytes:
        try:
            return await self._proactor.recv(self._pipe, most)
        except BrokenPipeError:  # the client has closed it
            return b""

    async def send(self, data: bytes) -> None:
        while data:
            data = data[await self._proactor.send(self._pipe, data) :]

    def close(self) -> None:
        self._pipe.close()
