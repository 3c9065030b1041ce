"""What Linux tells of presence: logind (locked, idle, about to sleep, awake), and savers and lockers.

Listens on the system bus; never locks, unlocks or delays anything.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

from credtray.core.errors import BusCallFailed
from credtray.core.ports import Presence
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.signals import DAEMON, PROPERTIES, Signal
from credtray.desktop.presence.sightings import Sightings

_log = logging.getLogger(__name__)

SOURCE: Final = "logind"
NAME: Final = "org.freedesktop.login1"
_PATH: Final = "/org/freedesktop/login1"
_MANAGER: Final = f"{NAME}.Manager"
_SESSION: Final = f"{NAME}.Session"
_GRAPHICAL: Final = frozenset({"x11", "wayland", "mir"})
"""Only there IdleHint is the person's: of a text session logind looks at the terminal."""


class Logind:
    """Follows our session in org.freedesktop.login1(5)."""

    def __init__(self, environ: Mapping[str, str], sightings: Sightings) -> None:
        self._environ = environ
        self._sightings = sightings
        self._stirred = asyncio.Event()
        self._session: str | None = None
        """Its object path."""

    async def follow(self, connection: Connection) -> None:
        """Keep the sightings true until cancelled.

        Raises:
            BusUnavailable, BusCallFailed: the bus itself cannot be asked.
        """
        async with AsyncExitStack() as stack:
            for listening in (
                connection.listen(self._owner_changed, sender=DAEMON, member="NameOwnerChanged", arg0=NAME),
                connection.listen(self._manager_says, sender=NAME, interface=_MANAGER),
                connection.listen(self._stirs, sender=NAME, interface=PROPERTIES, arg0=_SESSION),
                # Lock and Unlock only ask the desktop for it, and not every desktop obeys: time to look.
                connection.listen(self._stirs, sender=NAME, interface=_SESSION),
            ):
                await stack.enter_async_context(listening)
            while True:
                self._stirred.clear()
                await self._look(connection)
                await self._stirred.wait()

    def _owner_changed(self, _signal: Signal) -> None:
        self._session = None
        self._sightings.gone(SOURCE)
        self._stirred.set()

    def _manager_says(self, signal: Signal) -> None:
        match signal.member, signal.body:
            case "PrepareForSleep", [bool(asleep)]:
                self._sightings.see(SOURCE, replace(self._sightings.of(SOURCE), asleep=asleep))
            case "SessionNew", _ if self._session is None:  # an agent may have begun before its desktop
                self._stirred.set()
            case "SessionRemoved", [_, str(path)] if path == self._session:
                self._session = None
                self._stirred.set()

    def _stirs(self, signal: Signal) -> None:
        if self._session in {None, signal.path}:
            self._stirred.set()

    async def _look(self, connection: Connection) -> None:
        """See how our session is; one that is not to be found can neither be locked nor idle."""
        owner = await connection.owner(NAME)
        if owner is None:
            self._sightings.gone(SOURCE)
            return
        try:
            self._session = self._session or await self._find_session(connection, owner)
            [hints] = await connection.call(owner, self._session, PROPERTIES, "GetAll", "s", [_SESSION])
        except (BusCallFailed, ValueError) as error:
            _log.debug("logind does not report our session: %s", error)
            hints = {}
        asleep = self._sightings.of(SOURCE).asleep
        self._sightings.see(SOURCE, replace(_presence(hints), asleep=asleep))

    async def _find_session(self, connection: Connection, owner: str) -> str:
        """Return the path of our session.

        Without XDG_SESSION_ID (a user service has none) the session that shows the user's desktop counts.

        Raises:
            BusCallFailed: there is none.
        """

        async def ask(member: str, signature: str, body: list[Any]) -> str:
            answer = await connection.call(owner, _PATH, _MANAGER, member, signature, body)
            return _path(answer)

        if number := self._environ.get("XDG_SESSION_ID"):
            try:
                return await ask("GetSession", "s", [number])
            except BusCallFailed as error:
                _log.debug("XDG_SESSION_ID is stale: %s", error)
        try:
            return await ask("GetSessionByPID", "u", [os.getpid()])
        except BusCallFailed:
            user = await ask("GetUser", "u", [getattr(os, "getuid", int)()])
            arguments = [f"{NAME}.User", "Display"]
            match await connection.call(owner, user, PROPERTIES, "Get", "ss", arguments):
                case [[str() as number, str() as path]] if number:
                    return path
            raise BusCallFailed("the user has no desktop") from None


def _path(answer: list[Any]) -> str:
    """Return the path that is the whole answer.

    Raises:
        BusCallFailed: it is something else.
    """
    match answer:
        case [str() as path]:
            return path
    raise BusCallFailed("logind did not answer with a path")


def _presence(hints: object) -> Presence:
    if not isinstance(hints, dict):
        return Presence()
    graphical = str(hints.get("Type")) in _GRAPHICAL
    return Presence(locked=hints.get("LockedHint") is True, idle=graphical and hints.get("IdleHint") is True)


# Who of a Linux desktop tells that nobody looks at the screen: savers, lockers, the session's idleness.
#
# Asks each once, when it appears, and then listens. Must not start a service that does not run.


_GNOME_IDLE: Final = 3
"""GsmPresenceStatus of gnome-session: available, invisible, busy, idle."""


def _locked(value: object) -> Presence | None:
    # A saver that covers the screen without a lock hides a notice as well.
    return Presence(locked=value) if isinstance(value, bool) else None


def _idle(value: object) -> Presence | None:
    return Presence(idle=value == _GNOME_IDLE) if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Teller:
    """One service of the session bus, what to ask it and what its answer means."""

    name: str
    paths: tuple[str, ...]
    """Where it may be; the first that answers counts."""
    interface: str
    signal: str
    """Carries the new value."""
    question: tuple[str, str, str, tuple[str, ...]]
    """Interface, member, signature and body of the call that returns the value."""
    means: Callable[[object], Presence | None]
    """None: that is no value of this service."""

    @property
    def source(self) -> str:
        """What it is called among the sightings."""
        return self.name

    async def follow(self, connection: Connection, sightings: Sightings) -> None:
        """Keep the sightings true until the connection is gone.

        Raises:
            BusUnavailable, BusCallFailed: the bus itself cannot be asked.
        """

        def heard(signal: Signal) -> None:
            self._take(signal.body, sightings)

        async with connection.listen(heard, sender=self.name, interface=self.interface, member=self.signal):
            async for owner in connection.owners(self.name):
                sightings.gone(self.name)
                if owner is not None:
                    await self._ask(connection, owner, sightings)

    async def _ask(self, connection: Connection, owner: str, sightings: Sightings) -> None:
        interface, member, signature, body = self.question
        for path in self.paths:
            try:
                # To this very owner: asking by name could start a service.
                values = await connection.call(owner, path, interface, member, signature, body)
            except BusCallFailed as error:
                _log.debug("%s at %s does not answer: %s", self.name, path, error)
                continue
            self._take(values, sightings)
            return

    def _take(self, values: list[object], sightings: Sightings) -> None:
        presence = self.means(values[0]) if values else None
        if presence is not None:
            sightings.see(self.name, presence)


def _screen_saver(name: str, *paths: str, interface: str | None = None) -> Teller:
    interface = interface or name
    return Teller(name, paths, interface, "ActiveChanged", (interface, "GetActive", "", ()), _locked)


def tellers() -> tuple[Teller, ...]:
    """Return all that are known; a desktop has one to three of them.

    Names and paths as GNOME, KDE, Xfce, Cinnamon and MATE register them; where one moved, both are tried.
    """
    freedesktop = "org.freedesktop.ScreenSaver"
    presence = "org.gnome.SessionManager.Presence"
    status = (PROPERTIES, "Get", "ss", (presence, "status"))
    return (
        _screen_saver(freedesktop, "/org/freedesktop/ScreenSaver", "/ScreenSaver"),
        _screen_saver(
            "org.kde.screensaver", "/ScreenSaver", "/org/freedesktop/ScreenSaver", interface=freedesktop
        ),
        _screen_saver("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
        _screen_saver("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver", "/"),
        _screen_saver("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
        _screen_saver("org.mate.ScreenSaver", "/org/mate/ScreenSaver", "/ScreenSaver"),
        Teller(
            "org.gnome.SessionManager",
            ("/org/gnome/SessionManager/Presence",),
            presence,
            "StatusChanged",
            status,
            _idle,
        ),
    )
