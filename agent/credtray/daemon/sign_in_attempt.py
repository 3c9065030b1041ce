"""A sign-in under way, and who waits for it. Knows nothing of how it goes; see ``sign_in``."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

from credtray.core.errors import Problem
from credtray.core.models import SignIn, SsoSession
from credtray.core.protocol import Progress
from credtray.daemon.loop import Tell


@dataclass(eq=False)
class Attempt:
    """One sign-in; all of it but ``cancelled`` belongs to the event loop's thread."""

    session: SsoSession
    """As the config file had it when the sign-in began."""
    replaced: SignIn | None
    """The sign-in it replaces, when that one was still active."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    progress: Progress | None = None
    problem: Problem | None = None
    joined: bool = False
    askers: int = 0
    unasked: bool = False
    """The agent began it by itself, as a setting allows."""

    async def follow(self, tell: Tell) -> None:
        """Tell each step, also the one taken before, until the sign-in is finished."""
        told: Progress | None = None
        while not self.finished.is_set():
            if self.progress is not None and self.progress is not told:
                told = self.progress
                await tell(told)
                continue
            await self.changed.wait()
            await asyncio.sleep(0)  # let every follower see the change before it is cleared
            self.changed.clear()
