"""Draws the tray icon: how much of the sign-in is left as a ring, and how things stand as a shape in it.

Decides nothing about either (see core/face), and loads Pillow only when something is drawn.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from credtray.core.face.look import Look
from credtray.desktop.assets import asset
from credtray.desktop.icon_parts import Geometry, Layer, Part, geometry_from

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES = (22, 32, 48)
"""Pixels: of usual panels, and of the same on finer screens; more would only make the messages longer."""
_FINEST = 16
"""At most so many times as large everything is painted before it is made small, for smooth edges."""
_LARGEST_PAINTED = 1536
"""Pixels: beyond this an edge cannot become smoother to the eye."""
_COARSEST = 3
_SOLID = 255


class Panel(Enum):
    """What the icon is drawn for."""

    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"
    """Nobody knows: drawn so that it is readable on both."""


@functools.lru_cache
def draw(look: Look, size: int, panel: Panel) -> Image:
    """Return the icon as an RGBA image of *size* by *size* pixels.

    Equal arguments return the same image again: it is not to be changed. Takes 3 to 5 ms at 22 to 48 pixels.

    Raises:
        AssetMissing: this installation lacks assets/tray.toml.
    """
    return painted(geometry().layers(look.shape.value, look.steps, panel.value), geometry().grid, size)


@functools.lru_cache
def template(look: Look, size: int) -> Image:
    """Return the icon in black with transparency only, as macOS wants it: the system chooses the colour.

    Raises:
        AssetMissing: as ``draw``.
    """
    return painted(geometry().layers(look.shape.value, look.steps, "template"), geometry().grid, size)


@functools.cache
def geometry() -> Geometry:
    """Return what assets/tray.toml says, read once.

    Raises:
        AssetMissing: it is not there, or not as this version needs it.
    """
    return geometry_from(asset("tray.toml"))


def painted(layers: Sequence[Layer], grid: float, size: int) -> Image:
    """Paint the layers, given on a square of *grid* units, on a transparent one of *size* pixels."""
    from PIL import Image

    finer = max(_COARSEST, min(_FINEST, _LARGEST_PAINTED // size))
    image = Image.new("RGBA", (size, size))
    for layer in layers:
        grow = min(layer.grow, grid / size)  # a hairline of more than a pixel is none
        mask = _mask(layer.parts, grow, size * finer, size * finer / grid).reduce(finer)
        image.alpha_composite(_in_colour(mask, layer.colour))
    return image


def _mask(parts: Sequence[Part], grow: float, pixels: int, scale: float) -> Image:
    """Return where the parts are, in white on black."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (pixels, pixels))
    pen = ImageDraw.Draw(mask)
    for part in parts:
        for outline in part.outlines(0 if part.cut else grow):
            # Pillow counts from the middle of a pixel, the geometry from its border.
            corners = [(x * scale - 0.5, y * scale - 0.5) for x, y in outline]
            pen.polygon(corners, fill=0 if part.cut else _SOLID)
    return mask


def _in_colour(mask: Image, colour: str) -> Image:
    from PIL import Image, ImageColor

    red, green, blue, *rest = ImageColor.getrgb(colour)
    opacity = rest[0] if rest else _SOLID
    layer = Image.new("RGBA", mask.size, (red, green, blue, 0))
    layer.putalpha(mask.point([level * opacity // _SOLID for level in range(_SOLID + 1)]))
    return layer
