"""The commands' side of the local socket: find the agent, make sure it is ours, ask, wait for the reply.

Never prints, and never starts an agent. `credtray credentials` has a faster way: credentials_fetch.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeVar

from credtray.core import protocol
from credtray.core.errors import AgentNotRunning, AgentRefused, AgentSilent, CredtrayError, TimedOut
from credtray.core.protocol import (
    Asks,
    Failed,
    Progress,
    Reply,
    Request,
    Update,
    decode_reply,
    encode,
    result_of,
)
from credtray.core.protocol.messages import Frames
from credtray.core.protocol.results import StatusDocument

SILENCE_SECONDS = 5.0
"""The agent gives a sign of life every 2 s while it works; one that is silent for longer is stuck."""
_START_YOURS = "Start your agent: it takes a name that nobody knows. Run: credtray run"
_PIECE = 64 * 1024
R = TypeVar("R")


class _Stream(Protocol):
    """A connected stream of bytes."""

    def settimeout(self, value: float | None, /) -> None: ...
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, most: int, /) -> bytes: ...
    def close(self) -> None: ...


class AgentClient:
    """A connection to the running agent; a context manager."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._frames = Frames(protocol.REPLY_LIMIT)

    @classmethod
    def connect(cls) -> AgentClient:
        """Connect to the agent of this user.

        Raises:
            AgentNotRunning: nobody listens.
            AgentRefused: whoever listens is somebody else.
            AgentSilent: it takes no more connections.
        """
        return cls(_connect())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; a request under way is given up, shared work (a sign-in) goes on."""
        self._stream.close()

    def ask(
        self,
        request: Asks[R],
        progress: Callable[[Progress], None] | None = None,
        within: float | None = None,
    ) -> R:
        """Send a request and return its result.

        Args:
            request: what to ask.
            progress: called with what a person should know meanwhile (never with signs of life).
            within: seconds until we give up; None waits as long as the agent shows life.

        Raises:
            CredtrayError: what the agent failed with, of its own class; or AgentSilent, TimedOut,
                AgentNotRunning (it ended meanwhile), ProtocolMismatch, BadFrame.
        """
        deadline = None if within is None else time.monotonic() + within
        self._send(encode(request))
        while True:
            match self._receive(request, _left(deadline)):
                case Progress(kind="waiting"):
                    pass  # its arrival was the message
                case Progress() as step:
                    if progress is not None:
                        progress(step)
                case final:
                    return result_of(final, request)

    def watch(self) -> Iterator[StatusDocument]:
        """Yield a status document now and at each change, until the agent ends.

        Raises:
            CredtrayError: as ``ask``; the end of the agent is AgentNotRunning.
        """
        request = protocol.Watch()
        self._send(encode(request))
        patience: float | None = SILENCE_SECONDS
        while True:
            match self._receive(request, patience):
                case Update(document):
                    patience = None  # nothing may change for hours
                    yield document
                case Failed() as failed:
                    raise failed.error()
                case _:
                    pass

    def _send(self, frame: bytes) -> None:
        self._stream.settimeout(SILENCE_SECONDS)
        try:
            self._stream.sendall(frame)
        except TimeoutError:
            raise AgentSilent from None
        except OSError:
            raise AgentNotRunning("it ended while it was asked") from None

    def _receive(self, request: Request, patience: float | None) -> Reply:
        """Return the next reply to the request; ``patience`` is seconds left, None forever."""
        until = None if patience is None else time.monotonic() + min(patience, SILENCE_SECONDS)
        while (frame := self._frames.next()) is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise _given_up(patience)
            self._stream.settimeout(left)
            try:
                data = self._stream.recv(_PIECE)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            if not data:
                raise AgentNotRunning("it ended while it was asked")
            self._frames.feed(data)
        return decode_reply(frame, request)


def _connect() -> _Stream:
    try:
        if sys.platform == "win32":
            from credtray.agent_connect_pipe import connect_and_look  # cannot be imported elsewhere

            return connect_and_look(SILENCE_SECONDS)
        else:  # noqa: RET505 -- type checkers take the branch of their platform
            from credtray.agent_connect import connect  # cannot be imported on Windows

            return connect(SILENCE_SECONDS)
    except ConnectionRefusedError:
        raise AgentNotRunning from None
    except PermissionError as error:
        hint = _START_YOURS if sys.platform == "win32" else None
        raise AgentRefused(str(error), hint=hint) from None
    except BlockingIOError:
        raise AgentSilent("it takes no more connections") from None
    except TimeoutError:
        raise _nothing_came() from None


def _given_up(patience: float | None) -> CredtrayError:
    if patience is not None and patience < SILENCE_SECONDS:
        return TimedOut()
    return _nothing_came()


def _nothing_came() -> AgentSilent:
    return AgentSilent(f"nothing came for {SILENCE_SECONDS:.0f} seconds")


def _left(deadline: float | None) -> float:
    if deadline is None:
        return SILENCE_SECONDS
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimedOut
    return left
