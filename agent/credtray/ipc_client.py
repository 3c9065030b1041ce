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
from credtray.core.errors import AgentNotRunning, AgentRefused, AgentSilent, TimedOut
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
from credtray.core.protocol.results import PartStatus, StatusDocument

ANSWER_SECONDS = 3.5
"""Until the agent's first sign of life, with connecting and sending: it gives one each second.

A command takes up to 2 s to start on a busy Windows, and whoever waits for it gives up after 6 s.
"""
SILENCE_SECONDS = 5.0
"""Between two signs of life while it works; one that is silent for longer is stuck."""
_LEAST_SECONDS = 0.5
_START_YOURS = "Start your agent: it takes a name that nobody knows. Run: credtray start"
_LET_READ = "It tells commands where the agent is. Close the program that has it open, or make it readable."
_PIECE = 64 * 1024
_LOOK_SECONDS = 0.1
R = TypeVar("R")


class _Stream(Protocol):
    """A connected stream of bytes."""

    def settimeout(self, value: float | None, /) -> None: ...
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, most: int, /) -> bytes: ...
    def close(self) -> None: ...


class AgentClient:
    """A connection to the running agent; a context manager."""

    def __init__(self, stream: _Stream, spent: float = 0.0) -> None:
        self._stream = stream
        self._frames = Frames(protocol.REPLY_LIMIT)
        self._spent = spent
        """Seconds that connecting took, of those until the first answer."""

    @classmethod
    def connect(cls) -> AgentClient:
        """Connect to the agent of this user.

        Raises:
            AgentNotRunning: nobody listens.
            AgentRefused: whoever listens is somebody else.
            AgentSilent: it takes no more connections.
        """
        begun = time.monotonic()
        stream = _connect()
        return cls(stream, time.monotonic() - begun)

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
        silent = self._send(encode(request))
        while True:
            reply = self._receive(request, silent, deadline)
            silent = time.monotonic() + SILENCE_SECONDS
            match reply:
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
        silent: float | None = self._send(encode(request))
        while True:
            match self._receive(request, silent):
                case Update(document):
                    silent = None  # nothing may change for hours
                    yield document
                case Failed() as failed:
                    raise failed.error()
                case _:
                    pass

    def _send(self, frame: bytes) -> float:
        """Send, and return when to call the agent silent if nothing comes back."""
        left = max(_LEAST_SECONDS, ANSWER_SECONDS - self._spent)
        self._spent = 0.0
        silent = time.monotonic() + left
        self._stream.settimeout(left)
        try:
            self._stream.sendall(frame)
        except TimeoutError:
            raise AgentSilent from None
        except OSError:
            raise AgentNotRunning("it ended while it was asked") from None
        return silent

    def _receive(self, request: Request, silent: float | None, deadline: float | None = None) -> Reply:
        """Return the next reply; *silent* is when the agent is called so, *deadline* when we give up."""
        until = min((each for each in (silent, deadline) if each is not None), default=None)
        while (frame := self._frames.next()) is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise TimedOut() if until == deadline else _nothing_came()
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
            from credtray.agent_connect_pipe import (
                NoteUnread,
                connect_and_look,
            )  # cannot be imported elsewhere

            try:
                return connect_and_look(ANSWER_SECONDS)
            except NoteUnread as error:
                raise AgentRefused(str(error), hint=_LET_READ) from None
        else:
            from credtray.agent_connect import connect  # cannot be imported on Windows

            return connect(ANSWER_SECONDS)
    except ConnectionRefusedError:
        raise AgentNotRunning from None
    except PermissionError as error:
        hint = _START_YOURS if sys.platform == "win32" else None
        raise AgentRefused(str(error), hint=hint) from None
    except BlockingIOError:
        raise AgentSilent("it takes no more connections") from None
    except TimeoutError:
        raise _nothing_came() from None


def _nothing_came() -> AgentSilent:
    return AgentSilent("it gave no sign of life")


def settled_status(seconds: float) -> StatusDocument:
    """Return what the agent tells once it knows how its icon is served, at the latest after so many seconds.

    Raises:
        CredtrayError: as ``AgentClient.connect`` and ``ask``.
    """
    until = time.monotonic() + seconds
    while True:
        with AgentClient.connect() as client:
            document = client.ask(protocol.Status())
        if document.desktop.tray != PartStatus() or time.monotonic() > until:
            return document
        time.sleep(_LOOK_SECONDS)
