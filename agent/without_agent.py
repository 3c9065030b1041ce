"""Carries one request out in this process, for the time when no agent runs.

The same loop as the agent's, allowed to do only what the request is for, and gone when it has settled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.app import House
from agent.core import protocol, status
from agent.core.errors import BadFrame
from agent.core.policy import Action, FetchRoleCredentials, RefreshToken, ShowNotice
from agent.core.protocol import Done, Progress, Reply, Request
from agent.core.state import State
from agent.daemon.loop import Conduct, Loop
from agent.daemon.requests import Requests
from agent.daemon.sign_ins import SignIns
from agent.daemon.workers import Workers
from agent.files.file_lock import FileLock

SETTLE_SECONDS = 15.0
READ_SECONDS = 10.0
LOCK_SECONDS = 10.0

_CHOICES = (protocol.Activate, protocol.Deactivate, protocol.Switch, protocol.Undo, protocol.Logout)
"""Requests that change state.json: one process at a time, or the last one to write wins."""


async def carried_out(house: House, request: Request, on_progress: Callable[[Progress], None]) -> Reply:
    """Return the final reply.

    Raises:
        CredtrayError: what it failed with.
    """
    if isinstance(request, _CHOICES):
        with FileLock(house.around.locks / "choices.lock", timeout=LOCK_SECONDS):
            return await _carried_out(house, request, on_progress)
    return await _carried_out(house, request, on_progress)


async def _carried_out(house: House, request: Request, on_progress: Callable[[Progress], None]) -> Reply:
    workers = Workers()
    workers.start()
    loop = Loop(
        house.ports,
        workers,
        house.state_file.load(),
        speed=house.around.speed,
        conduct=Conduct(
            _allowed(request), saves=not isinstance(request, protocol.Status | protocol.Credentials)
        ),
    )
    stopped = asyncio.Event()
    handler = Requests(loop, SignIns(house.ports, workers, loop), house.changes, stopped.set)
    loop.start()
    await loop.settled(READ_SECONDS)
    if isinstance(request, protocol.Status):
        facts = status.AgentFacts(running=False, pid=None, version=None)
        return Done(status.document(loop.state, facts, loop.now()))
    sink = _Sink(on_progress)
    await handler.handle(request, sink)
    await loop.settled(SETTLE_SECONDS)
    return sink.final()


def _allowed(request: Request) -> Callable[[State, Action], bool]:
    match request:
        case protocol.Status():
            return lambda _state, _action: False
        case protocol.Credentials(profile):
            return lambda state, action: _serves(state, action, profile)
        case _:
            # The command itself tells the person what happened.
            return lambda _state, action: not isinstance(action, ShowNotice)


def _serves(state: State, action: Action, profile: str) -> bool:
    """Tell whether an action helps to answer for this profile: nothing is written, nobody else is served."""
    wanted = state.profiles.get(profile)
    match action:
        case RefreshToken(session):
            return wanted is not None and wanted.profile.session == session
        case FetchRoleCredentials(name):
            return name == profile
        case _:
            return False


class _Sink:
    """Takes the replies to the one request."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._final: Reply | None = None

    async def send(self, reply: Reply) -> None:
        """Hand progress on at once, keep the rest."""
        if isinstance(reply, Progress):
            self._on_progress(reply)
        else:
            self._final = reply

    def final(self) -> Reply:
        """Return the reply that was not progress."""
        if self._final is None:
            raise BadFrame("the request had no answer")
        return self._final
