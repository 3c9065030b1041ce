"""What is shared on this computer: found by asking the sockets of the processes that share, and stopped so.

The agent looks here, too. It owns none of them: a shared profile outlives an agent that ends, and ends with
its own process, however that goes.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from credtray.core.clicks import StopSharing
from credtray.core.errors import AgentRefused, CredtrayError
from credtray.daemon.workers import Workers
from credtray.desktop import paths

_ASK_SECONDS = 2.0
_BRIEFLY = 0.5
"""How long a view may take for what is shared, in seconds."""
_MOST_BYTES = 65536
MUTE = (
    "A `credtray share` does not answer, so it is neither shown nor stopped",
    "If it was suspended with Ctrl-Z: `fg` in its terminal, then Ctrl-C.",
)
"""What went wrong, and what to do."""
_CHANGED = "changed"
"""A file in that directory which is written when something begins to be shared, and when it ends."""


def directory() -> Path:
    """Return where the sockets lie.

    Raises:
        AgentRefused: there is no place for sockets on this computer.
    """
    return paths.runtime_directory() / "share"


def tell_the_agent() -> None:
    """Have the agent look, if one runs: it watches this file."""
    with suppress(OSError):
        (directory() / _CHANGED).write_bytes(b"\n")  # a new time alone is no change to every watch


def running(host: str | None, *, stop: bool, profile: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield what is shared, with one machine or with all; with *stop*, that is the end of it.

    What does not answer is yielded empty, and goes on.

    Raises:
        AgentRefused: there is no place for sockets on this computer.
    """
    for path in sorted(directory().glob("*.sock")):
        about = _asked(path, "GET /about")
        if about is None:
            path.unlink(missing_ok=True)  # of one that was killed
            path.with_suffix(".keys").unlink(missing_ok=True)
        elif not about:
            yield about
        elif host not in {None, about.get("host")} or profile not in {None, about.get("profile")}:
            continue
        elif not stop or _asked(path, "POST /stop"):
            yield about


def _asked(path: Path, request: str) -> Mapping[str, Any] | None:
    """Ask a sharing process; None where there is none, nothing where it does not answer."""
    if sys.platform == "win32":
        return None
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as link:
            link.settimeout(_ASK_SECONDS)
            try:
                link.connect(os.fspath(path))
            except (ConnectionRefusedError, FileNotFoundError):
                return None
            link.sendall(f"{request} HTTP/1.1\r\nHost: credtray\r\n\r\n".encode())
            answer = b""
            while len(answer) < _MOST_BYTES and (part := link.recv(_MOST_BYTES)):
                answer += part
            found = json.loads(answer.partition(b"\r\n\r\n")[2])
            return found if isinstance(found, dict) else {}
        return {}


class Shares:
    """What is shared, as the running agent shows it: looked at when something begins or ends, or is shown."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._listeners: list[Callable[[], None]] = []
        self._looking: asyncio.Task[None] | None = None
        """Held: asyncio forgets tasks nobody holds."""
        self.found: tuple[StopSharing, ...] = ()
        """Each as the click that ends it."""

    def heard_by(self, listener: Callable[[], None]) -> None:
        """Tell this one when something else is shared than before."""
        self._listeners.append(listener)

    def files(self) -> tuple[Path, ...]:
        """Return what changes when something begins to be shared, or ends."""
        with suppress(AgentRefused):
            return (directory() / _CHANGED,)
        return ()

    def look_soon(self) -> None:
        """Look in a moment, unless that is being done. Only on the loop's thread."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self.look(), name="shares")

    async def look(self) -> None:
        """Find out what is shared now."""
        with suppress(CredtrayError):
            found = await self._workers.desktop_result_of(_found)
            if found != self.found:
                self.found = found
                for listener in self._listeners:
                    listener()

    async def look_briefly(self) -> None:
        """Find out what is shared now; what does not answer is left to ``heard_by``."""
        self.look_soon()
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=_BRIEFLY)

    async def stop(self, click: StopSharing) -> bool:
        """Share this one no longer; it hands out nothing more when this returns.

        False: it does not answer.
        """
        stopped = await self._workers.desktop_result_of(
            lambda: list(running(click.host, stop=True, profile=click.profile))
        )
        await self.look()
        return any(stopped) or not stopped


def _found() -> tuple[StopSharing, ...]:
    return tuple(
        StopSharing(str(about.get("host")), str(about.get("profile")))
        for about in running(None, stop=False)
        if about
    )
