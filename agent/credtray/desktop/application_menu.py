"""credtray in the menu of applications: added, removed, and looked at, so that a click starts it.

Where it is: `credtray.desktop` in the user's applications folder on Linux, a shortcut in the Start menu on
Windows, an application in the user's Applications folder on macOS. Starts nothing itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from credtray.core.errors import AutostartRefused, LauncherRefused
from credtray.desktop.autostart import Autostart, AutostartStatus, Outcome, own_command
from credtray.desktop.login_entry import LoginEntry

ADD = "credtray launcher add"
APPLICATIONS = "Applications folder"
NAME = (
    "Start menu"
    if sys.platform == "win32"
    else APPLICATIONS
    if sys.platform == "darwin"
    else "application menu"
)
"""What people call it on this system."""


class ApplicationMenu:
    """The entry of credtray. Does nothing until it is asked.

    ``command`` and ``entry`` are this installation's and this system's own when not given.
    """

    def __init__(
        self,
        command: tuple[str, ...] | None = None,
        entry: LoginEntry | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._command = command
        self._given = entry
        self._environ = environ

    def add(self) -> Outcome:
        """Have an entry that starts this installation; a package's own is one.

        Raises:
            LauncherRefused: it cannot be written, or it is somebody else's; nothing was changed.
        """
        with _refused():
            return Outcome.ALREADY if self._packaged() else self._entry().enable()

    def remove(self) -> Outcome:
        """Take away what ``add`` wrote.

        Raises:
            LauncherRefused: it cannot be removed, or it is somebody else's; it is still there.
        """
        with _refused():
            return self._entry().disable()

    def status(self) -> AutostartStatus:
        """Look at the entry.

        Raises:
            LauncherRefused: there is no such menu here.
        """
        with _refused():
            status = self._entry().status()
            packaged = None if status.enabled else self._packaged()
        if packaged is not None:
            return AutostartStatus(True, str(packaged), status.command)
        return status if status.cure is None else replace(status, cure=status.cure.replace(*_OTHER_CURE))

    def removable(self) -> bool:
        """Tell whether there is an entry that ``remove`` takes away; raises as ``status``."""
        with _refused():
            return self._entry().status().enabled

    def _entry(self) -> Autostart:
        command = self._command or own_command("start", "--clicked")
        return Autostart(command, self._given or menu_entry(self._environ))

    def _packaged(self) -> Path | None:
        if sys.platform == "win32" or sys.platform == "darwin" or self._given is not None:
            return None
        else:  # noqa: RET505 - type checkers take the branch of their platform
            from credtray.desktop.login_entry.xdg import packaged_entry

            return packaged_entry(self._environ)


_OTHER_CURE = ("credtray autostart enable", ADD)


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except AutostartRefused as error:
        advice = error.advice if error.advice != AutostartRefused.hint else None
        raise LauncherRefused(error.detail, hint=advice) from error


def menu_entry(environ: Mapping[str, str]) -> LoginEntry:
    """Return where this system keeps what its menu of applications shows."""
    if sys.platform == "win32":
        from credtray.desktop.login_entry.start_menu import StartMenuEntry, programs_folder

        return StartMenuEntry(programs_folder(environ, Path.home()))
    elif sys.platform == "darwin":  # noqa: RET505 - type checkers take the branch of their platform
        from credtray.desktop.login_entry.mac_app import Application

        return Application.of_user()
    else:
        from credtray.desktop.login_entry.xdg import MenuEntry

        return MenuEntry.of_user(environ)
