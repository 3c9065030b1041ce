"""One shared profile: a socket here that hands out keys, and an ssh of the user's that leads to it.

Keys leave through that socket alone, and none is kept at the far end. Both end together.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from credtray.core.errors import CredtrayError
from credtray.core.forms import SYNTAX, Form
from credtray.core.words import plain

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

_OPTIONS = (
    "ExitOnForwardFailure=yes",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ControlMaster=no",
    "ControlPath=none",
    "RemoteCommand=none",
    "StreamLocalBindMask=0177",
)
"""A broken link is noticed within 15 s, and a master connection of somebody else is not used."""
_LONGEST_HEAD = 4096
_HEAD_SECONDS = 5.0
_MOST_AT_ONCE = 100
"""Connections: a far end that opens more and more of them takes the descriptors of this process otherwise."""
_BREATH_SECONDS = 0.4
"""While keys are fetched something is sent this often, by which the far end knows that the link is alive."""
_MOMENT = 0.4
"""Seconds for ssh to end by itself, and then for each harder way."""
_LONGEST_LINE = 4096
_LONGEST_WORDS = 300
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a broken connection is tried again, in seconds; the last one counts for all further tries."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is shared, and with whom."""

    host: str
    """As the user's ssh knows it."""
    profile: str
    name: str
    """The profile as a plain word, at the far end."""
    region: str | None
    origin: str
    """What this computer is called."""
    socket: Path
    """Where keys are handed out here; its directory is the user's alone."""


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the link talks to."""

    ready: Callable[[str], None]
    """Takes the file to read at the far end; called at each connection."""
    broken: Callable[[str, float], None]
    """Takes why the connection ended, and in how many seconds it is tried again."""


Keys = Callable[[], bytes]
"""Returns the keys in the form of a credential process; raises CredtrayError. Called in a thread."""


class Link:
    """A shared profile, from ``run`` until ``stop``, or the end of its time."""

    def __init__(self, wanted: Wanted, script: bytes, keys: Keys, told: Told, ssh: tuple[str, ...]) -> None:
        self._wanted = wanted
        self._script = script
        self._keys = keys
        self._told = told
        self._ssh = ssh
        self._stopping = asyncio.Event()
        self._served = 0
        self._open = 0

    def stop(self) -> None:
        """End it: the socket and the connection are gone within a moment."""
        self._stopping.set()

    async def run(self, seconds: float | None) -> str | None:
        """Share until it is stopped, or for so many seconds; return why it could not begin, or None.

        A connection that was there once and breaks is made again; one that never came is not.
        """
        server = await asyncio.start_unix_server(self._serve, self._wanted.socket)
        self._wanted.socket.chmod(0o600)
        try:
            async with asyncio.timeout(seconds):
                return await self._connected()
        except TimeoutError:
            return None
        finally:
            server.close()
            self._wanted.socket.unlink(missing_ok=True)

    async def _connected(self) -> str | None:
        failures, began = 0, False
        while not self._stopping.is_set():
            ready, why = await self._one_connection()
            if self._stopping.is_set():
                return None
            if not ready and not began:
                return why
            began, failures = True, 0 if ready else failures + 1
            pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
            self._told.broken(why, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
        return None

    # --- the connection ---------------------------------------------------------------------------------

    async def _one_connection(self) -> tuple[bool, str]:
        """Run one ssh to its end; return whether it was ever ready, and its last words."""
        far = f"/tmp/credtray-{secrets.token_hex(16)}"  # noqa: S108 -- sshd makes it, new and for this user alone
        options = [word for option in _OPTIONS for word in ("-o", option)]
        way = f"{far}:{self._wanted.socket}"
        command = [*self._ssh, *options, "-T", "-R", way, "--", self._wanted.host, "sh", "-s"]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        words: deque[str] = deque(maxlen=3)
        ready = asyncio.Event()
        heard = [
            asyncio.create_task(self._hear(process, far, ready)),
            asyncio.create_task(_listen(process, words)),
        ]
        ends = {asyncio.create_task(process.wait()), asyncio.create_task(self._stopping.wait())}
        try:
            await self._send(process, far)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _ended(process)
            await asyncio.wait(heard, timeout=_MOMENT)  # a child of ssh can hold its output for ever
            for task in (*heard, *ends):
                task.cancel()
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 -- asyncio has no other way
        return ready.is_set(), " ".join(words) or f"ssh ended with {process.returncode}"

    async def _send(self, process: Process, far: str) -> None:
        assert process.stdin is not None  # noqa: S101 -- PIPE
        wanted, quoted = self._wanted, SYNTAX[Form.POSIX].quoted
        said = {"socket": far, "name": wanted.name, "region": wanted.region or "", "origin": wanted.origin}
        head = "".join(f"{key}={quoted(value)}\n" for key, value in said.items())
        with contextlib.suppress(ConnectionError):
            process.stdin.write(head.encode() + self._script)
            await process.stdin.drain()

    async def _hear(self, process: Process, far: str, ready: asyncio.Event) -> None:
        """Read what the far end says, all of it, and take from it once that it is ready.

        That line repeats the name of the socket, which no greeting of a login shell knows.
        """
        assert process.stdout is not None  # noqa: S101 -- PIPE
        begin = f"ready {far} ".encode()
        async for line in _lines(process.stdout):
            file = line.removeprefix(begin).decode(errors="replace").strip()
            if line.startswith(begin) and file.isprintable() and not ready.is_set():
                ready.set()
                self._told.ready(file)

    # --- the socket -------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of the far end, or of `credtray share --list` and ``--stop`` here."""
        if not self._stopping.is_set() and self._open < _MOST_AT_ONCE:
            self._open += 1
            # Cancelled is what is under way at the end; Python 3.11 would report that as an error.
            with contextlib.suppress(
                OSError,
                asyncio.IncompleteReadError,
                asyncio.LimitOverrunError,
                TimeoutError,
                asyncio.CancelledError,
            ):
                await self._answer(reader, writer)
            self._open -= 1
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        answer = _ROUTES.get(head.partition(b"\r\n")[0]) if len(head) <= _LONGEST_HEAD else None
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        await (answer(self, writer) if answer is not None else _refuse(writer))
        await writer.drain()

    async def _hand_out(self, writer: asyncio.StreamWriter) -> None:
        fetching = asyncio.create_task(asyncio.to_thread(self._keys))
        while not (await asyncio.wait({fetching}, timeout=_BREATH_SECONDS))[0]:
            writer.write(b" ")
            await writer.drain()
        try:
            keys = fetching.result()
            if self._stopping.is_set():
                return
            writer.write(keys)
            self._served += 1
        except CredtrayError as error:
            writer.write(f"{error} {error.advice}".encode())

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(self.about()).encode())

    async def _obey(self, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(self.about()).encode())
        self.stop()

    def about(self) -> Mapping[str, object]:
        """Return what `credtray share --list` shows."""
        return {
            "host": self._wanted.host,
            "profile": self._wanted.profile,
            "pid": os.getpid(),
            "served": self._served,
        }


_ROUTES: Mapping[bytes, Callable[[Link, asyncio.StreamWriter], Awaitable[None]]] = {
    b"GET /keys HTTP/1.1": Link._hand_out,  # noqa: SLF001 -- of this module
    b"GET /about HTTP/1.1": Link._tell,  # noqa: SLF001 -- as above
    b"POST /stop HTTP/1.1": Link._obey,  # noqa: SLF001 -- as above
}


async def _refuse(writer: asyncio.StreamWriter) -> None:
    writer.write(b"there is nothing of that name here")


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the beginning of each line: nobody says how long the far end makes them."""
    rest = b""
    while part := await stream.read(_LONGEST_LINE):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line[:_LONGEST_LINE]
        rest = rest[:_LONGEST_LINE]
    if rest:
        yield rest


async def _listen(process: Process, words: deque[str]) -> None:
    """Keep the last lines that ssh says."""
    assert process.stderr is not None  # noqa: S101 -- PIPE
    async for line in _lines(process.stderr):
        if text := line.decode(errors="replace").strip():
            words.append(plain(text, _LONGEST_WORDS))


async def _ended(process: Process) -> None:
    """End ssh: a moment for the far end to take its files away, then at once."""
    if process.stdin is not None:
        process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _MOMENT)
