"""Windows with the hints that window managers leave (EWMH), on a real X server, without a window manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from Xlib import X, Xatom
from Xlib.display import Display


@dataclass
class HintedWindows:
    """On one X server, in its upper left 800 by 600 pixels."""

    display: Display

    def __post_init__(self) -> None:
        self.root = self.display.screen().root

    def window(self, *, full: bool = False) -> Any:
        made = self.root.create_window(0, 0, 800, 600, 0, X.CopyFromParent)
        made.map()
        self.fills(made, full=full)
        return made

    def fills(self, window: Any, *, full: bool) -> None:
        states = [self.display.intern_atom("_NET_WM_STATE_FULLSCREEN")] if full else []
        window.change_property(self.display.intern_atom("_NET_WM_STATE"), Xatom.ATOM, 32, states)
        self.display.sync()

    def activate(self, window: Any | None) -> None:
        number = 0 if window is None else window.id
        name = self.display.intern_atom("_NET_ACTIVE_WINDOW")
        self.root.change_property(name, Xatom.WINDOW, 32, [number])
        self.display.sync()

    def close(self, window: Any) -> None:
        window.destroy()
        self.display.sync()
