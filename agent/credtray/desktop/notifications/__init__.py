"""Chooses how this system shows notifications. Shows nothing itself, and begins nothing before ``run``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from credtray.core.clicks import Click
from credtray.core.ports import DesktopPart, Notifier
from credtray.desktop.balloons import BalloonBoard
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.notifications.freedesktop import DesktopNotifier
from credtray.desktop.notifications.native import NativeNotifier
from credtray.desktop.notifications.windows import WindowsNotifier


class RunningNotifier(Notifier, Protocol):
    """One that has to run to be of use."""

    async def run(self) -> None:
        """Serve on the agent's loop until cancelled; afterwards nothing of it is left."""
        ...


def notifier_for(
    platform: str,
    bus: SessionBus,
    clicked: Callable[[Click], None],
    report: Callable[[DesktopPart], None],
    balloons: BalloonBoard | None = None,
) -> RunningNotifier:
    """Return what ``platform`` (a ``sys.platform``) has.

    ``clicked`` and ``report`` are called on the loop that runs it: for each click on a notification, and
    whenever notifications are served otherwise. A report with a back-end: somebody can be told (again).
    ``balloons`` is where Windows' icon is found.
    """
    if platform == "win32":
        return WindowsNotifier(balloons or BalloonBoard(), clicked, report)
    if platform == "darwin":
        return NativeNotifier(platform, clicked, report)
    return DesktopNotifier(bus, clicked, report)
