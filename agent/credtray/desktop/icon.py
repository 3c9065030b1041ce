"""Draws the tray icon: how much of the sign-in is left as a ring, and how things stand as a shape in it.

Decides nothing about either (core/icon_state), and loads Pillow only when something is drawn. The colours are
in assets/tray.toml. Lengths are in units of a square of ``GRID`` by ``GRID`` from its top left corner: at 22
pixels, the size of most panels, a unit is a pixel. Angles are degrees, clockwise from the top.
"""

from __future__ import annotations

import functools
import itertools
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from credtray.core.errors import AssetMissing
from credtray.core.icon_state import STEPS, IconState, Shape
from credtray.core.shapes import fitted
from credtray.desktop.paths import asset

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES = (22, 32, 48)
"""Pixels: of usual panels, and of the same on finer screens; more would only make the messages longer."""
GRID = 22.0
RING = 9.3, 2.4
"""Radius to the middle of the stroke, and width: the remaining time, on a faint track."""
_APP_RING = 8.1, 2.0
_APP_STEPS = 18
_BADGE, _EDGE = 11.0, 0.5
"""For panels of unknown brightness the icon brings its own: a dark disc with a light edge of that width."""
_HAIRLINE = 0.5
"""Stands out around everything painted in ink, against a panel of the ink's own brightness."""
_FINEST = 16
"""At most so many times as large everything is painted before it is made small, for smooth edges."""
_LARGEST_PAINTED = 1536
"""Pixels: beyond this an edge cannot become smoother to the eye."""
_COARSEST = 3
_ROUNDNESS = 96
"""Corners of a polygon that stands for a circle: at 512 pixels none is seen."""
_FULL = 360.0
_SOLID = 255

TEMPLATE = "template"
"""The name of the colours that macOS does not look at."""

Point = tuple[float, float]
MIDDLE = GRID / 2, GRID / 2


class Panel(Enum):
    """What the icon is drawn for."""

    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"
    """Nobody knows: drawn so that it is readable on both."""


@functools.lru_cache
def draw(look: IconState, size: int, panel: Panel) -> Image:
    """Return the icon as an RGBA image of *size* by *size* pixels.

    Equal arguments return the same image again: it is not to be changed. Takes 3 to 5 ms at 22 to 48 pixels.

    Raises:
        AssetMissing: this installation lacks assets/tray.toml.
    """
    return painted(layers(look, palettes()[panel.value]), size)


@functools.lru_cache
def template(look: IconState, size: int) -> Image:
    """Return the icon in black with transparency only, as macOS wants it: the system chooses the colour.

    Raises:
        AssetMissing: as ``draw``.
    """
    return painted(layers(look, palettes()[TEMPLATE]), size)


# --- colours -----------------------------------------------------------------------------------------


class Palette(msgspec.Struct, frozen=True):
    """The colours for one kind of panel, as ``#rrggbb`` or ``#rrggbbaa``."""

    hairline: str
    track: str
    inks: dict[Shape, str]
    badge: str | None = None
    edge: str = "#00000000"


class _Colours(msgspec.Struct, frozen=True):
    panels: dict[str, Palette]


@functools.cache
def palettes() -> Mapping[str, Palette]:
    """Return what assets/tray.toml says, read once: by the value of a ``Panel``, and ``TEMPLATE``.

    Raises:
        AssetMissing: it is not there, or not as this version needs it.
    """
    return palettes_from(asset("tray.toml"))


def palettes_from(text: bytes) -> Mapping[str, Palette]:
    """Read the content of tray.toml.

    Raises:
        AssetMissing: it is not what this version of credtray needs.
    """
    try:
        return fitted(tomllib.loads(text.decode()), _Colours).panels
    except ValueError as error:  # tomllib's, msgspec's and the decoder's errors are all of this kind
        raise AssetMissing(f"tray.toml is not the one that this version needs: {error}") from error


# --- shapes ------------------------------------------------------------------------------------------


def _tick(pen: Pen) -> None:
    pen.line((6.9, 11.3), (9.9, 14.3), (15.3, 8.3), width=2.5)


def _exclamation_mark(pen: Pen) -> None:
    pen.disc((11, 11), 6.4)
    pen.line((11, 8), (11, 11.2), width=2.1, cut=True)
    pen.disc((11, 14.3), 1.2, cut=True)


def _cross(pen: Pen) -> None:
    pen.disc((11, 11), 10.5)
    pen.line((7.4, 7.4), (14.6, 14.6), width=2.8, cut=True)
    pen.line((14.6, 7.4), (7.4, 14.6), width=2.8, cut=True)


def _lock(pen: Pen) -> None:
    pen.arc(4, 2, -90, 90, centre=(11, 7.5))
    pen.line((7, 7.5), (7, 10.5), width=2)
    pen.line((15, 7.5), (15, 10.5), width=2)
    pen.polygon((5.5, 11.5), (16.5, 11.5), (16.5, 17.5), (5.5, 17.5), corner=1.5)
    pen.disc((11, 13.6), 1.4, cut=True)
    pen.line((11, 14), (11, 16.2), width=1.2, cut=True)


def _dots(pen: Pen) -> None:
    for x in (6.5, 11, 15.5):
        pen.disc((x, 11), 1.7)


def _stroke_through(pen: Pen) -> None:
    pen.line((3, 19), (19, 3), width=5.2, cut=True)
    pen.line((3.5, 18.5), (18.5, 3.5), width=2.4)


def _triangle(pen: Pen) -> None:
    pen.polygon((11, 6.4), (15.4, 13.7), (6.6, 13.7), corner=1.3)
    pen.line((11, 8.6), (11, 10.6), width=1.7, cut=True)
    pen.disc((11, 13.1), 0.95, cut=True)


_GLYPHS: Mapping[Shape, Callable[[Pen], None]] = MappingProxyType(
    {
        Shape.FRESH: _tick,
        Shape.SOON: _exclamation_mark,
        Shape.ENDED: _cross,
        Shape.SIGNED_OUT: _lock,
        Shape.SIGNING_IN: _dots,
        Shape.OFFLINE: _stroke_through,
        Shape.TROUBLE: _triangle,
    }
)
_WITHOUT_RING = frozenset({Shape.ENDED, Shape.SIGNED_OUT})
_WHOLE_RING = frozenset({Shape.OFFLINE})
"""Of these no time is known; the ring of all others is the arc that is left."""


class Layer(NamedTuple):
    """What is painted in one colour, over what is there."""

    paint: Callable[[Pen], None]
    colour: str
    """``#rrggbb`` or ``#rrggbbaa``."""
    grow: float = 0
    """So much wider everywhere; what cuts stays as it is."""


def layers(look: IconState, palette: Palette) -> Sequence[Layer]:
    """Return what is to be painted in the tray, the lowest first."""
    tells_time = look.shape not in _WITHOUT_RING | _WHOLE_RING

    def ink(pen: Pen) -> None:
        if look.shape not in _WITHOUT_RING:
            _ring(pen, RING, look.steps if tells_time else STEPS)
        _GLYPHS[look.shape](pen)

    track = [Layer(lambda pen: _ring(pen, RING, STEPS), palette.track)] if tells_time else []
    hairline = Layer(ink, palette.hairline, _HAIRLINE)
    return [*_badge(palette), *track, hairline, Layer(ink, palette.inks[look.shape])]


def app_layers() -> Sequence[Layer]:
    """Return what is to be painted for lists of programs: calmer, with the ring well inside the badge."""
    palette = palettes()[Panel.AUTO.value]

    def ink(pen: Pen) -> None:
        _ring(pen, _APP_RING, _APP_STEPS)
        pen.line((7.8, 11.2), (10.2, 13.6), (14.4, 8.9), width=2)

    track = Layer(lambda pen: _ring(pen, _APP_RING, STEPS), palette.track)
    return [*_badge(palette), track, Layer(ink, palette.inks[Shape.FRESH])]


def _badge(palette: Palette) -> list[Layer]:
    if palette.badge is None:
        return []
    return [
        Layer(lambda pen: pen.arc(_BADGE - _EDGE / 2, _EDGE, 0, _FULL), palette.edge),
        Layer(lambda pen: pen.disc(MIDDLE, _BADGE - _EDGE), palette.badge),
    ]


def _ring(pen: Pen, ring: tuple[float, float], steps: int) -> None:
    if steps:  # else a hairline would stand where no time is left
        pen.arc(*ring, 0, _FULL * steps / STEPS)


# --- painting ----------------------------------------------------------------------------------------


class Pen:
    """Paints white on a black mask, everywhere wider by *grow*; ``cut`` paints black, as wide as it is."""

    def __init__(self, pixels: int, grow: float) -> None:
        from PIL import Image, ImageDraw

        self.mask = Image.new("L", (pixels, pixels))
        self._pen = ImageDraw.Draw(self.mask)
        self._scale = pixels / GRID
        self._grow = grow

    def line(self, *points: Point, width: float, cut: bool = False) -> None:
        """Paint a stroke from point to point, with round ends and corners."""
        half = width / 2 + (0 if cut else self._grow)
        for point in points:
            self.fill(_circle(point, half), cut=cut)
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            length = math.hypot(x2 - x1, y2 - y1)
            dx, dy = half * (y2 - y1) / length, half * (x1 - x2) / length
            corners = [(x1 + dx, y1 + dy), (x2 + dx, y2 + dy), (x2 - dx, y2 - dy), (x1 - dx, y1 - dy)]
            self.fill(corners, cut=cut)

    def disc(self, centre: Point, radius: float, *, cut: bool = False) -> None:
        """Paint a filled circle."""
        self.fill(_circle(centre, radius + (0 if cut else self._grow)), cut=cut)

    def polygon(self, *points: Point, corner: float) -> None:
        """Paint a filled polygon, and *corner* around it, which rounds its corners."""
        self.fill(points)
        self.line(*points, points[0], width=2 * corner)

    def arc(self, radius: float, width: float, start: float, end: float, *, centre: Point = MIDDLE) -> None:
        """Paint a part of a ring, with straight ends; *radius* is to the middle of the stroke."""
        half = width / 2 + self._grow
        more = math.degrees(self._grow / radius)
        start, end = start - more, min(end + more, start - more + _FULL)
        steps = max(1, math.ceil((end - start) * _ROUNDNESS / _FULL))
        angles = [start + (end - start) * step / steps for step in range(steps + 1)]
        outer = [on_circle(centre, radius + half, angle) for angle in angles]
        self.fill(outer + [on_circle(centre, radius - half, angle) for angle in reversed(angles)])

    def fill(self, outline: Iterable[Point], *, cut: bool = False) -> None:
        """Paint what a closed polygon holds."""
        # Pillow counts from the middle of a pixel, the geometry from its border.
        corners = [(x * self._scale - 0.5, y * self._scale - 0.5) for x, y in outline]
        self._pen.polygon(corners, fill=0 if cut else _SOLID)


def painted(wanted: Iterable[Layer], size: int) -> Image:
    """Paint layers on a transparent square of *size* pixels."""
    from PIL import Image

    finer = max(_COARSEST, min(_FINEST, _LARGEST_PAINTED // size))
    image = Image.new("RGBA", (size, size))
    for layer in wanted:
        pen = Pen(size * finer, min(layer.grow, GRID / size))  # a hairline of more than a pixel is none
        layer.paint(pen)
        image.alpha_composite(_in_colour(pen.mask.reduce(finer), layer.colour))
    return image


def _in_colour(mask: Image, colour: str) -> Image:
    from PIL import Image, ImageColor

    red, green, blue, *rest = ImageColor.getrgb(colour)
    opacity = rest[0] if rest else _SOLID
    layer = Image.new("RGBA", mask.size, (red, green, blue, 0))
    layer.putalpha(mask.point([level * opacity // _SOLID for level in range(_SOLID + 1)]))
    return layer


def _circle(centre: Point, radius: float) -> list[Point]:
    return [on_circle(centre, radius, _FULL * step / _ROUNDNESS) for step in range(_ROUNDNESS)]


def on_circle(centre: Point, radius: float, angle: float) -> Point:
    """Return the point of a circle at that angle."""
    x, y = centre
    return x + radius * math.sin(math.radians(angle)), y - radius * math.cos(math.radians(angle))
