"""Hands out the keys of one profile over a Unix socket, and obeys this computer over another one.

What the far end may ask and what controls it never meet: the far end sees the socket for keys alone, and
however it floods that one, `credtray share --stop` is heard.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from credtray.core.errors import CredtrayError
from credtray.daemon.workers import ThreadPool

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

_LONGEST_HEAD = 4096
_HEAD_SECONDS = 5.0
_MOST_AT_ONCE = 100
"""Connections: a far end that opens more and more of them takes the descriptors of this process otherwise."""
_BREATH_SECONDS = 0.4
"""While keys are fetched something is sent this often, by which the far end knows that the link is alive."""
_AT_A_TIME = 100.0
"""Requests for keys that may come together, such as those of programs that start at once."""
_PER_SECOND = 20.0
"""How many may follow, on and on: a program asks once when it starts."""
_QUIET_SECONDS = 60.0
"""After so long without one too many, the next flood is reported again."""
_FETCHES = 8
"""Requests that wait for the agent at once; the others wait for these."""
_TOKEN = re.compile(rb"\r\nauthorization: *([!-~]+)\r\n", re.IGNORECASE)
_TOO_MANY = b"too many requests for keys; wait a second and try again"

Keys = Callable[[], bytes]
"""Returns the keys in the form of a credential process; raises CredtrayError. Called in a thread."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where it is asked; both are in a directory of this user alone."""

    keys: Path
    """For the other side."""
    control: Path
    """For this computer."""


class HandOut:
    """What one `credtray share` hands out, while ``serving``."""

    def __init__(
        self, doors: Doors, about: Mapping[str, object], keys: Keys, flooded: Callable[[], None]
    ) -> None:
        """Join its parts; opens nothing.

        Args:
            doors: where it is asked.
            about: what `credtray share --list` tells of it, besides the counts.
            keys: fetches them.
            flooded: called once for each flood of requests.
        """
        self._doors = doors
        self._about = about
        self._keys = keys
        self._flooded = flooded
        self._pool = ThreadPool("keys", _FETCHES)
        self.stopping = asyncio.Event()
        self.token: str | None = None
        """What the other side has to say, where others could ask as well."""
        self._until: datetime | None = None
        self._served = 0
        self._refused = 0
        self._open = 0
        self._left = _AT_A_TIME
        self._counted = 0.0
        self._last_flood: float | None = None

    def stop(self) -> None:
        """Hand out nothing more, from this moment on."""
        self.stopping.set()

    @asynccontextmanager
    async def serving(self, seconds: float | None = None) -> AsyncIterator[None]:
        """Be there while the block runs, and hand out nothing more after so many seconds."""
        doors = self._doors
        timer = None
        if seconds is not None:
            self._until = datetime.now(UTC) + timedelta(seconds=seconds)
            timer = asyncio.get_running_loop().call_later(seconds, self.stop)
        keys = await asyncio.start_unix_server(self._serve_keys, doors.keys)
        doors.keys.chmod(0o600)
        control = await asyncio.start_unix_server(self._serve_control, doors.control)
        doors.control.chmod(0o600)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            for server, path in ((keys, doors.keys), (control, doors.control)):
                server.close()
                path.unlink(missing_ok=True)

    # --- keys, for the other side -----------------------------------------------------------------------

    async def _serve_keys(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._until is not None and datetime.now(UTC) >= self._until:
            self.stop()  # the timer stood still while the computer slept
        if not self.stopping.is_set() and self._open < _MOST_AT_ONCE:
            self._open += 1
            try:
                with _broken_off():
                    await self._answer(await _head(reader), writer)
            finally:
                self._open -= 1
        writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        if not head.startswith(b"GET /keys HTTP/1."):
            writer.write(_beginning("404 Not Found") + b"there is nothing of that name here")
        elif not self._is_known(head):
            writer.write(_beginning("403 Forbidden") + b"this is not the token of this connection")
        elif not self._may_ask():
            writer.write(_beginning("429 Too Many Requests", b"Retry-After: 1\r\n") + _TOO_MANY)
        else:
            await self._hand_out(writer)
        await writer.drain()

    def _is_known(self, head: bytes) -> bool:
        if self.token is None:
            return True
        said = _TOKEN.search(head)
        return said is not None and hmac.compare_digest(said[1], self.token.encode())

    def _may_ask(self) -> bool:
        """Count a request; False for one too many."""
        now = asyncio.get_running_loop().time()
        self._left = min(_AT_A_TIME, self._left + (now - self._counted) * _PER_SECOND)
        self._counted = now
        if self._left >= 1.0:
            self._left -= 1.0
            return True
        self._refused += 1
        if self._last_flood is None or now - self._last_flood >= _QUIET_SECONDS:
            self._flooded()
        self._last_flood = now
        return False

    async def _hand_out(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_beginning("200 OK"))
        fetching = self._fetching()
        while not (await asyncio.wait({fetching}, timeout=_BREATH_SECONDS))[0]:
            writer.write(b" ")
            await writer.drain()
        try:
            keys = fetching.result()
            if self.stopping.is_set():
                return
            writer.write(keys)
            self._served += 1
        except CredtrayError as error:
            writer.write(f"{error} {error.advice}".encode())

    def _fetching(self) -> asyncio.Future[bytes]:
        """Begin to fetch keys, in a thread that the end of this process does not wait for."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[bytes] = loop.create_future()

        def settle(report: Callable[[], object]) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(lambda: outcome.done() or report())

        def work() -> None:
            try:
                keys = self._keys()
            except CredtrayError as error:
                settle(partial(outcome.set_exception, error))
            else:
                settle(partial(outcome.set_result, keys))
            finally:
                settle(outcome.cancel)

        self._pool.submit(work)
        return outcome

    # --- control, for this computer ---------------------------------------------------------------------

    async def _serve_control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _broken_off():
            head = await _head(reader)
            if head.startswith(b"POST /stop "):
                self.stop()
            writer.write(_beginning("200 OK") + json.dumps(self.about()).encode())
            await writer.drain()
        writer.close()

    def about(self) -> Mapping[str, object]:
        """Return what `credtray share --list` shows."""
        return {**self._about, "pid": os.getpid(), "served": self._served, "refused": self._refused}


async def _head(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(_HEAD_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    return head if len(head) <= _LONGEST_HEAD else b""


def _beginning(status: str, more: bytes = b"") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n".encode()
        + more
        + b"Connection: close\r\n\r\n"
    )


def _broken_off() -> suppress:
    """Return what lets a connection end in any way.

    Cancelled is what is under way at the end; Python 3.11 would report that as an error.
    """
    return suppress(
        OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, asyncio.CancelledError
    )
