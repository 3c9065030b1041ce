"""The clipboard: takes a text, and gives it up again after a while if nobody has copied anything since.

Must not let a secret into an argument, an environment variable, a log line or an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from credtray.core.errors import ClipboardUnavailable


class Holder(Protocol):
    """One way to hold a text on the clipboard; ``offer`` comes once, then ``give_up``."""

    async def offer(self, text: str, *, secret: bool) -> None:
        """Put it there.

        Raises:
            ClipboardUnavailable: it is not there.
        """
        ...

    async def give_up(self) -> None:
        """Remove it, unless the clipboard has become somebody else's; raises nothing."""
        ...


class Clipboard:
    """The desktop's clipboard. For one event loop; does nothing until ``put``."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        holder: Callable[[Mapping[str, str]], Holder] | None = None,
    ) -> None:
        self._environ = environ
        self._holder = holder or holder_for
        self._held: Holder | None = None
        self._clearing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def put(self, text: str, *, secret: bool, seconds: float) -> None:
        """Copy a text; after *seconds* it is removed if it is still there.

        A secret is marked, so that clipboard histories that know the system's mark leave it out. What stood
        there before through us is dropped.

        Raises:
            ClipboardUnavailable: there is no clipboard, or it does not answer within two seconds.
        """
        async with self._turn:
            await self._drop()
            holder = self._holder(self._environ)
            self._held = holder
            try:
                await holder.offer(text, secret=secret)
            except BaseException:
                await self._drop()
                raise
            self._clearing = asyncio.create_task(self._clear_after(seconds), name="clear clipboard")

    async def close(self) -> None:
        """Take away what is still ours. Bounded to a few seconds; may be called more than once."""
        async with self._turn:
            await self._drop()

    async def _clear_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        # In turn: whoever copies or ends meanwhile must not break it off with a key still there.
        async with self._turn:
            self._clearing = None  # it is this very task
            await self._drop()

    async def _drop(self) -> None:
        if self._clearing is not None:
            self._clearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clearing
            self._clearing = None
        held, self._held = self._held, None
        if held is not None:
            await held.give_up()


def holder_for(environ: Mapping[str, str]) -> Holder:
    """Choose how to hold a text on this desktop, anew for each text: X and Wayland come and go.

    Raises:
        ClipboardUnavailable: there is none; it says what is missing.
    """
    holder: Holder
    if sys.platform == "darwin":
        from credtray.desktop.clipboard.macos import macos_holder  # of this system only

        holder = macos_holder(environ)
    elif sys.platform == "win32":
        from credtray.desktop.clipboard.windows import windows_holder  # of this system only

        holder = windows_holder()
    else:
        holder = _linux_holder(environ)
    return holder


def _linux_holder(environ: Mapping[str, str]) -> Holder:
    """Prefer wl-copy on Wayland: a text copied through X only reaches other programs there now and then."""
    if environ.get("WAYLAND_DISPLAY"):
        wl_copy = shutil.which("wl-copy", path=environ.get("PATH"))
        if wl_copy is not None:
            from credtray.desktop.clipboard.linux import WlCopyHolder

            return WlCopyHolder(wl_copy, environ)
        if not environ.get("DISPLAY"):
            raise ClipboardUnavailable("this Wayland desktop needs the program wl-copy")
    if environ.get("DISPLAY"):
        from credtray.desktop.clipboard.linux import SelectionHolder

        return SelectionHolder(environ["DISPLAY"])
    raise ClipboardUnavailable("there is no desktop: neither WAYLAND_DISPLAY nor DISPLAY is set")
