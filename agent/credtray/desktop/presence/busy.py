"""Tells on Linux when a person is not to be disturbed: a full screen, do-not-disturb, a presentation.

Decides nothing and polls nothing. What cannot be found out counts as a person who is free; on Wayland no
program hears of the windows of another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from credtray.core.backoff import pause_after
from credtray.core.errors import BusCallFailed
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.signals import DAEMON, PROPERTIES
from credtray.desktop.presence.sightings import Sightings
from credtray.desktop.x11.thread import XThread

_log = logging.getLogger(__name__)

_UNDISTURBED: Final = "do not disturb is on"
_PRESENTING: Final = "presentation mode is on"
_AWAKE: Final = "a program keeps the screen on, such as a video or a call"
FULL_SCREEN: Final = "a window fills the screen"
_NOTIFICATIONS: Final = "org.freedesktop.Notifications"
_GNOME: Final = "org.gnome.SessionManager"
_XFCONF: Final = "org.xfce.Xfconf"
_IDLE: Final = 8
"""GsmInhibitorFlag of gnome-session: who has it wants the screen to stay on."""


@dataclass(frozen=True, slots=True)
class Occupation:
    """One thing that a service of the session bus knows; asked when it appears and at each of its signals."""

    name: str
    path: str
    hears: str
    """Interface of the signals."""
    question: tuple[str, str, str, tuple[Any, ...]]
    """Interface, member, signature and body of the call that tells whether it is so."""
    why: str
    """In words for a person: why notices wait."""

    @property
    def source(self) -> str:
        """What it is called among the sightings: one service may know several things."""
        return f"{self.name} {self.question}"

    async def follow(self, connection: Connection, sightings: Sightings) -> None:
        """Keep the sightings true until cancelled.

        Raises:
            BusUnavailable, BusCallFailed: the bus itself cannot be asked.
        """
        stirred = asyncio.Event()
        async with AsyncExitStack() as stack:
            for listening in (
                connection.listen(
                    lambda _: stirred.set(), sender=DAEMON, member="NameOwnerChanged", arg0=self.name
                ),
                connection.listen(
                    lambda _: stirred.set(), sender=self.name, interface=self.hears, path=self.path
                ),
            ):
                await stack.enter_async_context(listening)
            while True:
                stirred.clear()
                busy = await self._asked(connection)
                sightings.occupied(self.source, self.why if busy else None)
                await stirred.wait()

    async def _asked(self, connection: Connection) -> bool:
        """Tell whether it is so; a service that does not know the question knows nothing."""
        owner = await connection.owner(self.name)
        if owner is None:
            return False
        interface, member, signature, body = self.question
        try:
            # To this very owner: asking by name could start a service.
            answer = await connection.call(owner, self.path, interface, member, signature, body)
        except BusCallFailed as error:
            _log.debug("%s does not tell whether %s: %s", self.name, self.why, error)
            return False
        return bool(answer) and answer[0] is True


def _property(name: str, path: str, interface: str, of: str, why: str) -> Occupation:
    return Occupation(name, path, PROPERTIES, (PROPERTIES, "Get", "ss", (interface, of)), why)


def _setting(channel: str, name: str, why: str) -> Occupation:
    return Occupation(
        _XFCONF, "/org/xfce/Xfconf", _XFCONF, (_XFCONF, "GetProperty", "ss", (channel, name)), why
    )


def occupations() -> tuple[Occupation, ...]:
    """Return all that are known; a desktop has one to three of them.

    Plasma sets ``Inhibited`` as its person has chosen: also while the screen is shared or mirrored. GNOME has
    no such property: there do-not-disturb is the desktop's own affair, which keeps what it does not show.
    """
    path = "/org/freedesktop/Notifications"
    idle = (_GNOME, "IsInhibited", "u", (_IDLE,))
    return (
        _property(_NOTIFICATIONS, path, _NOTIFICATIONS, "Inhibited", _UNDISTURBED),
        _property(_NOTIFICATIONS, path, "org.dunstproject.cmd0", "paused", _UNDISTURBED),
        _setting("xfce4-notifyd", "/do-not-disturb", _UNDISTURBED),
        _setting("xfce4-power-manager", "/xfce4-power-manager/presentation-mode", _PRESENTING),
        Occupation(_GNOME, "/org/gnome/SessionManager", _GNOME, idle, _AWAKE),
    )


# The active window of an X server, by the hints that window managers leave (EWMH): does it fill the screen?


_X: Final = "X11"
"""What it is called among the sightings."""
PAUSES: Final = (1.0, 10.0, 60.0)
"""Before an X server that went away is asked again; the last one for good."""


class ActiveWindow:
    """The guest of a connection."""

    def __init__(self, fills: Callable[[bool], None], ended: Callable[[], None]) -> None:
        """Do nothing yet; both are called on the thread of the connection."""
        self._fills = fills
        self._ended = ended
        self._display: Any = None
        self._window: Any = None

    def begin(self, display: Any) -> None:
        """See ``x11.thread.XClient``."""
        from Xlib import X

        self._display = display
        self._root = display.screen().root
        names = ("_NET_ACTIVE_WINDOW", "_NET_WM_STATE", "_NET_WM_STATE_FULLSCREEN")
        self._active, self._state, self._full = (display.intern_atom(name) for name in names)
        self._root.change_attributes(event_mask=X.PropertyChangeMask)
        self._look()

    def handle(self, event: Any) -> None:
        """See ``x11.thread.XClient``."""
        from Xlib import X

        hinted = event.type == X.PropertyNotify and event.atom in {self._active, self._state}
        # Openbox leaves the hint as it is when the last window is closed.
        if hinted or event.type in {X.DestroyNotify, X.UnmapNotify}:
            self._look()

    def leave(self) -> None:
        """See ``x11.thread.XClient``: nothing is there of us."""

    def ended(self, reason: str | None) -> None:
        """See ``x11.thread.XClient``."""
        _log.debug("the X server no longer tells which window is active: %s", reason)
        self._ended()

    def _look(self) -> None:
        from Xlib import X

        active = (self._property(self._root, self._active) or [X.NONE])[0]
        if self._window is None or self._window.id != active:
            if self._window is not None:
                self._window.change_attributes(event_mask=X.NoEventMask)
            self._window = self._display.create_resource_object("window", active) if active else None
            if self._window is not None:
                self._window.change_attributes(event_mask=X.PropertyChangeMask | X.StructureNotifyMask)
        states = [] if self._window is None else self._property(self._window, self._state)
        self._fills(self._full in states)

    @staticmethod
    def _property(window: Any, atom: int) -> list[int]:
        """Return its values; none where the window has gone meanwhile, or holds something else there."""
        from Xlib import X
        from Xlib.error import XError

        try:
            found = window.get_full_property(atom, X.AnyPropertyType)
        except XError:
            return []
        return list(found.value) if found is not None and found.format == 32 else []  # noqa: PLR2004 - bits


async def follow_full_screen(environ: Mapping[str, str], sightings: Sightings) -> None:
    """Keep the sightings true until cancelled, on whichever X server answers; on Wayland just wait."""
    failures = 0
    while (address := environ.get("DISPLAY")) and not environ.get("WAYLAND_DISPLAY"):
        try:
            await _followed(address, sightings)
        finally:
            sightings.gone(_X)
        await asyncio.sleep(pause_after(failures, PAUSES))
        failures += 1
    await asyncio.Event().wait()


async def _followed(address: str, sightings: Sightings) -> None:
    """Return when the X server is gone."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def on_loop(call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is interested any more
            loop.call_soon_threadsafe(call)

    def fills(full: bool) -> None:  # noqa: FBT001 - called with what was seen
        on_loop(lambda: sightings.occupied(_X, FULL_SCREEN if full else None))

    thread = XThread("presence", address, ActiveWindow(fills, lambda: on_loop(gone.set)))
    try:
        thread.start()
        await gone.wait()
    finally:
        thread.stop()
