"""Keeps the state in step with the files other programs write: config, settings, token cache, credentials.

Reads only what changed since it last looked, so that a tick costs a few stat calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from agent.core.errors import Problem
from agent.core.events import (
    ClockChanged,
    ConfigBroken,
    ConfigLoaded,
    Event,
    FilesChanged,
    MarksRead,
    SettingsBroken,
    SettingsLoaded,
    SignedIn,
    SignInFailed,
    SyncFailed,
    Tick,
    TokenDoubtful,
    TokenFound,
    TokenVanished,
    Woke,
)
from agent.core.models import AccessToken, SsoSession
from agent.core.state import State
from agent.daemon.ports import Ports
from agent.daemon.workers import Workers

_log = logging.getLogger(__name__)
T = TypeVar("T")


UNPROMPTED = timedelta(minutes=5)
"""The watch tells of changes; this often the files are looked at in case it missed one."""

_NEVER = object()
"""Not None: that is the stamp of a file that does not exist."""


class Reading:
    """Reads in the file worker and posts what it found."""

    def __init__(self, ports: Ports, workers: Workers, take: Callable[[Event], None]) -> None:
        self._ports = ports
        self._workers = workers
        self._take = take
        self._stamps: dict[str, object] = {}
        self._pending: set[str] = set()
        self._looked_at: datetime | None = None
        self._doubtful = False
        """Something could not be read; it is looked at again at the next tick."""

    def after(self, event: Event, state: State) -> None:
        """Look at the files this event says something about."""
        match event:
            case FilesChanged() | Woke():
                self.everything(state)
            case Tick() if self._ought_to_look():
                self.everything(state)
            case ConfigLoaded() | ClockChanged():
                self._tokens(state)
            case SignInFailed(name) | SignedIn(name):
                session = state.sessions.get(name)
                if session is not None:
                    self._stamps.pop(f"token {name}", None)
                    self._token(session.session)

    def _ought_to_look(self) -> bool:
        """Tell whether a tick should look although nobody said that a file has changed."""
        if self._doubtful or self._looked_at is None:
            return True
        return abs(self._ports.clock.now() - self._looked_at) >= UNPROMPTED

    def everything(self, state: State) -> None:
        """Look at all files."""
        ports = self._ports
        self._looked_at, self._doubtful = ports.clock.now(), False
        self._look(
            "settings", ports.settings_file.stamp, ports.settings_file.load, SettingsLoaded, SettingsBroken
        )
        self._look("config", ports.config_file.stamp, ports.config_file.load, ConfigLoaded, ConfigBroken)
        self._tokens(state)
        self._look("marks", ports.credentials_file.stamp, ports.credentials_file.marks, MarksRead, _unread)

    def _tokens(self, state: State) -> None:
        for session in state.sessions.values():
            self._token(session.session)

    def _token(self, session: SsoSession) -> None:
        name, cache = session.name, self._ports.token_cache

        def stamp() -> object:
            # A refreshed token that could not be written (full disk) is written as soon as that works.
            self._ports.token_refresh.save_unsaved(session)
            return cache.stamp(session)

        def found(token: AccessToken | None) -> Event:
            return TokenVanished(name) if token is None else TokenFound(name, token)

        self._look(
            f"token {name}",
            stamp,
            lambda: cache.read(session),
            found,
            lambda problem: TokenDoubtful(name, problem),
        )

    def _look(
        self,
        what: str,
        stamp: Callable[[], object],
        read: Callable[[], T],
        found: Callable[[T], Event],
        broken: Callable[[Problem], Event],
    ) -> None:
        if what in self._pending:
            return
        self._pending.add(what)
        known = self._stamps.get(what, _NEVER)

        def work() -> tuple[object, Callable[[], Event] | None]:
            seen = stamp()
            if seen == known:
                return seen, None
            value = read()
            return seen, lambda: found(value)

        def done(result: tuple[object, Callable[[], Event] | None]) -> None:
            self._pending.discard(what)
            self._stamps[what], event = result
            if event is not None:
                self._take(event())

        def failed(problem: Problem) -> None:
            self._pending.discard(what)
            self._stamps.pop(what, None)
            self._doubtful = True
            self._take(broken(problem))

        self._workers.files(work, done, failed)


def _unread(problem: Problem) -> Event:
    _log.warning("credentials file: %s", problem.title)
    return SyncFailed(problem)
