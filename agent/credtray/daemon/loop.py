"""The one owner of ``State``: takes events one after the other and starts what the policy decides.

It never waits: everything that can block runs in a worker and comes back as an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from credtray.core import effects, state_document
from credtray.core.apply import apply
from credtray.core.errors import CredtrayError, Problem
from credtray.core.events import Begun, Event, StateSaved, Stopping, Tick
from credtray.core.policy import Action, decide, next_look
from credtray.core.ports import Ports
from credtray.core.protocol import Progress
from credtray.core.state import State, Trouble
from credtray.daemon.actions import Actions
from credtray.daemon.file_poller import FilePoller
from credtray.daemon.workers import Workers, without_values

# Tells the log what changed between two states. Decides nothing, and says nothing twice.


def log_changes(before: State, after: State) -> None:
    """Log the troubles that came and went, and the sign-ins that ended."""
    _problem("config file", before.config_problem, after.config_problem)
    _problem("settings", before.settings_problem, after.settings_problem)
    _problem("credentials file", _of(before.file.trouble), _of(after.file.trouble))
    for name, session in after.sessions.items():
        old = before.sessions.get(name)
        _problem(f"session {name}", _of(old.trouble) if old else None, _of(session.trouble))
        _problem(f"session {name}, refresh", _of(old.refusal) if old else None, _of(session.refusal))
        if old is not None and session.ended and not old.ended:
            _log.info("session %s: the sign-in has ended", name)
        if old is not None and old.token is not None and session.token is None and not session.ended:
            _log.info("session %s: signed out", name)


def _of(trouble: Trouble | None) -> Problem | None:
    return None if trouble is None else trouble.problem


def _problem(what: str, before: Problem | None, after: Problem | None) -> None:
    if before == after:
        return
    if after is None:
        _log.info("%s: no problem any more", what)
    else:
        _log.warning("%s: %s", what, after.title)


_log = logging.getLogger(__name__)
T = TypeVar("T")

Tell = Callable[[Progress], Awaitable[None]]
"""Tells whoever waits what is going on."""

WAITS_FOR_PORTAL = "portal"
"""The kind of ``Progress`` that names a portal which does not answer."""

PATIENCE_SECONDS = 1.0
"""A portal that has not answered for so long is named to whoever waits for it."""

TICK_SECONDS = 30.0
"""Of the clock: the scheduler ticks this often, so a timer is only needed for what comes before."""


def _everything(_state: State, _action: Action) -> bool:
    return True


def _nobody(_event: Event) -> None:
    """Nobody listens."""


Changed = Callable[[State, State, Event, datetime], None]
"""Hears what an event made of the state before: (before, after, event, now)."""


def _nothing(_before: State, _after: State, _event: Event, _now: datetime) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """What a loop may do, and who listens."""

    allowed: Callable[[State, Action], bool] = _everything
    """Which decisions are carried out; a command without agent does only what it is for."""
    heard: Callable[[Event], None] = _nobody
    """Told of each event first, such as the log's redactor of the secrets in it."""
    changed: Changed = _nothing
    """Told of each event last, such as the history."""
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
        conduct: LoopOptions | None = None,
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
        self._conduct = conduct or LoopOptions()
        self._actions = Actions(ports, workers, self.take, lambda: self.state)
        self._reading = FilePoller(ports, workers, self.take)
        self._changes: set[asyncio.Event] = set()
        self._waiting: set[asyncio.Event] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._saving = 0
        """How many times what should survive a restart is on its way to the disk."""
        self._saved = b""
        """Why the state could not be written, said once."""

    # --- events -----------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Hand over an event from any thread."""
        self._workers.call_soon(lambda: self.take(event))

    def take(self, event: Event) -> None:
        """Apply an event and start what follows. Only on the loop's own thread.

        An error border: whatever goes wrong with one event, the agent lives and takes the next one.
        """
        now, before = self.now(), self.state
        with _border(event):
            self._conduct.heard(event)
        with _border(event):
            self.state = apply(self.state, event, now)
        with _border(event):
            self._conduct.changed(before, self.state, event, now)
        with _border(event):
            self._reading.after(event, self.state)
        with _border(event):
            self._react(now)
        self._look_again(now)
        if self.state is not before:
            with _border(event):
                log_changes(before, self.state)
            self._wake_watchers()
        with _border(event):
            self._save()
        self._wake()

    def now(self) -> datetime:
        """Return the time of the agent's clock."""
        return self._ports.clock.now()

    def _react(self, now: datetime) -> None:
        for action in self._decided(now):
            before, begun = self.state, Begun(action)
            self.state = apply(before, begun, now)
            with _border(begun):
                self._conduct.changed(before, self.state, begun, now)
            try:
                self._actions.start(action, self.state)
            except Exception as error:  # noqa: BLE001 - it was begun: without an end it would never be tried again
                _log.error("not started: %s", type(action).__name__, exc_info=without_values(error))
                broken_off = self._actions.broken_off(action, CredtrayError(type(error).__name__).problem)
                self.state = self.state if broken_off is None else apply(self.state, broken_off, now)

    def _decided(self, now: datetime) -> list[Action]:
        return [action for action in decide(self.state, now) if self._conduct.allowed(self.state, action)]

    def _look_again(self, now: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # The scheduler ticks once a real second at most: a fast clock goes further between two ticks.
        tick = max(TICK_SECONDS, self._speed)
        # Should the scheduler ever fall silent, this timer goes on; each tick puts it off.
        seconds = 2 * tick
        with _border(Tick()):
            instant = next_look(self.state, now)
            if instant is not None and (instant - now).total_seconds() < tick:
                seconds = (instant - now).total_seconds()
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

    def start(self, open_sign_in: Callable[[str], None] | None = None) -> None:
        """Read the files and begin.

        *open_sign_in* begins a sign-in of this session that nobody asked for, and returns at once.
        """
        if open_sign_in is not None:
            self._actions.open_sign_in = open_sign_in
        self._reading.everything(self.state)

    async def read(self, seconds: float) -> bool:
        """Wait until no file is being read or written; False when that took longer."""
        return await self._come_true(lambda: not self._workers.filing, seconds)

    async def file_work(self, work: Callable[[], T]) -> T:
        """Run what reads or writes a file among the loop's own file work; raises what it raises."""
        return await self._workers.result_of(work)

    async def reached(self, effect: effects.Effect, seconds: float, tell: Tell | None = None) -> bool:
        """Wait until one command's effect is there and what it chose is saved, whatever else is under way.

        Args:
            effect: what the command is for.
            seconds: the longest it waits; False when it took longer.
            tell: hears of a portal that does not answer, at once where that is known already.
        """
        if tell is not None:
            patience = self._patience(effect)
            if await self._come_true(lambda: self._done(effect), patience):
                return True
            left = effects.missing(effect, self.state, self.now())
            if left is not None and left.session is not None:
                await tell(waiting_for(left.session))
            seconds -= patience
        return await self._come_true(lambda: self._done(effect), seconds)

    def _done(self, effect: effects.Effect) -> bool:
        return not self._saving and effects.missing(effect, self.state, self.now()) is None

    def _patience(self, effect: effects.Effect) -> float:
        left = effects.missing(effect, self.state, self.now())
        if left is None or left.since is None:
            return PATIENCE_SECONDS
        asked = (self.now() - left.since).total_seconds() / self._speed
        return min(max(PATIENCE_SECONDS - asked, 0.0), PATIENCE_SECONDS)

    def silent_portal(self, effect: effects.Effect) -> str | None:
        """Return the session whose portal leaves a call unanswered that the effect waits for."""
        left = effects.missing(effect, self.state, self.now())
        return left.session if left is not None and self._patience(effect) == 0 else None

    async def harmless(self, seconds: float) -> bool:
        """Wait until the process may end: files are whole, and no refresh token is on its way to us.

        What else was asked of a portal may be left behind; False when it took longer.
        """

        def holds() -> bool:
            known = (*self.state.sessions.values(), *self.state.remembered.values())
            return not self._workers.filing and not any(session.refreshing for session in known)

        return await self._come_true(holds, seconds)

    async def everything_settled(self, seconds: float) -> bool:
        """Wait until nothing at all is under way or due; False when it took longer. No command's business."""
        return await self._come_true(
            lambda: not self._workers.busy and not self._decided(self.now()), seconds
        )

    async def _come_true(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Ask again after each event and each work that came back, until it holds."""
        with self._workers.resting() as woken:
            self._waiting.add(woken)
            try:
                async with asyncio.timeout(seconds):
                    while not holds():
                        woken.clear()
                        await woken.wait()
            except TimeoutError:
                return False
            finally:
                self._waiting.discard(woken)
        return True

    def _wake(self) -> None:
        for woken in self._waiting:
            woken.set()

    async def stop(self, seconds: float) -> None:
        """Take our keys out of the credentials file (a setting keeps them) and save; bounded in time.

        Calls of the portal that are still under way are not waited for.
        """
        self.take(Stopping())
        await self._come_true(lambda: not self._workers.filing and not self._decided(self.now()), seconds)
        if self._timer is not None:
            self._timer.cancel()

    def _save(self) -> None:
        if not self._conduct.saves:
            return
        document = state_document.encode(self.state)
        if document != self._saved:
            self._saved = document
            self._saving += 1
            self._workers.files(
                lambda: self._ports.state_file.save(document), self._save_done, self._save_failed
            )

    def _save_done(self, _result: None) -> None:
        self._saving -= 1
        if self.state.unsaved is not None:
            self.take(StateSaved(None))

    def _save_failed(self, problem: Problem) -> None:
        """Forget that it was written: the next event, a tick at the latest, tries again."""
        self._saving -= 1
        self._saved = b""
        if problem != self.state.unsaved:
            _log.warning("state not saved: %s", problem.title)
            self.take(StateSaved(problem))


def waiting_for(session: str) -> Progress:
    """Return what a person reads while a command waits for this session's portal."""
    return Progress(WAITS_FOR_PORTAL, text=f"{session}: waiting for the access portal ...")


@contextlib.contextmanager
def _border(event: Event) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the error border of the loop: it must outlive every event
        _log.error("%s could not be processed", type(event).__name__, exc_info=without_values(error))
