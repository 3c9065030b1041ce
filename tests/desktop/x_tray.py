"""A system tray of X11 as small as they come: one icon, a background in one colour, 24 or 32 bits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.protocol.event import ClientMessage

from credtray.desktop.x11.thread import XThread

BACKGROUND = 0x3366CC
"""Red, green and blue."""
SIDE = 24
PATIENCE = 60.0


class XTray:
    """The guest of a connection: owns the tray's selection and takes in whoever asks."""

    def __init__(self, address: str, depth: int = 24) -> None:
        self._thread = XThread("x tray", address, self)
        self._depth = depth
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._docked = threading.Event()
        self.drops = False
        """It destroys every icon as soon as it has it."""
        self.taken = 0
        self.icon: int | None = None
        """The window that was taken in last."""

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def stop(self) -> None:
        self._thread.stop()
        assert self._ended.wait(PATIENCE)

    def let_go(self, *, destroying: bool = True) -> None:
        """Drop the icon and stay: as a tray does whose part for icons starts anew."""

        def work() -> None:
            window = self._display.create_resource_object("window", self.icon)
            if destroying:
                window.destroy()
            else:
                window.reparent(self._display.screen().root, -SIDE, -SIDE)
            self._display.sync()

        self._docked.clear()
        self._thread.post(work)

    def wait_for_icon(self) -> int:
        assert self._docked.wait(PATIENCE)
        assert self.icon is not None
        return self.icon

    # --- x11.thread.Guest ----------------------------------------------------------------------

    def begin(self, display: Any) -> None:
        self._display = display
        screen = display.screen()
        visual = next(
            visual.visual_id
            for allowed in screen.allowed_depths
            if allowed.depth == self._depth
            for visual in allowed.visuals
        )
        self._window = screen.root.create_window(
            0,
            0,
            SIDE,
            SIDE,
            0,
            self._depth,
            X.InputOutput,
            visual,
            background_pixel=BACKGROUND | 0xFF000000 if self._depth == 32 else BACKGROUND,
            border_pixel=0,
            override_redirect=True,
            colormap=screen.root.create_colormap(visual, X.AllocNone),
            event_mask=X.SubstructureNotifyMask,
        )
        atom = display.intern_atom
        self._window.change_property(atom("_NET_SYSTEM_TRAY_VISUAL"), atom("VISUALID"), 32, [visual])
        self._window.map()
        selection = atom("_NET_SYSTEM_TRAY_S0")
        self._window.set_selection_owner(selection, X.CurrentTime)
        manager = (X.CurrentTime, selection, self._window.id, 0, 0)
        screen.root.send_event(
            ClientMessage(window=screen.root, client_type=atom("MANAGER"), data=(32, manager)),
            event_mask=X.StructureNotifyMask,
        )
        display.sync()
        self._ready.set()

    def handle(self, event: Any) -> None:
        if event.type == X.ClientMessage:
            self.icon = event.data[1][2]
            window = self._display.create_resource_object("window", self.icon)
            window.reparent(self._window, 0, 0)
            window.configure(width=SIDE, height=SIDE)
            window.map()
            self._display.sync()
            self.taken += 1
            self._docked.set()
            if self.drops:
                self.let_go()

    def leave(self) -> None:
        self._window.destroy()

    def ended(self, reason: str | None) -> None:
        self._ended.set()


@contextmanager
def x_tray(address: str, depth: int = 24) -> Iterator[XTray]:
    """A tray in the upper left corner of the screen."""
    tray = XTray(address, depth)
    tray.start()
    try:
        yield tray
    finally:
        tray.stop()


def pixel(address: str, x: int, y: int) -> int:
    """What the screen shows there: red, green and blue."""
    display = Display(address)
    try:
        data = display.screen().root.get_image(x, y, 1, 1, X.ZPixmap, 0xFFFFFFFF).data
        return int.from_bytes(data[:3], "little")
    finally:
        display.close()


def windows_called(address: str, name: str) -> list[int]:
    """All windows of that class, wherever they are."""

    def below(window: Any) -> Iterator[Any]:
        yield window
        for child in window.query_tree().children:
            yield from below(child)

    display = Display(address)
    try:
        return [each.id for each in below(display.screen().root) if (each.get_wm_class() or [""])[0] == name]
    finally:
        display.close()
