"""What Windows tells: whether the desktop that gets the keys is one we may open; a locked one is not.

Written from documentation and never run on Windows. Says nothing of sleep: nothing of ours runs then.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from typing import Any, Final

from credtray.core.ports import Presence
from credtray.desktop.presence.sightings import Sightings

_SOURCE: Final = "Windows"
_DESKTOP_SWITCHDESKTOP: Final = 0x0100
LOOK_SECONDS: Final = 15.0
"""Being told (WTSRegisterSessionNotification) takes a window of our own; looking costs microseconds."""


async def follow_windows(
    sightings: Sightings, load: Callable[[], Any] | None = None, seconds: float = LOOK_SECONDS
) -> None:
    """Keep the sightings true until cancelled; end at once where there is no user32.dll."""
    try:
        user32 = (load or _user32)()
    except OSError:
        return
    while True:
        sightings.see(_SOURCE, Presence(locked=_is_locked(user32)))
        await asyncio.sleep(seconds)


def _is_locked(user32: Any) -> bool:
    """Return True where OpenInputDesktop is refused: at the lock screen, and to a user in the background."""
    desktop = user32.OpenInputDesktop(0, False, _DESKTOP_SWITCHDESKTOP)
    if not desktop:
        return True
    user32.CloseDesktop(desktop)
    return False


def _user32() -> Any:
    library = getattr(ctypes, "WinDLL", None)
    if library is None:
        raise OSError("no user32.dll here")
    user32 = library("user32", use_last_error=True)
    user32.OpenInputDesktop.restype = ctypes.c_void_p
    user32.CloseDesktop.argtypes = [ctypes.c_void_p]
    return user32
