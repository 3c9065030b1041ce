"""Keeps the state in step with the files other programs write: config, settings, token cache, credentials.

Reads only what changed since it last looked, so that a tick costs a few stat calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from credtray.core.errors import Problem
from credtray.core.events import (
    ClockChanged,
    ConfigBroken,
    ConfigLoaded,
    Event,
    FilesChanged,
    MarksRead,
    MarksUnread,
    SettingsBroken,
    SettingsLoaded,
    SignedIn,
    SignInFailed,
    Tick,
    TokenDoubtful,
    TokenFound,
    TokenVanished,
    Woke,
)
from credtray.core.models import AccessToken, SsoSession
from credtray.core.ports import Ports
from credtray.core.state import State
from credtray.daemon.workers import Workers

T = TypeVar("T")


UNPROMPTED = timedelta(minutes=5)
"""The watch tells of changes; this often the files are looked at in case it missed one."""

_NEVER = object()
"""Not None: that is the stamp of a file that does not exist."""


@dataclass(frozen=True, slots=True)
class _Probe(Generic[T]):
    """One file: how to tell that it changed, how to read it, and what to say then."""

    what: str
    stamp: Callable[[], object]
    read: Callable[[], T]
    found: Callable[[T], Event]
    broken: Callable[[Problem], Event]

    def at(self, known: object) -> tuple[object, Event | None]:
        """Return the stamp, and what was found where it is not the known one. Blocks."""
        seen = self.stamp()
        return seen, None if seen == known else self.found(self.read())


class FilePoller:
    """Reads in the file worker and posts what it found."""

    def __init__(self, ports: Ports, workers: Workers, take: Callable[[Event], None]) -> None:
        self._ports = ports
        self._workers = workers
        self._take = take
        self._stamps: dict[str, object] = {}
        self._pending: set[str] = set()
        self._overtaken: dict[str, _Probe[Any]] = {}
        """Pending, and asked for again meanwhile: what was read may be old, so it is read once more."""
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
        settings, config, credentials = ports.settings_file, ports.config_file, ports.credentials_file
        self._look(_Probe("settings", settings.stamp, settings.load, SettingsLoaded, SettingsBroken))
        self._look(_Probe("config", config.stamp, config.load, ConfigLoaded, ConfigBroken))
        self._tokens(state)
        self._look(_Probe("marks", credentials.stamp, credentials.marks, MarksRead, MarksUnread))

    def _tokens(self, state: State) -> None:
        for session in state.sessions.values():
            self._token(session.session)

    def _token(self, session: SsoSession) -> None:
        name, cache = session.name, self._ports.token_cache

        def stamp() -> object:
            # A refreshed token that could not be written (full disk) is written as soon as that works.
            self._ports.token_refresh.save_unsaved(session)
            # The same file is another token when the config file gives the session another portal.
            return session.start_url, session.region, cache.stamp(session)

        def found(token: AccessToken | None) -> Event:
            return TokenVanished(name, cache.emptied()) if token is None else TokenFound(name, token)

        def broken(problem: Problem) -> Event:
            return TokenDoubtful(name, problem)

        self._look(_Probe(f"token {name}", stamp, lambda: cache.read(session), found, broken))

    def _look(self, look: _Probe[Any]) -> None:
        what = look.what
        if what in self._pending:
            self._overtaken[what] = look
            return
        self._pending.add(what)
        known = self._stamps.get(what, _NEVER)

        def done(result: tuple[object, Event | None]) -> None:
            if self._again(what):
                return
            self._stamps[what], event = result
            if event is not None:
                self._take(event)

        def failed(problem: Problem) -> None:
            if self._again(what):
                return
            self._stamps.pop(what, None)
            self._doubtful = True
            self._take(look.broken(problem))

        self._workers.files(lambda: look.at(known), done, failed)

    def _again(self, what: str) -> bool:
        """Look once more where that was asked for while the file was being read."""
        self._pending.discard(what)
        look = self._overtaken.pop(what, None)
        if look is not None:
            self._look(look)
        return look is not None
