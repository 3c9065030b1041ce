"""A screen nobody sees: pictures of it, its windows, a mouse.

Knows nothing about what runs on it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from unittest import mock

from PIL import Image, ImageChops
from Xlib import X
from Xlib.display import Display
from Xlib.error import BadDrawable, BadWindow
from Xlib.xobject.drawable import Window

from tests.on_a_desktop.programs import Program

SIZE = (1024, 768)
PATIENCE_SECONDS = 60.0
_FAMILY_LOCAL = 256

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle on the screen, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def centre(self) -> tuple[int, int]:
        return self.left + self.width // 2, self.top + self.height // 2

    def lies_in(self, size: tuple[int, int]) -> bool:
        """Tell whether all of it is on a screen; toolkits keep windows for their own use outside of it."""
        return self.left >= 0 and self.top >= 0 and self.box[2] <= size[0] and self.box[3] <= size[1]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """As Pillow wants it: left, top, right, bottom."""
        return self.left, self.top, self.left + self.width, self.top + self.height


class Screen:
    """An X server with one screen and no window manager."""

    def __init__(self, directory: Path, environ: dict[str, str], size: tuple[int, int] = SIZE) -> None:
        self.size = size
        readable, writable = os.pipe()
        # The number of a screen that was killed is soon another one's: who was here must not get in there.
        self.authority = directory / "Xauthority"
        cookie = secrets.token_bytes(16)
        self._write_authority("", cookie)
        shape = ["-screen", "0", f"{self.size[0]}x{self.size[1]}x24", "-dpi", "96", "-noreset"]
        closed = ["-nolisten", "tcp", "-auth", str(self.authority)]
        try:
            self.program = Program(
                ["Xvfb", "-displayfd", str(writable), *shape, *closed],
                environ,
                directory / "screen.log",
                [writable],
            )
        finally:
            os.close(writable)
        with os.fdopen(readable) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise RuntimeError(f"no screen: {self.program.said()}")
        self._write_authority(number, cookie)
        self.display = f":{number}"
        self.environ = {"DISPLAY": self.display, "XAUTHORITY": str(self.authority)}
        self._environ = {**environ, **self.environ}

    def _write_authority(self, number: str, cookie: bytes) -> None:
        """Write who may connect, as Xau(3) wants it."""
        members = (socket.gethostname().encode(), number.encode(), b"MIT-MAGIC-COOKIE-1", cookie)
        entry = b"".join(struct.pack(">H", len(member)) + member for member in members)
        self.authority.write_bytes(struct.pack(">H", _FAMILY_LOCAL) + entry)

    # --- pictures ------------------------------------------------------------------------------------------

    def picture(self, area: Area | None = None) -> Image.Image:
        """What a person would see. Asked of the X server itself: `import` takes a second and more."""
        area = area or Area(0, 0, *self.size)
        with self.looking() as display:
            drawn = display.screen().root.get_image(
                area.left, area.top, area.width, area.height, X.ZPixmap, 0xFFFFFFFF
            )
        return Image.frombytes("RGB", (area.width, area.height), drawn.data, "raw", "BGRX")

    def still(self, area: Area | None = None, seconds: float = PATIENCE_SECONDS) -> Image.Image:
        """Return the picture once two in a row are the same: nothing fades in or is drawn any more."""
        deadline = time.monotonic() + seconds
        before = self.picture(area)
        while True:
            time.sleep(0.08)
            after = self.picture(area)
            if ImageChops.difference(before, after).getbbox() is None:
                return after
            assert time.monotonic() < deadline, f"the screen did not come to rest in {seconds} s"
            before = after

    # --- windows -------------------------------------------------------------------------------------------

    def windows(self, without: str = "") -> list[Area]:
        """Return the windows that are to be seen, the topmost last, but for one kind of them."""
        found = []
        with self.looking() as display:
            for window in display.screen().root.query_tree().children:
                try:
                    shown = window.get_attributes().map_state == X.IsViewable
                    place = window.get_geometry()
                    left_out = bool(without) and self._is(window, display, without)
                except (BadWindow, BadDrawable):  # gone in between
                    continue
                area = Area(place.x, place.y, place.width, place.height)
                if shown and not left_out and area.lies_in(self.size):
                    found.append(area)
        return found

    @staticmethod
    def _is(window: Window, display: Display, kind: str) -> bool:
        """Tell what a window says of itself (Extended Window Manager Hints, _NET_WM_WINDOW_TYPE)."""
        told = window.get_full_property(display.intern_atom("_NET_WM_WINDOW_TYPE"), X.AnyPropertyType)
        return told is not None and display.intern_atom(f"_NET_WM_WINDOW_TYPE_{kind}") in told.value

    @contextlib.contextmanager
    def looking(self) -> Iterator[Display]:
        with mock.patch.dict(os.environ, self.environ):
            display = Display(self.display)
        try:
            yield display
        finally:
            display.close()

    def paint(self, colour: int) -> None:
        """Give the empty screen a colour, as 0xRRGGBB."""
        with self.looking() as display:
            root = display.screen().root
            root.change_attributes(background_pixel=colour)
            root.clear_area(0, 0, *self.size)
            display.sync()

    # --- the mouse -----------------------------------------------------------------------------------------

    def move(self, x: int, y: int) -> None:
        """Move there in two steps: a panel wants to see the mouse come in before it is clicked."""
        self._mouse("mousemove", str(x - 2), str(y - 1), "mousemove", str(x), str(y))

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.move(x, y)
        self._mouse("sleep", "0.05", "click", str(button))

    def double_click(self, x: int, y: int) -> None:
        self.move(x, y)
        self._mouse("sleep", "0.05", "click", "--repeat", "2", "--delay", "60", "1")

    def key(self, name: str) -> None:
        self._mouse("key", name)

    def _mouse(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._environ, check=True, timeout=20, capture_output=True)


def seen(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again until there is something to see, and not longer."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"not seen within {seconds} s: {what}"
        time.sleep(0.05)
    return found
