"""The connection to an X server that is too busy to take everything at once."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import threading
import time
from typing import Any

import pytest
from Xlib import Xatom
from Xlib.display import Display

from credtray.desktop.x11.thread import XThread
from tests.desktop.xvfb import xvfb

pytestmark = pytest.mark.linux_desktop("X11")

PATIENCE = 60.0
PIECES = 40
PIECE = b"x" * 8_000
"""All of them are more than a socket holds for a server that does not read; each of them is less."""


class Quiet:
    """A guest that waits for no event."""

    def __init__(self) -> None:
        self.display: Any = None
        self.begun = threading.Event()

    def begin(self, display: Any) -> None:
        self.display = display
        self.begun.set()

    def handle(self, event: Any) -> None:
        """There is none."""

    def leave(self) -> None:
        """Nothing to take away."""

    def ended(self, reason: str | None) -> None:
        """Nobody asks."""

    def write(self, name: int, text: bytes) -> None:
        self.display.screen().root.change_property(name, Xatom.STRING, 8, text)


def test_what_a_busy_server_does_not_take_at_once_is_sent_when_there_is_room() -> None:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    with xvfb() as screen:
        guest = Quiet()
        thread = XThread("x test", screen.address, guest)
        thread.start()
        looking, written = Display(screen.address), threading.Event()
        try:
            assert guest.begun.wait(PATIENCE)
            os.kill(screen.process.pid, signal.SIGSTOP)
            for name, text in [(Xatom.WM_NAME, PIECE)] * PIECES + [(Xatom.WM_COMMAND, b"the last")]:
                thread.post(functools.partial(guest.write, name, text))
                written.clear()
                thread.post(written.set)  # one after the other: more at once would be waited for
                assert written.wait(PATIENCE)
            os.kill(screen.process.pid, signal.SIGCONT)
            end = time.monotonic() + PATIENCE
            while looking.screen().root.get_full_property(Xatom.WM_COMMAND, Xatom.STRING) is None:
                assert time.monotonic() < end, "the last request was never sent"
                time.sleep(0.02)
        finally:
            looking.close()
            thread.stop()
            assert thread.join(PATIENCE)
