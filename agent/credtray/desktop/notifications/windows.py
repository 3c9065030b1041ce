"""Notifications on Windows: toasts, else balloons of our own icon, else plyer; none while they would disturb.

Toasts were tried with fakes only, balloons under Wine too; neither on a real Windows.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import logging
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from credtray.core.clicks import Click
from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import DesktopPart, Notification
from credtray.desktop.balloons import NO_ICON_YET, BalloonBoard
from credtray.desktop.message_window import taskbar, windows_library
from credtray.desktop.notifications.native import NativeNotifier, PlyerNotifier
from credtray.desktop.notifications.text import NOT_JOINED

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 15.0
"""Between two looks at whether a held notice may be shown; Windows does not tell."""
TURNED_OFF: Final = "notifications from credtray are turned off in Windows' settings"
NO_TASKBAR: Final = "this session has no taskbar"

BALLOON, PLYER = "balloon", "plyer"
BALLOONS: Final = "the tray icon shows them instead, without buttons"
_WAIT: Final = "notices wait until that is over"
_HOLDS: Final = MappingProxyType(
    {
        1: f"a screen saver or the lock screen is shown; {_WAIT}",  # QUNS_NOT_PRESENT
        3: f"a program has taken the whole screen for itself; {_WAIT}",  # QUNS_RUNNING_D3D_FULL_SCREEN
        4: f"presentation mode is on; {_WAIT}",  # QUNS_PRESENTATION_MODE
    }
)
"""By what SHQueryUserNotificationState says: why nothing is shown."""
_HOLDS_BALLOONS: Final = _HOLDS | {
    2: f"a program fills the whole screen; {_WAIT}",  # QUNS_BUSY
    6: f"Windows keeps quiet in the first hour of a new account; {_WAIT}",  # QUNS_QUIET_TIME
}


def held_back(state: int, *, toasts: bool) -> str | None:
    """Return why a notice must wait now, or None. Pure.

    With toasts, Windows itself decides about full screens and quiet hours, by the rules that the person
    chose, and keeps in the notification center what it does not show. A balloon would come late or never.
    """
    return (_HOLDS if toasts else _HOLDS_BALLOONS).get(state)


class WindowsNotifier(NativeNotifier):
    """Implements ``ports.Notifier`` on Windows."""

    def __init__(
        self,
        balloons: BalloonBoard,
        clicked: Callable[[Click], None],
        report: Callable[[DesktopPart], None],
        load: Callable[[str], Any] = importlib.import_module,
        system: ThisWindows | None = None,
    ) -> None:
        """Do nothing yet; ``load`` imports a module by name."""
        super().__init__("win32", clicked, report, load)
        self._balloons = balloons
        self._system = system or ThisWindows()
        self._instead: _Instead | None = None
        self._why_no_toasts: str | None = None
        self._usual: tuple[str | None, str | None] = (None, NOT_JOINED)
        self._is_allowed = True
        self._held: str | None = None
        self._holding = asyncio.Event()

    # --- on a worker's thread ---------------------------------------------------------------------------

    def show(self, notification: Notification) -> None:
        """Show one notification, unless it would disturb; one with the same key is replaced.

        Raises:
            NotifierUnavailable: nobody was told; the reason is in it. Once that has passed it is reported
                that somebody can be told.
        """
        reason = held_back(self._system.state(), toasts=self._why_no_toasts is None)
        if reason is not None:
            self._on_loop(lambda: self._hold(reason))
            raise NotifierUnavailable(reason)
        super().show(notification)

    def withdraw(self, key: str) -> None:
        """Take a notification back, if it is still there."""
        if self._instead is not None:
            self._instead.withdraw(key)
        super().withdraw(key)

    # --- on the agent's loop ----------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Look again and again whether notices that were held may be shown."""
        while True:
            await self._holding.wait()
            await asyncio.sleep(self._system.look_seconds)
            state = await asyncio.to_thread(self._system.state)
            self._hold(held_back(state, toasts=self._why_no_toasts is None))

    def _hold(self, reason: str | None) -> None:
        self._held = reason
        if reason is None:
            self._holding.clear()
        else:
            self._holding.set()
        self._tell_now()

    def _fall_back(self, reason: str) -> None:
        self._why_no_toasts = reason
        self._instead = _Instead(self._balloons, self._system)
        self._balloons.clicked = lambda click: self._on_loop(lambda: self._clicked(click))
        self._balloons.clicked_in_vain = _in_vain
        self._balloons.changed = lambda: self._on_loop(self._tell_now)
        self._tell_now()

    def _tell(self, back_end: str | None, reason: str | None) -> None:
        self._usual = (back_end, reason)
        self._tell_now()

    def _tell_now(self) -> None:
        """Report what shows notices now, and why nothing, or nothing better, does."""
        back_end, reason = self._usual if self._is_allowed else (None, TURNED_OFF)
        if self._instead is not None:
            back_end, why = self._instead.served()
            reason = "; ".join(each for each in (self._why_no_toasts, why) if each)
        if self._held is not None:
            back_end, reason = None, self._held
        self._part.tell(back_end, reason)

    def _on_loop(self, work: Callable[[], None]) -> None:
        loop = self._agent_loop
        if loop is not None:
            loop.call_soon_threadsafe(work)

    # --- on the own loop --------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await super()._begin()
        try:
            await self._center.clear_all()  # of an agent that was killed: nobody heeds a click on them
        except Exception as error:  # noqa: BLE001 - whatever the system says: they were not ours
            _log.debug("old notifications were not cleared: %s", type(error).__name__)

    async def _refused(self) -> None:
        self._is_allowed = False  # a person may allow it at any time

    async def _send(self, notification: Notification) -> None:
        try:
            self._is_allowed = bool(await self._center.has_authorisation())
        except Exception as error:
            raise NotifierUnavailable(f"Windows cannot be asked: {type(error).__name__}") from error
        self._on_loop(self._tell_now)
        if not self._is_allowed:
            raise NotifierUnavailable(TURNED_OFF)
        await super()._send(notification)


class _Instead:
    """Implements ``ports.Notifier`` where there are no toasts: with our icon, or else with plyer's."""

    def __init__(self, balloons: BalloonBoard, system: ThisWindows) -> None:
        self._balloons = balloons
        self._system = system
        self._plyer = PlyerNotifier()

    def served(self) -> tuple[str | None, str | None]:
        """Return what shows a notice now, and what is to be said of it."""
        if self._balloons.has_icon:
            return BALLOON, BALLOONS
        if not self._balloons.is_answered:
            return None, NO_ICON_YET
        return (PLYER, None) if self._system.has_taskbar() else (None, NO_TASKBAR)

    def show(self, notification: Notification) -> None:
        """Show one notification."""
        back_end, reason = self.served()
        if back_end is None:
            raise NotifierUnavailable(reason or NOT_JOINED)
        (self._balloons if back_end == BALLOON else self._plyer).show(notification)

    def withdraw(self, key: str) -> None:
        """Take a notification back, if it is still there."""
        self._balloons.withdraw(key)


def _in_vain() -> None:
    _log.info("a click on a balloon that is no longer current: nothing is done")


class ThisWindows:
    """The Windows that this process runs on."""

    look_seconds = LOOK_SECONDS

    def state(self) -> int:
        """Return what SHQueryUserNotificationState says, 0 when it says nothing."""
        state = ctypes.c_int(0)
        failed = windows_library("shell32").SHQueryUserNotificationState(ctypes.byref(state))
        return 0 if failed else state.value

    def has_taskbar(self) -> bool:
        """Tell whether there is a taskbar, without which no program has an icon."""
        return taskbar() is not None
