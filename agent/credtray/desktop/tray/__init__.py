"""The tray icon, wherever this system can show one: on Linux chosen again and again, elsewhere pystray's own.

Decides nothing about what is shown; a tray that fails is begun again and never stops the agent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from credtray.core.clicks import Click
from credtray.core.ports import DesktopPart
from credtray.desktop.balloons import BalloonBoard
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.main_thread import MainThread
from credtray.desktop.panel_theme import watch_theme
from credtray.desktop.part_report import together
from credtray.desktop.tray.linux import LinuxTray
from credtray.desktop.tray.painting import Shown
from credtray.menu.tray_view import TrayView


class Tray:
    """The tray icon of one agent. For one event loop; does nothing until ``run``."""

    def __init__(
        self,
        bus: SessionBus,
        clicked: Callable[[Click], None],
        report: Callable[[DesktopPart], None],
        fresh: Callable[[], TrayView] | None = None,
        environ: Mapping[str, str] = os.environ,
        main_thread: MainThread | None = None,
    ) -> None:
        """Remember who is called, always on the loop's thread.

        Args:
            bus: the session bus; it is not closed here.
            clicked: takes what a person chose; returns at once.
            report: told how the tray is served whenever that changes.
            fresh: the face of this very moment, for the menu that is about to be opened.
            environ: where DISPLAY is read.
            main_thread: on macOS and Windows only: theirs is the icon's.
        """
        self._bus = bus
        self._clicked = clicked
        self._report = report
        self._environ = environ
        self._main_thread = main_thread
        self.balloons: BalloonBoard | None = None
        """On Windows it gets the icon, for notices. Set before ``run``."""
        self._shown = Shown(fresh)

    def show(self, face: TrayView) -> None:
        """Show this from now on; what is the same is not sent again. On the loop's thread."""
        self._shown.show(face)

    def draw_for(self, setting: str) -> None:
        """Follow the setting ``icon``: ``auto``, ``light`` or ``dark``. On the loop's thread."""
        self._shown.draw_for(setting)

    def doubt(self) -> None:
        """Find out whether the icon is still shown: the machine has slept. On the loop's thread."""
        self._shown.doubted()

    async def run(self) -> None:
        """Show the icon until cancelled; then it is gone."""
        if sys.platform in {"darwin", "win32"}:
            await self._run_native()
        else:
            await self._run_linux()

    async def _run_linux(self) -> None:
        tray = LinuxTray(self._bus, self._shown, self._clicked, self._report, self._environ)
        await together(tray.run(), watch_theme(self._bus, self._shown.found, self._environ))

    async def _run_native(self) -> None:
        from credtray.desktop.tray.native import NativeTray  # of these systems only

        tray = NativeTray(self._shown, self._clicked, self._report, self._main_thread, balloons=self.balloons)
        await tray.run()
