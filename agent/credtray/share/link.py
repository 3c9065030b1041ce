"""One shared profile: an ssh of the user's that leads from the far end to what hands out keys here.

Keys leave that way alone, and none is kept at the far end. Both end together.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from credtray.core.forms import SYNTAX, Form
from credtray.core.words import plain

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

from credtray.share.hand_out import HandOut  # noqa: E402 -- not on Windows

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
_MOMENT = 0.4
"""Seconds for ssh to end by itself, and then for each harder way."""
_LONGEST_LINE = 4096
_LONGEST_WORDS = 300
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a broken connection is tried again, in seconds; the last one counts for all further tries."""
_STEADY = 30.0
"""A connection that was ready for fewer seconds counts as a try that failed: the next pause is longer."""


_ANY_PORT = "127.0.0.1:0"
_NO_SOCKETS = "forwarding failed"
"""How ssh says that the sshd forwards no Unix sockets."""
_PORT = re.compile(r"Allocated port (\d{1,5}) for remote forward")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is shared, and with whom."""

    host: str
    """As the user's ssh knows it."""
    name: str
    """The profile as a plain word, at the far end."""
    region: str | None
    origin: str
    """What this computer is called."""
    keys: Path
    """Where keys are handed out here."""


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the link talks to."""

    ready: Callable[[str], None]
    """Takes the file to read at the far end; called at each connection."""
    broken: Callable[[str, float], None]
    """Takes why the connection ended, and in how many seconds it is tried again."""


@dataclass(frozen=True, slots=True)
class Scripts:
    """What the far end runs."""

    far: bytes
    """Makes everything there, and removes it."""
    get: bytes
    """Fetches keys."""


class Link:
    """A shared profile, from ``run`` until its hand-out is stopped, or the end of its time."""

    def __init__(
        self, wanted: Wanted, scripts: Scripts, hand_out: HandOut, told: Told, ssh: tuple[str, ...]
    ) -> None:
        self._wanted = wanted
        self._scripts = scripts
        self._hand_out = hand_out
        self._told = told
        self._ssh = ssh
        self._stopping = hand_out.stopping
        self._by_port = False

    async def run(self, seconds: float | None) -> str | None:
        """Share until it is stopped, or for so many seconds; return why it could not begin, or None.

        A connection that was there once and breaks is made again; one that never came is not.
        """
        async with self._hand_out.serving(seconds):
            return await self._connected()

    async def _connected(self) -> str | None:
        failures, began, now = -1, False, asyncio.get_running_loop().time
        while not self._stopping.is_set():
            since = now()
            ready, why = await self._one_connection()
            if self._stopping.is_set():
                return None
            if not ready and not began:
                if self._by_port or _NO_SOCKETS not in why:
                    return why
                self._by_port = True
                continue
            began, failures = True, 0 if ready and now() - since >= _STEADY else failures + 1
            pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
            self._told.broken(why, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
        return None

    # --- the connection ---------------------------------------------------------------------------------

    async def _one_connection(self) -> tuple[bool, str]:
        """Run one ssh to its end; return whether it was ever ready, and its last words."""
        mark = f"credtray-{secrets.token_hex(16)}"
        process = await asyncio.create_subprocess_exec(
            *self._ssh, *self._options(mark), "--", self._wanted.host, "sh", "-s",
            stdin=PIPE, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        words: deque[str] = deque(maxlen=3)
        ready = asyncio.Event()
        port: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        heard = [
            asyncio.create_task(self._hear(process, mark, ready)),
            asyncio.create_task(_listen(process, words, port)),
            asyncio.create_task(self._send(process, mark, port)),
        ]
        ends = {asyncio.create_task(process.wait()), asyncio.create_task(self._stopping.wait())}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _ended(process)
            await asyncio.wait(heard[:2], timeout=_MOMENT)  # a child of ssh can hold its output for ever
            for task in (*heard, *ends):
                task.cancel()
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 -- asyncio has no other way
        return ready.is_set(), " ".join(words) or f"ssh ended with {process.returncode}"

    def _options(self, mark: str) -> Iterator[str]:
        for option in (*_OPTIONS, *(("LogLevel=INFO",) if self._by_port else ())):
            yield from ("-o", option)
        yield from ("-T", "-R", f"{_ANY_PORT if self._by_port else f'/tmp/{mark}'}:{self._wanted.keys}")  # noqa: S108 -- sshd makes it, new and for this user alone

    async def _send(self, process: Process, mark: str, port: asyncio.Future[str]) -> None:
        """Say to the far end what it is to run; where others could ask as well, with a token."""
        assert process.stdin is not None  # noqa: S101 -- PIPE
        wanted, quoted = self._wanted, SYNTAX[Form.POSIX].quoted
        token = secrets.token_urlsafe(24) if self._by_port else ""
        self._hand_out.token = token or None
        said = {
            "mark": mark,
            "port": await port if self._by_port else "",
            "token": token,
            "name": wanted.name,
            "region": wanted.region or "",
            "origin": wanted.origin,
            "get": self._scripts.get.decode(),
        }
        head = "".join(f"{key}={quoted(value)}\n" for key, value in said.items())
        with contextlib.suppress(ConnectionError):
            process.stdin.write(head.encode() + self._scripts.far)
            await process.stdin.drain()

    async def _hear(self, process: Process, mark: str, ready: asyncio.Event) -> None:
        """Read what the far end says, all of it, and take from it once that it is ready.

        That line repeats a word of this connection, which no greeting of a login shell knows.
        """
        assert process.stdout is not None  # noqa: S101 -- PIPE
        begin = f"ready {mark} ".encode()
        async for line in _lines(process.stdout):
            file = line.removeprefix(begin).decode(errors="replace").strip()
            if line.startswith(begin) and file.isprintable() and not ready.is_set():
                ready.set()
                self._told.ready(file)


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


async def _listen(process: Process, words: deque[str], port: asyncio.Future[str]) -> None:
    """Keep the last lines that ssh says, and the port that it was given."""
    assert process.stderr is not None  # noqa: S101 -- PIPE
    async for line in _lines(process.stderr):
        text = line.decode(errors="replace").strip()
        if (found := _PORT.match(text)) and not port.done():
            port.set_result(found[1])
        elif text:
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
