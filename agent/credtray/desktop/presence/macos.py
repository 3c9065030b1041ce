"""What macOS tells: the screen was locked, the machine sleeps, another user has the screen; or no longer.

Written from documentation and never run on a Mac. Needs pyobjc, which pystray brings along, and the main
thread's run loop, which belongs to the icon. Must not touch either before it is asked to follow.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from credtray.core.ports import Presence
from credtray.desktop.presence.sightings import Sightings

_SOURCE: Final = "macOS"


async def follow_macos(sightings: Sightings, load: Callable[[str], Any] = importlib.import_module) -> None:
    """Keep the sightings true until cancelled; end at once where pyobjc is missing."""
    try:
        quartz, foundation, appkit = (load(name) for name in ("Quartz", "Foundation", "AppKit"))
    except ImportError:
        return
    loop = asyncio.get_running_loop()
    screen = foundation.NSDistributedNotificationCenter.defaultCenter()
    machine = appkit.NSWorkspace.sharedWorkspace().notificationCenter()

    def saw(**what: bool) -> None:
        sightings.see(_SOURCE, replace(sightings.of(_SOURCE), **what))

    def on(center: Any, name: str, **what: bool) -> tuple[Any, Any]:
        """Observe; the system calls on the main thread."""

        def observed(_notification: object) -> None:
            loop.call_soon_threadsafe(lambda: saw(**what))

        return center, center.addObserverForName_object_queue_usingBlock_(name, None, None, observed)

    observers = [
        on(screen, "com.apple.screenIsLocked", locked=True),
        on(screen, "com.apple.screenIsUnlocked", locked=False),
        on(machine, appkit.NSWorkspaceWillSleepNotification, asleep=True),
        on(machine, appkit.NSWorkspaceDidWakeNotification, asleep=False),
        # Fast user switching: what is shown in our session now, nobody sees.
        on(machine, appkit.NSWorkspaceSessionDidResignActiveNotification, idle=True),
        on(machine, appkit.NSWorkspaceSessionDidBecomeActiveNotification, idle=False),
    ]
    try:
        session = quartz.CGSessionCopyCurrentDictionary() or {}
        locked = bool(session.get("CGSSessionScreenIsLocked"))
        shown = bool(session.get(quartz.kCGSessionOnConsoleKey, True))
        sightings.see(_SOURCE, Presence(locked=locked, idle=not shown))
        await asyncio.Event().wait()
    finally:
        for center, observer in observers:
            center.removeObserver_(observer)
