"""What Windows tells: the session was locked, shown to nobody, the machine sleeps; or no longer.

Tried by posting its messages to the window, never on a real Windows.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from credtray.core.ports import Presence
from credtray.desktop.message_window import MessageWindow, user32, windows_library
from credtray.desktop.presence.sightings import Sightings

_SOURCE: Final = "Windows"
_DESKTOP_SWITCHDESKTOP: Final = 0x0100
WM_POWERBROADCAST: Final = 0x0218
WM_WTSSESSION_CHANGE: Final = 0x02B1
TITLE: Final = "presence"

_SESSION: Final = MappingProxyType(
    {
        1: {"idle": False},  # WTS_CONSOLE_CONNECT, and below it _DISCONNECT: another user has the screen
        2: {"idle": True},
        3: {"idle": False},  # WTS_REMOTE_CONNECT, and below it _DISCONNECT: the remote desktop was closed
        4: {"idle": True},
        7: {"locked": True},  # WTS_SESSION_LOCK
        8: {"locked": False},  # WTS_SESSION_UNLOCK
    }
)
"""By wParam of WM_WTSSESSION_CHANGE (wtsapi32.h): what of a presence it changes."""
_POWER: Final = MappingProxyType(
    {
        4: {"asleep": True},  # PBT_APMSUSPEND
        7: {"asleep": False},  # PBT_APMRESUMESUSPEND: a person woke it
        18: {"asleep": False},  # PBT_APMRESUMEAUTOMATIC: comes first, at every wakeup
    }
)
"""By wParam of WM_POWERBROADCAST (winuser.h)."""

LOOK_SECONDS: Final = 15.0
"""Between two looks at the lock where Windows does not tell of it."""


def changed_by(presence: Presence, message: int, wparam: int) -> Presence:
    """Return what one of the two messages makes of a presence. Pure."""
    meanings = _SESSION if message == WM_WTSSESSION_CHANGE else _POWER
    return replace(presence, **meanings.get(wparam, {}))


async def follow_windows(
    sightings: Sightings, system: ThisWindows | None = None, seconds: float = LOOK_SECONDS
) -> None:
    """Keep the sightings true until cancelled; end at once where there is no user32.dll."""
    loop = asyncio.get_running_loop()
    if system is None and not hasattr(ctypes, "WinDLL"):
        return
    system = system or ThisWindows()

    def saw(message: int, wparam: int) -> None:
        sightings.see(_SOURCE, changed_by(sightings.of(_SOURCE), message, wparam))

    def heard(message: int, wparam: int) -> None:
        loop.call_soon_threadsafe(saw, message, wparam)

    with contextlib.ExitStack() as stack:
        tells = False
        with contextlib.suppress(OSError):
            tells = stack.enter_context(system.telling(heard))
        while True:
            now = replace(sightings.of(_SOURCE), locked=system.is_locked())
            sightings.see(_SOURCE, now)
            if tells:
                await asyncio.Event().wait()
            await asyncio.sleep(seconds)


class ThisWindows:
    """The Windows that this process runs on."""

    def is_locked(self) -> bool:
        """Tell whether OpenInputDesktop is refused: at the lock screen, and to a user in the background."""
        library = user32()
        library.OpenInputDesktop.restype = ctypes.c_void_p
        library.CloseDesktop.argtypes = [ctypes.c_void_p]
        desktop = library.OpenInputDesktop(0, False, _DESKTOP_SWITCHDESKTOP)
        if not desktop:
            return True
        library.CloseDesktop(desktop)
        return False

    @contextlib.contextmanager
    def telling(self, heard: Callable[[int, int], None]) -> Iterator[bool]:
        """Have *heard* called (message, wParam; any thread) in the block; yield whether it hears of a lock.

        Raises:
            OSError: there can be no window in this session.
        """

        def hear(message: int) -> Callable[[int, int], int]:
            def told(wparam: int, _lparam: int) -> int:
                heard(message, wparam)
                return 1  # TRUE: WM_POWERBROADCAST asks for it

            return told

        messages = WM_WTSSESSION_CHANGE, WM_POWERBROADCAST
        window = MessageWindow({each: hear(each) for each in messages}, TITLE)
        handle = ctypes.c_void_p(window.open())
        sessions = windows_library("wtsapi32")
        register = user32().RegisterSuspendResumeNotification
        register.restype = ctypes.c_void_p
        with contextlib.ExitStack() as stack:
            stack.callback(window.close)
            # Modern standby sends no broadcast: only who has registered hears of it.
            if power := register(handle, 0):
                stack.callback(user32().UnregisterSuspendResumeNotification, ctypes.c_void_p(power))
            tells = bool(sessions.WTSRegisterSessionNotification(handle, 0))
            if tells:
                stack.callback(sessions.WTSUnRegisterSessionNotification, handle)
            yield tells
