"""The one owner of ``State``: takes events one after the other and starts what the policy decides.

It never waits: everything that can block runs in a worker and comes back as an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from agent.core import saved
from agent.core.apply import apply
from agent.core.errors import Problem
from agent.core.events import Event, Stopping, Tick
from agent.core.policy import Action, decide, next_look
from agent.core.state import State
from agent.daemon.actions import Actions
from agent.daemon.ports import Ports
from agent.daemon.reading import Reading
from agent.daemon.workers import Workers

_log = logging.getLogger(__name__)

TICK_SECONDS = 30.0
"""Of the clock: the scheduler ticks this often, so a timer is only needed for what comes before."""


def _everything(_state: State, _action: Action) -> bool:
    return True


def _nobody(_event: Event) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """What a loop may do, and who listens."""

    allowed: Callable[[State, Action], bool] = _everything
    """Which decisions are carried out; a command without agent does only what it is for."""
    heard: Callable[[Event], None] = _nobody
    """Told of each event first, such as the log's redactor of the secrets in it."""
    saves: bool = True
    """Whether what should survive a restart is written; looking alone must not write."""


class Loop:
    """Runs on one asyncio event loop; only ``post`` may be called from other threads."""

    def __init__(
        self,
        ports: Ports,
        workers: Workers,
        state: State,
        *,
        speed: float = 1.0,
        conduct: Conduct | None = None,
    ) -> None:
        """Make a loop that does nothing until ``start``.

        Args:
            ports: everything outside.
            workers: threads for what blocks.
            state: what was remembered.
            speed: how fast the agent's clock runs against the event loop's.
            conduct: what it may do; an agent may do everything.
        """
        self.state = state
        self._ports = ports
        self._workers = workers
        self._speed = speed
        self._conduct = conduct or Conduct()
        self._actions = Actions(ports, workers, self.take)
        self._reading = Reading(ports, workers, self.take)
        self._changes: set[asyncio.Event] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._saved = b""

    # --- events -----------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Hand over an event from any thread."""
        self._workers.call_soon(lambda: self.take(event))

    def take(self, event: Event) -> None:
        """Apply an event and start what follows. Only on the loop's own thread."""
        self._conduct.heard(event)
        now = self.now()
        before = self.state
        self.state = apply(self.state, event, now)
        self._reading.after(event, self.state)
        self._react(now)
        if self.state is not before:
            _log_changes(before, self.state)
            self._wake_watchers()
        self._save()

    def now(self) -> datetime:
        """Return the time of the agent's clock."""
        return self._ports.clock.now()

    def _react(self, now: datetime) -> None:
        for action in self._decided(now):
            self.state = apply(self.state, self._actions.begun(action), now)
            self._actions.start(action, self.state)
        self._look_again(now)

    def _decided(self, now: datetime) -> list[Action]:
        return [action for action in decide(self.state, now) if self._conduct.allowed(self.state, action)]

    def _look_again(self, now: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        instant = next_look(self.state, now)
        seconds = (instant - now).total_seconds() if instant is not None else TICK_SECONDS
        # The scheduler ticks once a real second at most: a fast clock goes further between two ticks.
        if seconds < max(TICK_SECONDS, self._speed):
            soon = max(seconds / self._speed, 0.001)
            self._timer = asyncio.get_running_loop().call_later(soon, self.take, Tick())

    # --- watching ---------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Event]:
        """Give an ``asyncio.Event`` that is set at each change of the state; the holder clears it."""
        changed = asyncio.Event()
        self._changes.add(changed)
        try:
            yield changed
        finally:
            self._changes.discard(changed)

    def _wake_watchers(self) -> None:
        for changed in self._changes:
            changed.set()

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the files and begin."""
        self._reading.everything(self.state)

    async def settled(self, seconds: float) -> bool:
        """Wait until nothing is under way and nothing is due; False when it took longer than that."""
        try:
            with self._workers.resting() as rested:
                async with asyncio.timeout(seconds):
                    while not self._idle():
                        rested.clear()
                        await rested.wait()
        except TimeoutError:
            return False
        return True

    def _idle(self) -> bool:
        return not self._workers.busy and not self._decided(self.now())

    async def stop(self, seconds: float) -> None:
        """Take our keys out of the credentials file (a setting keeps them) and save; bounded in time."""
        self.take(Stopping())
        await self.settled(seconds)
        if self._timer is not None:
            self._timer.cancel()

    def _save(self) -> None:
        if not self._conduct.saves:
            return
        document = saved.encode(self.state)
        if document != self._saved:
            self._saved = document
            self._workers.files(lambda: self._ports.state_file.save(document), _saved, _save_failed)


def _saved(_result: None) -> None:
    """Do nothing more: the document is on the disk."""


def _save_failed(problem: Problem) -> None:
    _log.warning("state not saved: %s", problem.title)


def _log_changes(before: State, after: State) -> None:
    for name, session in after.sessions.items():
        old = before.sessions.get(name)
        if old is None or old.trouble != session.trouble:
            text = session.trouble.problem.title if session.trouble else "no trouble"
            if old is not None or session.trouble is not None:
                _log.info("session %s: %s", name, text)
        if old is not None and old.ended != session.ended and session.ended:
            _log.info("session %s: the sign-in has ended", name)
