"""What an X server tells of its screen: monitors and how fine they are. Changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

_USUAL_DPI = 96
_FINEST_DPI = 480


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle, in pixels from the screen's upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Tell whether a point lies in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def moved_into(self, other: Area) -> Area:
        """Return it moved until no part lies outside, where it fits."""
        x = max(other.x, min(self.x, other.x + other.width - self.width))
        y = max(other.y, min(self.y, other.y + other.height - self.height))
        return replace(self, x=x, y=y)


def monitor_at(display: Any, x: int, y: int) -> Area:
    """Return the monitor a point lies on; the whole screen where the server knows none."""
    screen = display.screen()
    if display.has_extension("RANDR"):
        for each in screen.root.xrandr_get_monitors().monitors:
            area = Area(each.x, each.y, each.width_in_pixels, each.height_in_pixels)
            if area.holds(x, y):
                return area
    return Area(0, 0, screen.width_in_pixels, screen.height_in_pixels)


def dots_per_inch(display: Any) -> int:
    """Return what the desktop has set (``Xft.dpi``); 96 where it has not."""
    atom = display.intern_atom
    found = display.screen().root.get_full_property(atom("RESOURCE_MANAGER"), atom("STRING"))
    if found is None:
        return _USUAL_DPI
    text = found.value if isinstance(found.value, bytes) else str(found.value).encode()
    set_to = re.search(rb"^Xft\.dpi:\s*(\d{2,3})", text, re.MULTILINE)
    return min(int(set_to[1]), _FINEST_DPI) if set_to else _USUAL_DPI
