"""Who of a Linux desktop tells that nobody looks at the screen: savers, lockers, the session's idleness.

Asks each once, when it appears, and then listens. Must not start a service that does not run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from credtray.core.errors import BusCallFailed
from credtray.core.ports import Presence
from credtray.desktop.bus.names import PROPERTIES
from credtray.desktop.bus.session import Connection, Signal
from credtray.desktop.presence.sightings import Sightings

_log = logging.getLogger(__name__)

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
