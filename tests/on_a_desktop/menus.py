"""The agent's menu as it is drawn: which line is where on the screen, told by the pixels and the layout.

Clicks nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops

from tests.on_a_desktop.private_bus import PrivateBus
from tests.on_a_desktop.screen import PATIENCE_SECONDS, Area, Screen

ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"

_GLYPHS = 28
"""So wide is the column of check marks and radio buttons, left of the labels."""
_ARROW = 20
"""And that of the arrows of submenus, right of them."""
_INK = 24
"""A pixel that differs less from the background is none of a letter's: a frame, a shadow."""
_THINNEST_TEXT = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One item of the menu as the panel was told it."""

    label: str
    separator: bool
    enabled: bool
    checked: bool
    children: tuple[Line, ...]


def told(bus: PrivateBus) -> tuple[Line, ...]:
    """Ask the one item for its menu, as a panel does."""
    [registered] = bus.items()
    name, slash, path = registered.partition("/")
    [menu] = bus.call(name, slash + path, "org.freedesktop.DBus.Properties.Get", "ss", ITEM, "Menu")
    bus.call(name, menu.value, f"{MENU}.AboutToShow", "i", 0)
    _, root = bus.call(name, menu.value, f"{MENU}.GetLayout", "iias", 0, -1, [])
    return _line(root).children


def _line(node: list[Any]) -> Line:
    _, properties, children = node
    values = {name: variant.value for name, variant in properties.items()}
    return Line(
        label=values.get("label", "").replace("__", "_"),
        separator=values.get("type") == "separator",
        enabled=values.get("enabled", True),
        checked=values.get("toggle-state", 0) == 1,
        children=tuple(_line(child.value) for child in children if _visible(child.value)),
    )


def _visible(node: list[Any]) -> bool:
    shown = node[1].get("visible")
    return shown is None or bool(shown.value)


def drawn(picture: Image.Image) -> list[tuple[int, int]]:
    """Return upper and lower edge of each line of text in a picture of a menu; separators are left out."""
    plain = Image.new("RGB", picture.size, picture.getpixel((_GLYPHS, 3)) or 0)
    strange = ImageChops.difference(picture, plain).convert("L").point(lambda value: 255.0 * (value > _INK))
    column = strange.crop((_GLYPHS, 0, picture.width - _ARROW, picture.height))
    inked = [column.crop((0, y, column.width, y + 1)).getbbox() is not None for y in range(column.height)]
    bands: list[tuple[int, int]] = []
    for y, ink in enumerate(inked):
        if ink and bands and bands[-1][1] == y:
            bands[-1] = (bands[-1][0], y + 1)
        elif ink:
            bands.append((y, y + 1))
    return [band for band in bands if band[1] - band[0] >= _THINNEST_TEXT]


def lines_drawn(screen: Screen, area: Area, count: int) -> list[tuple[int, int]]:
    """Return the edges of the lines of a menu once there are *count* of them, or it took too long.

    On a busy machine the screen comes to rest while some are still to be drawn.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(bands := drawn(screen.still(area))) != count and time.monotonic() < deadline:
        pass  # taking a still takes its time
    return bands


def places(lines: tuple[Line, ...], menu: Area, screen: Screen) -> dict[str, tuple[int, int]]:
    """Return where to click for each label of the menu, which lies at *menu* on the screen."""
    labels = [line.label for line in lines if not line.separator]
    bands = lines_drawn(screen, menu, len(labels))
    assert len(labels) == len(bands), f"told {labels}, drawn {len(bands)} lines"
    return {
        label: (menu.left + menu.width // 2, menu.top + (top + bottom) // 2)
        for label, (top, bottom) in zip(labels, bands, strict=True)
    }
