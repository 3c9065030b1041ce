"""Tells once, ever, that there is no icon, where notices can be seen: who started credtray looks for it.

Decides nothing else; the icon itself is tried again and again by the tray.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from credtray.core.errors import CredtrayError, FileUnwritable
from credtray.core.icon_place import no_icon_notice
from credtray.core.notices import held
from credtray.core.ports import Notification, Notifier, Part
from credtray.daemon.loop import Loop
from credtray.daemon.workers import Workers
from credtray.files.atomic_file import write_atomically

TOLD = "no-icon-told"
"""Name of the file that remembers it."""
PATIENCE_SECONDS = 60.0
"""At login the panel may come after us."""


class MissingIcon:
    """The one notice of one agent."""

    def __init__(
        self,
        loop: Loop,
        workers: Workers,
        notifier: Notifier,
        memory: Path,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._loop = loop
        self._workers = workers
        self._notifier = notifier
        self._memory = memory
        self._patience = patience

    async def run(self) -> None:
        """Show the notice when it is due, and end; waits for changes of the state only."""
        await asyncio.sleep(self._patience)
        async with self._loop.watching() as changed:
            while (reason := self._reason()) is None:
                changed.clear()
                await changed.wait()
        with contextlib.suppress(CredtrayError):  # told in vain: the log has it
            await self._workers.desktop_result_of(lambda: self._show(reason))

    def _reason(self) -> str | None:
        """Return why there is no icon, if somebody would see the notice now."""
        state = self._loop.state
        tray, notices = state.desktop.get(Part.TRAY), state.desktop.get(Part.NOTIFICATIONS)
        if tray is None or tray.back_end is not None or notices is None or notices.back_end is None:
            return None
        return None if held(state, self._loop.now()) else tray.reason

    def _show(self, reason: str) -> None:
        if self._memory.exists():
            return
        self._notifier.show(Notification("no-icon", *no_icon_notice(reason)))
        with contextlib.suppress(FileUnwritable):  # then it is told again at the next start
            write_atomically(self._memory, b"", mode=0o600)
