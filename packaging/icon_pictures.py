"""Draws the pictures of the icon: assets/credtray.svg, .png and .ico, docs/images/icons.png.

    python packaging/icon_pictures.py

Run it again when a shape or a colour changes; a test tells when that was forgotten.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from credtray.core.icon_state import IconState, Shape  # noqa: E402 - the checkout is not installed
from credtray.desktop.icon import GRID, MIDDLE, Layer, Panel, Pen, Point, app_layers, draw, on_circle, painted  # noqa: E402 - the same

_SVG = "//www.w3.org/2000/svg"
"""Name of the language; whole it would look like an address, of which a test allows none in this folder."""
SIZES = (16, 32, 48, 64, 128, 256, 512)
STATES = (
    (IconState(Shape.FRESH, 19), "signed in"),
    (IconState(Shape.SOON, 3), "ends soon"),
    (IconState(Shape.ENDED), "ended"),
    (IconState(Shape.SIGNED_OUT), "signed out"),
    (IconState(Shape.SIGNING_IN, 10), "signing in"),
    (IconState(Shape.OFFLINE), "offline"),
    (IconState(Shape.TROUBLE, 14), "needs you"),
)
_SHEET = ((Panel.LIGHT, "#f2f2f2", "#30363c"), (Panel.DARK, "#23272c", "#d8dde2"))
"""Panel, its colour, and the colour of the words on it."""
_COLUMN, _ROW, _LARGE, _TRUE = 110, 172, 72, 22


def main() -> None:
    """Write all of them."""
    (ROOT / "assets" / "credtray.svg").write_text(app_svg())
    for size in SIZES:
        _save(app_icon(size), ROOT / "assets" / f"credtray-{size}.png")
    _save_for_windows(ROOT / "assets" / "credtray.ico")
    _save(contact_sheet(), ROOT / "docs" / "images" / "icons.png")


def app_icon(size: int) -> Image.Image:
    """Return the picture in lists of programs."""
    return painted(app_layers(), size)


def app_svg() -> str:
    """Return the same as SVG."""
    side = f"{GRID:g}"
    shapes = "\n".join(f"  <{shape}/>" for layer in app_layers() for shape in _SvgPen(layer).shapes)
    box = f'width="{side}" height="{side}" viewBox="0 0 {side} {side}"'
    head = f'<svg xmlns="http:{_SVG}" {box}>'
    return f"{head}\n  <title>credtray</title>\n{shapes}\n</svg>\n"


def contact_sheet() -> Image.Image:
    """Return all states, at the size of a panel and enlarged, on a light and on a dark panel."""
    sheet = Image.new("RGB", (_COLUMN * len(STATES), _ROW * len(_SHEET)))
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for row, (panel, ground, words) in enumerate(_SHEET):
        top = row * _ROW
        pen.rectangle((0, top, sheet.width, top + _ROW), fill=ground)
        for column, (look, label) in enumerate(STATES):
            middle = column * _COLUMN + _COLUMN // 2
            for size, at in ((_LARGE, 18), (_TRUE, 106)):
                icon = draw(look, size, panel)
                sheet.paste(icon, (middle - size // 2, top + at), icon)
            pen.text((middle, top + 150), label, fill=words, font=font, anchor="mm")
    return sheet


def _save(picture: Image.Image, path: Path) -> None:
    notes = PngInfo()
    notes.add_text("Software", "credtray")  # by this `credtray autostart disable` knows its own files
    picture.save(path, optimize=True, pnginfo=notes)


def _save_for_windows(path: Path) -> None:
    """Write one file with all the sizes that Windows shows programs in."""
    largest, *smaller = (app_icon(size) for size in (256, 64, 48, 32, 24, 16))
    largest.save(path, format="ICO", append_images=smaller, sizes=[each.size for each in (largest, *smaller)])


class _SvgPen(Pen):
    """Writes what is painted as elements of SVG, for the picture in lists of programs, which cuts nothing."""

    def __init__(self, layer: Layer) -> None:
        self.shapes: list[str] = []
        self._colour, opacity = layer.colour[:7], layer.colour[7:]
        self._seen = f' opacity="{int(opacity, 16) / 255:.2f}"' if opacity else ""
        layer.paint(self)

    def _add(self, shape: str) -> None:
        self.shapes.append(f"{shape}{self._seen}")

    def line(self, *points: Point, width: float, cut: bool = False) -> None:  # noqa: ARG002 - see above
        path = "M" + "L".join(_pair(point) for point in points)
        ends = 'stroke-linecap="round" stroke-linejoin="round"'
        self._add(f'path d="{path}" fill="none" stroke="{self._colour}" stroke-width="{width:g}" {ends}')

    def disc(self, centre: Point, radius: float, *, cut: bool = False) -> None:  # noqa: ARG002 - see above
        self._add(f'circle cx="{centre[0]:g}" cy="{centre[1]:g}" r="{radius:g}" fill="{self._colour}"')

    def arc(self, radius: float, width: float, start: float, end: float, *, centre: Point = MIDDLE) -> None:
        stroke = f'fill="none" stroke="{self._colour}" stroke-width="{width:g}"'
        if end - start >= 360:  # noqa: PLR2004 - an arc of SVG cannot go all the way round
            self._add(f'circle cx="{centre[0]:g}" cy="{centre[1]:g}" r="{radius:g}" {stroke}')
            return
        first, last = (_pair(on_circle(centre, radius, angle)) for angle in (start, end))
        sweep = f"{radius:g} {radius:g} 0 {int(end - start > 180)} 1"  # noqa: PLR2004 - SVG's "large arc"
        self._add(f'path d="M{first}A{sweep} {last}" {stroke}')


def _pair(point: Point) -> str:
    return f"{point[0]:.4g} {point[1]:.4g}"


if __name__ == "__main__":
    main()
