"""Keeps the state in step with the files other programs write: config, settings, token cache, credentials.

Reads only what changed since it last looked, so that a tick costs a few stat calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
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

    def after(self, event: Event, state: State) -> None:
        """Look at the files this event says something about."""
        match event:
            case FilesChanged() | Woke() | Tick():
                self.everything(state)
            case ConfigLoaded() | ClockChanged():
                self._tokens(state)
            case SignInFailed(name) | SignedIn(name):
                session = state.sessions.get(name)
                if session is not None:
                    self._stamps.pop(f"token {name}", None)
                    self._token(session.session)

    def everything(self, state: State) -> None:
        """Look at all files."""
        ports = self._ports
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

        def found(token: AccessToken | None) -> Event:
            return TokenVanished(name) if token is None else TokenFound(name, token)

        self._look(
            f"token {name}",
            lambda: cache.stamp(session),
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
            self._stamps.pop(what, None)  # look again at the next tick
            self._take(broken(problem))

        self._workers.files(work, done, failed)


def _unread(problem: Problem) -> Event:
    _log.warning("credentials file: %s", problem.title)
    return SyncFailed(problem)
