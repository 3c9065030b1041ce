"""Tells at once when somebody sets the clock or the machine wakes up, without a single wakeup in between.

Linux only; elsewhere the tick finds out within 30 s. Says nothing about what happened to the clock.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable
from typing import Final

_CLOCK_REALTIME: Final = 0
_TFD_NONBLOCK_CLOEXEC: Final = 0o2004000
_TFD_TIMER_ABSTIME: Final = 1
_TFD_TIMER_CANCEL_ON_SET: Final = 2
_NEVER: Final = 2**62 // 10**9
"""Seconds since 1970: far enough, and small enough for the kernel's nanoseconds in 63 bits."""


class ClockWatch:
    """A timer that is cancelled by the kernel whenever the wall clock jumps (timerfd_create(2))."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._descriptor: int | None = None

    def start(self) -> str | None:
        """Begin to watch on the running loop; return why that is not possible, or None.

        ``changed`` is called on the loop's own thread.
        """
        if os.name == "nt" or not hasattr(_libc(), "timerfd_create"):
            return "This system does not report clock changes; credtray checks regularly instead."
        descriptor = _libc().timerfd_create(_CLOCK_REALTIME, _TFD_NONBLOCK_CLOEXEC)
        if descriptor < 0 or not _arm(descriptor):
            return f"The clock cannot be watched: {os.strerror(ctypes.get_errno())}."
        self._descriptor = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._rung, descriptor)
        return None

    def close(self) -> None:
        """Stop watching."""
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _rung(self, descriptor: int) -> None:
        try:
            os.read(descriptor, 8)
        except BlockingIOError:
            return
        except OSError:  # ECANCELED: that is the message
            pass
        if not _arm(descriptor):
            self.close()  # a timer that rings forever would be worse than the tick alone
        self._changed()


class _Timer(ctypes.Structure):
    """``struct itimerspec``: interval and value, seconds and nanoseconds each."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("again", "again_ns", "first", "first_ns"))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _arm(descriptor: int) -> bool:
    timer = _Timer(0, 0, _NEVER, 0)
    flags = _TFD_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET
    return bool(_libc().timerfd_settime(descriptor, flags, ctypes.byref(timer), None) == 0)
