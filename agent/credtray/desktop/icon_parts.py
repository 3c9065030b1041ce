"""What the icon is made of, as assets/tray.toml tells it, and the outlines of each part.

Paints nothing and reads no file. Lengths are in units of the grid, angles in degrees clockwise from the top.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from credtray.core.errors import AssetMissing
from credtray.core.face.look import STEPS

Point = tuple[float, float]
Outline = list[Point]
"""A closed polygon."""

_ROUNDNESS = 96
"""Corners of a polygon that stands for a circle: at 512 pixels none is seen."""
_FULL = 360.0


class Line(msgspec.Struct, frozen=True, tag_field="kind", tag="line"):
    """A stroke from point to point, with round ends and corners."""

    points: list[Point]
    width: float
    cut: bool = False

    def outlines(self, grow: float = 0) -> list[Outline]:
        """Return polygons that cover it together, everywhere wider by *grow*."""
        half = self.width / 2 + grow
        covers = [_circle(point, half) for point in self.points]
        for (x1, y1), (x2, y2) in zip(self.points, self.points[1:], strict=False):
            length = math.hypot(x2 - x1, y2 - y1)
            dx, dy = half * (y2 - y1) / length, half * (x1 - x2) / length
            covers.append([(x1 + dx, y1 + dy), (x2 + dx, y2 + dy), (x2 - dx, y2 - dy), (x1 - dx, y1 - dy)])
        return covers


class Disc(msgspec.Struct, frozen=True, tag_field="kind", tag="disc"):
    """A filled circle."""

    centre: Point
    radius: float
    cut: bool = False

    def outlines(self, grow: float = 0) -> list[Outline]:
        """Return the circle, its radius longer by *grow*."""
        return [_circle(self.centre, self.radius + grow)]


class Polygon(msgspec.Struct, frozen=True, tag_field="kind", tag="polygon"):
    """A filled polygon; ``corner`` is added around it, which rounds its corners."""

    points: list[Point]
    corner: float = 0
    cut: bool = False

    def outlines(self, grow: float = 0) -> list[Outline]:
        """Return polygons that cover it together, everywhere wider by *grow*."""
        around = Line([*self.points, self.points[0]], 2 * self.corner)
        return [list(self.points), *(around.outlines(grow) if self.corner + grow > 0 else [])]


class Arc(msgspec.Struct, frozen=True, tag_field="kind", tag="arc"):
    """A part of a ring, with straight ends."""

    centre: Point
    radius: float
    """To the middle of the stroke."""
    width: float
    start: float
    end: float
    cut: bool = False

    def outlines(self, grow: float = 0) -> list[Outline]:
        """Return the arc as one polygon, wider and longer by *grow*."""
        half = self.width / 2 + grow
        more = math.degrees(grow / self.radius)
        start, end = self.start - more, min(self.end + more, self.start - more + _FULL)
        steps = max(1, math.ceil((end - start) * _ROUNDNESS / _FULL))
        angles = [start + (end - start) * step / steps for step in range(steps + 1)]
        outer = [_on_circle(self.centre, self.radius + half, angle) for angle in angles]
        inner = [_on_circle(self.centre, self.radius - half, angle) for angle in reversed(angles)]
        return [outer + inner]

    def ends(self) -> tuple[Point, Point]:
        """Return where the middle of the stroke begins and ends."""
        first, last = (_on_circle(self.centre, self.radius, angle) for angle in (self.start, self.end))
        return first, last


Part = Line | Disc | Polygon | Arc


class Layer(NamedTuple):
    """Parts that are painted in one colour, over what is there."""

    parts: Sequence[Part]
    colour: str
    """``#rrggbb`` or ``#rrggbbaa``."""
    grow: float = 0
    """So much wider everywhere; what cuts stays as it is."""


class Ring(msgspec.Struct, frozen=True):
    """Where the remaining time is shown."""

    radius: float
    width: float


class Badge(msgspec.Struct, frozen=True):
    """A dark disc below the icon, with a light edge."""

    radius: float
    edge: float


class Palette(msgspec.Struct, frozen=True):
    """The colours for one kind of panel, as ``#rrggbb`` or ``#rrggbbaa``."""

    hairline: str
    track: str
    inks: dict[str, str]
    """Value of the shape -> colour."""
    badge: str | None = None
    edge: str = "#00000000"


class Glyph(msgspec.Struct, frozen=True):
    """One shape."""

    ring: Literal["time", "whole", "none"]
    """``time``: the arc that is left, on a track; ``whole``: a full one."""
    parts: list[Part]


class AppIcon(msgspec.Struct, frozen=True):
    """The picture in lists of programs."""

    shape: str
    """Whose ink it has."""
    steps: int
    ring: Ring
    parts: list[Part]


class Geometry(msgspec.Struct, frozen=True):
    """Everything assets/tray.toml tells."""

    grid: float
    hairline: float
    ring: Ring
    badge: Badge
    app: AppIcon
    panels: dict[str, Palette]
    shapes: dict[str, Glyph]

    def layers(self, shape: str, steps: int, panel: str) -> list[Layer]:
        """Return what is to be painted for a panel, the lowest first."""
        palette, glyph = self.panels[panel], self.shapes[shape]
        track = [Layer([self._arc(self.ring, STEPS)], palette.track)] if glyph.ring == "time" else []
        around = {"time": steps, "whole": STEPS, "none": 0}[glyph.ring]
        inked = [*([self._arc(self.ring, around)] if around else []), *glyph.parts]
        hairline = Layer(inked, palette.hairline, self.hairline)
        return [*self._badge(palette), *track, hairline, Layer(inked, palette.inks[shape])]

    def app_layers(self) -> list[Layer]:
        """Return what is to be painted for the picture in lists of programs, the lowest first."""
        palette, app = self.panels["auto"], self.app
        inked = [self._arc(app.ring, app.steps), *app.parts]
        track = Layer([self._arc(app.ring, STEPS)], palette.track)
        return [*self._badge(palette), track, Layer(inked, palette.inks[app.shape])]

    def _badge(self, palette: Palette) -> list[Layer]:
        if palette.badge is None:
            return []
        middle, radius, edge = self._middle, self.badge.radius, self.badge.edge
        return [
            Layer([Arc(middle, radius - edge / 2, edge, 0, _FULL)], palette.edge),
            Layer([Disc(middle, radius - edge)], palette.badge),
        ]

    def _arc(self, ring: Ring, steps: int) -> Arc:
        return Arc(self._middle, ring.radius, ring.width, 0, _FULL * steps / STEPS)

    @property
    def _middle(self) -> Point:
        return self.grid / 2, self.grid / 2


def geometry_from(text: bytes) -> Geometry:
    """Read the content of tray.toml.

    Raises:
        AssetMissing: it is not what this version of credtray needs.
    """
    try:
        return msgspec.convert(tomllib.loads(text.decode()), Geometry)
    except ValueError as error:  # tomllib's, msgspec's and the decoder's errors are all of this kind
        raise AssetMissing(f"tray.toml is another one than this version needs: {error}") from error


def _circle(centre: Point, radius: float) -> Outline:
    return [_on_circle(centre, radius, _FULL * step / _ROUNDNESS) for step in range(_ROUNDNESS)]


def _on_circle(centre: Point, radius: float, angle: float) -> Point:
    x, y = centre
    return x + radius * math.sin(math.radians(angle)), y - radius * math.cos(math.radians(angle))
