"""Chooses how the agent can be reached on this system.

Decides nothing about requests, and imports the other system's way never.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from credtray.daemon.ipc_connection import RequestHandler


class IpcServer(Protocol):
    """The agent's ear."""

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            AgentRefused: we are not the one agent, or the address cannot be had.
        """
        ...

    async def ensure_reachable(self) -> None:
        """Restore what somebody removed; cheap enough for every tick.

        Raises:
            AgentRefused: it cannot be restored.
        """
        ...

    async def close(self) -> None:
        """Stop serving, end every connection. Takes well under a second."""
        ...


def ipc_server(path: Path, holds_lock: Callable[[], bool], handler: RequestHandler) -> IpcServer:
    """Return the server for this system, not yet started.

    Args:
        path: as ``desktop.paths`` gives it.
        holds_lock: tells whether we are the one agent; only that one may replace what it finds there.
        handler: answers requests.
    """
    if sys.platform == "win32":
        from credtray.daemon.ipc_pipe import PipeServer  # cannot be imported elsewhere

        return PipeServer(path, holds_lock, handler)
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        from credtray.daemon.ipc_unix import UnixServer  # cannot be imported on Windows

        return UnixServer(path, holds_lock, handler)
