"""Puts Pillow's pictures on windows of an X server, over what is there already.

Knows windows of 24 and 32 bits only (``DEPTHS``); others have been rare for twenty years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

DEPTHS = (24, 32)
"""Bits of a pixel that carry something; each pixel takes four bytes in both."""
_OPAQUE = 24
_STRIP_BYTES = 200_000
"""A request is at most 256 kB long on every X server."""
_ALL_PLANES = 0xFFFFFFFF


def background(window: Any, width: int, height: int, depth: int) -> Image:
    """Return what the window shows now, as RGBA. The window is on the screen.

    Raises:
        Xlib.error.XError: it is not, or no longer.
    """
    from PIL import Image
    from Xlib import X

    reply = window.get_image(0, 0, width, height, X.ZPixmap, _ALL_PLANES)
    if depth == _OPAQUE:
        opaque = Image.frombytes("RGB", (width, height), reply.data, "raw", "BGRX")
        return opaque.convert("RGBA")
    return Image.frombytes("RGBA", (width, height), reply.data, "raw", "BGRa")  # a: colours times opacity


def put(window: Any, gc: Any, image: Image, depth: int) -> None:
    """Show an RGBA picture at the window's upper left corner; transparent parts stay so at 32 bits only."""
    from Xlib import X

    if depth == _OPAQUE:
        data = image.convert("RGB").tobytes("raw", "BGRX")
    else:
        data = image.convert("RGBa").tobytes("raw", "BGRa")
    width, height = image.size
    rows = max(1, _STRIP_BYTES // (4 * width))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        strip = data[4 * width * top : 4 * width * (top + count)]
        window.put_image(gc, 0, top, width, count, X.ZPixmap, depth, 0, strip)
