"""Keeps the history of a running agent: hears of each event and of all keys that are handed out.

Costs nobody time: the file worker writes entries in batches, and a thread finds out who asks at the endpoint.
Never raises: it says once that the history cannot be written, and nothing else depends on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from credtray.core.errors import CredtrayError, Problem
from credtray.core.events import Event, Stopping
from credtray.core.models import Way
from credtray.core.ports.files import Caller
from credtray.core.state import State
from credtray.daemon.requests import Recipient
from credtray.daemon.workers import Workers
from credtray.history.callers import Program, asker_behind, program_at
from credtray.history.derive import Step, entries_of
from credtray.history.entries import TOGETHER, Entry, Kind, alike, together
from credtray.history.journal import Journal
from credtray.web.loopback_peer import Address

_log = logging.getLogger(__name__)

BATCH_SECONDS = 1.0
"""How long entries wait for others to be written with them."""
MOST_WAITING = 1000
"""Entries that are kept for later while the file cannot be written; then the oldest are lost."""
LOOKS = 4
"""How often in a minute a thread finds out who asks at the endpoint, which takes it some milliseconds."""
LOOKS_AT_REFUSED = 1
"""The same for who has no right token: whoever floods us must not keep us from naming the others."""
_LOOKS_SECONDS = 60.0
_SEEN = 16
"""Processes that asked at the endpoint lately: they are looked at first."""
_HOST = "127.0.0.1"


@dataclass(slots=True)
class _Minute:
    """What is counted together."""

    first: datetime
    more: Entry | None = None
    """What came after the first time, which was written at once."""


class Recorder:
    """The history of one agent. Used on the loop's thread only."""

    def __init__(
        self,
        journal: Journal,
        workers: Workers,
        now: Callable[[], datetime],
        state: Callable[[], State],
        redact: Callable[[str], str],
    ) -> None:
        """Join its parts; nothing is written yet.

        Args:
            journal: the files.
            workers: one of whose threads writes them.
            now: the agent's clock.
            state: of the loop, as it is now.
            redact: takes secrets out of a text, should one ever be in it.
        """
        self._journal = journal
        self._workers = workers
        self._now = now
        self._state = state
        self._redact = redact
        self._waiting: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._minutes: dict[tuple[object, ...], _Minute] = {}
        self._heard: datetime | None = None
        self._looks: deque[float] = deque(maxlen=LOOKS)
        self._looks_at_refused: deque[float] = deque(maxlen=LOOKS_AT_REFUSED)
        self._seen: deque[int] = deque(maxlen=_SEEN)
        self._looking: set[asyncio.Task[None]] = set()
        self._trouble: Problem | None = None

    # --- what is heard ----------------------------------------------------------------------------------

    def started(self) -> None:
        """Note that the agent begins."""
        self._note(Entry(at=self._now(), kind=Kind.AGENT_STARTED))

    def changed(self, before: State, after: State, event: Event, now: datetime) -> None:
        """Note what an event changed; see ``LoopOptions``."""
        if after.settings.history:
            for entry in entries_of(Step(before, after, event, now, self._heard)):
                self._note(entry)
        self._heard = now
        self._end_minutes(None if isinstance(event, Stopping) else now)
        if isinstance(event, Stopping):
            self._write()

    def given(self, profile: str, to: Recipient, problem: Problem | None) -> None:
        """Note who was given keys, or was not; see ``Requests``."""
        if to.way is None or not self._state().settings.history:
            return
        self._note_by(self._entry(profile, to.way, problem), to.caller, self._looks)

    def refused(self, caller: Caller) -> None:
        """Note that somebody asked at the endpoint with a wrong token."""
        if self._state().settings.history:
            entry = Entry(at=self._now(), kind=Kind.ENDPOINT_REFUSED, way=Way.ENDPOINT)
            self._note_by(entry, caller, self._looks_at_refused)

    def _note_by(self, entry: Entry, caller: Caller, looks: deque[float]) -> None:
        if isinstance(caller, int):  # it waits for its answer: it is still there to be looked at
            self._note(_of(entry, asker_behind(caller)))
        elif caller is not None and _may_look(looks):
            looking = asyncio.create_task(self._found_out(entry, caller), name="who asks")
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)
        else:
            self._note(entry)

    def _entry(self, profile: str, way: Way, problem: Problem | None) -> Entry:
        known = self._state().profiles.get(profile)
        return Entry(
            at=self._now(),
            kind=Kind.KEYS_GIVEN if problem is None else Kind.KEYS_DENIED,
            session=None if known is None else known.profile.session,
            profile=profile,
            way=way,
            code=None if problem is None else problem.code,
            text=None if problem is None else problem.title,
        )

    # --- who asks at the endpoint -----------------------------------------------------------------------

    async def _found_out(self, entry: Entry, peer: Address) -> None:
        port, seen = self._state().endpoint.port, tuple(self._seen)
        program = None
        try:
            if port is not None:
                program = await self._workers.desktop_result_of(lambda: program_at(peer, (_HOST, port), seen))
        except CredtrayError:  # told in the log; who it was is not known, that is all
            program = None
        if program is not None:
            if program.pid in self._seen:
                self._seen.remove(program.pid)
            self._seen.appendleft(program.pid)
        self._note(entry if program is None else _of(entry, program))

    # --- what is written --------------------------------------------------------------------------------

    def _note(self, entry: Entry) -> None:
        key = alike(entry)
        if key is None:
            self._add(entry)
            return
        minute = self._minutes.get(key)
        if minute is not None and timedelta() <= entry.at - minute.first < TOGETHER:
            minute.more = entry if minute.more is None else together(minute.more, entry)
            return
        if minute is not None and minute.more is not None:
            self._add(minute.more)
        self._minutes[key] = _Minute(entry.at)
        self._add(entry)

    def _end_minutes(self, now: datetime | None) -> None:
        """Write what was counted in the minutes that are over; at the end in all of them."""
        for key, minute in list(self._minutes.items()):
            if now is None or not timedelta() <= now - minute.first < TOGETHER:
                del self._minutes[key]
                if minute.more is not None:
                    self._add(minute.more)

    def _add(self, entry: Entry) -> None:
        self._waiting.append(self._without_secrets(entry))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._write)

    def _without_secrets(self, entry: Entry) -> Entry:
        """Return the entry as the log would have it: the last net, since no secret reaches it."""
        if entry.text is None and entry.program is None:
            return entry
        text = None if entry.text is None else self._redact(entry.text)
        program = None if entry.program is None else self._redact(entry.program)
        return msgspec.structs.replace(entry, text=text, program=program)

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries, self._waiting = self._waiting, []
        if not entries or not self._state().settings.history:  # it was turned off meanwhile
            return

        def written(_nothing: None) -> None:
            if self._trouble is not None:
                self._trouble = None
                _log.info("history: it is written again")

        def failed(problem: Problem) -> None:
            self._waiting = [*entries, *self._waiting][-MOST_WAITING:]
            if self._trouble is None or self._trouble.code != problem.code:
                _log.warning("the history cannot be written: %s %s", problem.title, problem.hint)
            self._trouble = problem

        self._workers.files(lambda: self._journal.append(entries), written, failed)


def _may_look(looks: deque[float]) -> bool:
    now = asyncio.get_running_loop().time()
    if len(looks) == looks.maxlen and now - looks[0] < _LOOKS_SECONDS:
        return False
    looks.append(now)
    return True


def _of(entry: Entry, program: Program) -> Entry:
    return msgspec.structs.replace(entry, pid=program.pid, program=program.name)
