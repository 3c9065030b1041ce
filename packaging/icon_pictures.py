"""Draws the pictures of the icon from assets/tray.toml: assets/credtray.svg and .png, docs/images/icons.png.

    python packaging/icon_pictures.py

Run it again when the geometry or a colour changes; a test tells when that was forgotten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from credtray.core.face.look import Look, Shape  # noqa: E402 - the checkout is not installed
from credtray.desktop.assets import asset  # noqa: E402 - the same
from credtray.desktop.icon import Panel, draw, geometry, painted  # noqa: E402 - the same
from credtray.desktop.icon_parts import Arc, Disc, Layer, Line, Part, Point  # noqa: E402 - the same

_SVG = "//www.w3.org/2000/svg"
"""Name of the language; whole it would look like an address, of which a test allows none in this folder."""
SIZES = (16, 32, 48, 64, 128, 256, 512)
STATES = (
    (Look(Shape.FRESH, 19), "signed in"),
    (Look(Shape.SOON, 3), "ends soon"),
    (Look(Shape.ENDED), "ended"),
    (Look(Shape.SIGNED_OUT), "signed out"),
    (Look(Shape.SIGNING_IN, 10), "signing in"),
    (Look(Shape.OFFLINE), "offline"),
    (Look(Shape.TROUBLE, 14), "needs you"),
)
_SHEET = ((Panel.LIGHT, "#f2f2f2", "#30363c"), (Panel.DARK, "#23272c", "#d8dde2"))
"""Panel, its colour, and the colour of the words on it."""
_COLUMN, _ROW, _LARGE, _TRUE = 110, 172, 72, 22


def main() -> None:
    """Write all of them."""
    (ROOT / "assets" / "credtray.svg").write_text(app_svg())
    for size in SIZES:
        _save(app_icon(size), ROOT / "assets" / f"credtray-{size}.png")
    _save(contact_sheet(), ROOT / "docs" / "images" / "icons.png")


def app_icon(size: int) -> Image.Image:
    """Return the picture in lists of programs."""
    return painted(geometry().app_layers(), geometry().grid, size)


def app_svg() -> str:
    """Return the same as SVG."""
    side = f"{geometry().grid:g}"
    shapes = "\n".join(f"  {shape}" for layer in geometry().app_layers() for shape in _svg(layer))
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


def mark() -> str:
    """Return what tells from which geometry a picture was drawn."""
    return sha256(asset("tray.toml")).hexdigest()


def _save(picture: Image.Image, path: Path) -> None:
    notes = PngInfo()
    notes.add_text("Software", "credtray")  # by this `credtray autostart disable` knows its own files
    notes.add_text("Geometry", mark())
    picture.save(path, optimize=True, pnginfo=notes)


def _svg(layer: Layer) -> Iterator[str]:
    colour, opacity = layer.colour[:7], layer.colour[7:]
    seen = f' opacity="{int(opacity, 16) / 255:.2f}"' if opacity else ""
    for part in layer.parts:
        yield f"<{_svg_shape(part, colour)}{seen}/>"


def _svg_shape(part: Part, colour: str) -> str:
    match part:
        case Disc((x, y), radius, cut=False):
            return f'circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"'
        case Line(points, width, cut=False):
            path = "M" + "L".join(_pair(point) for point in points)
            ends = 'stroke-linecap="round" stroke-linejoin="round"'
            return f'path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" {ends}'
        case Arc((x, y), radius, width, start, end, cut=False):
            stroke = f'fill="none" stroke="{colour}" stroke-width="{width:g}"'
            if end - start >= 360:  # noqa: PLR2004 - an arc of SVG cannot go all the way round
                return f'circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {stroke}'
            first, last = part.ends()
            sweep = f"{radius:g} {radius:g} 0 {int(end - start > 180)} 1"  # noqa: PLR2004 - SVG's "large arc"
            return f'path d="M{_pair(first)}A{sweep} {_pair(last)}" {stroke}'
        case _:
            raise NotImplementedError(f"the picture in lists of programs has no {type(part).__name__}")


def _pair(point: Point) -> str:
    return f"{point[0]:.4g} {point[1]:.4g}"


if __name__ == "__main__":
    main()
