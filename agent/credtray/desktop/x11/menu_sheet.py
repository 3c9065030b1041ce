"""One level of a popup menu as a picture: where its rows are, and how they look.

Pure but for reading a font; knows no X server.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_FONT_POINTS = 10
_POINTS_PER_INCH = 72
_USUAL_DPI = 96
_FONT_SECONDS = 2.0
_LONGEST = 420
"""Pixels of a label at 96 dpi; what is longer ends in three dots."""

_PAPER, _BORDER, _INK, _FAINT = "#fafafa", "#b4b4b4", "#1c1c1c", "#757575"
_CHOSEN, _CHOSEN_INK, _RULE = "#2f65ca", "#ffffff", "#dcdcdc"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the menu, as pystray's item has it."""

    item: Any
    label: str = ""
    rule: bool = False
    """A separator."""
    enabled: bool = True
    checked: bool | None = None
    radio: bool = False
    submenu: Any = None

    @property
    def reachable(self) -> bool:
        """Whether it can be chosen."""
        return self.enabled and not self.rule


def rows_of(menu: Any) -> tuple[Row, ...]:
    """Return the visible rows of a ``pystray.Menu``."""
    return tuple(
        Row(item, rule=True)
        if item is menu.SEPARATOR
        else Row(item, item.text, False, item.enabled, item.checked, item.radio, item.submenu)
        for item in menu
    )


class Sheet:
    """The rows of one level, measured for a screen of so many dots per inch."""

    def __init__(self, rows: Sequence[Row], dpi: int = _USUAL_DPI) -> None:
        self.rows = rows
        self._scale = max(1.0, dpi / _USUAL_DPI)
        self._font = font(round(_FONT_POINTS * max(dpi, _USUAL_DPI) / _POINTS_PER_INCH))
        self._gutter = self._px(26)
        self._line = self._px(24)
        self._tops = [self._px(5)]
        for row in rows:
            self._tops.append(self._tops[-1] + (self._px(9) if row.rule else self._line))
        self._labels = [self._shortened(row.label) for row in rows]
        widest = max((self._font.getlength(label) for label in self._labels), default=0)
        self.width = round(widest) + 2 * self._gutter
        self.height = self._tops[-1] + self._px(5)

    def _px(self, pixels: float) -> int:
        return round(pixels * self._scale)

    def _shortened(self, label: str) -> str:
        label = " ".join(label.split())
        longest = self._px(_LONGEST)
        if self._font.getlength(label) <= longest:
            return label
        while label and self._font.getlength(label + "…") > longest:
            label = label[: -max(1, len(label) // 16)]
        return label.rstrip() + "…"

    def top(self, index: int) -> int:
        """Return where a row begins, in pixels from the top; ``len(rows)``: where the last one ends."""
        return self._tops[index]

    def row_at(self, y: int) -> int | None:
        """Return the row at a height, None between them."""
        for index, row in enumerate(self.rows):
            if self._tops[index] <= y < self._tops[index + 1]:
                return None if row.rule else index
        return None

    def next_row(self, index: int | None, step: int) -> int | None:
        """Return the next row that can be chosen, going round; None when there is none."""
        count = len(self.rows)
        start = index if index is not None else (-1 if step > 0 else count)
        for distance in range(1, count + 1):
            at = (start + step * distance) % count
            if self.rows[at].reachable:
                return at
        return None

    def picture(self, chosen: int | None, offset: int, height: int) -> Image:
        """Draw what is seen through an opening of *height* pixels, *offset* below the top."""
        from PIL import Image as Pillow
        from PIL import ImageDraw as PillowDraw

        image = Pillow.new("RGBA", (self.width, height), _PAPER)
        pen = PillowDraw.Draw(image)
        for index in range(len(self.rows)):
            top = self._tops[index] - offset
            if -self._line < top < height:
                self._draw_row(pen, index, top, chosen=index == chosen)
        if offset > 0:
            self._draw_more(pen, 0, -1)
        if offset + height < self.height:
            self._draw_more(pen, height - self._px(14), 1)
        pen.rectangle((0, 0, self.width - 1, height - 1), outline=_BORDER)
        return image

    def _draw_row(self, pen: ImageDraw, index: int, top: int, *, chosen: bool) -> None:
        row = self.rows[index]
        if row.rule:
            middle = top + self._px(4)
            pen.line((self._px(8), middle, self.width - self._px(8), middle), fill=_RULE)
            return
        if chosen:
            pen.rectangle((self._px(3), top, self.width - self._px(4), top + self._line - 1), fill=_CHOSEN)
        ink = _CHOSEN_INK if chosen else _INK if row.enabled else _FAINT
        middle = top + self._line // 2
        pen.text((self._gutter, middle), self._labels[index], font=self._font, fill=ink, anchor="lm")
        if row.checked is not None:
            self._draw_mark(pen, row, middle, ink)
        if row.submenu is not None:
            x, half = self.width - self._px(13), self._px(4)
            pen.polygon([(x, middle - half), (x, middle + half), (x + half, middle)], fill=ink)

    def _draw_mark(self, pen: ImageDraw, row: Row, middle: int, ink: str) -> None:
        x, half = self._px(14), self._px(5)
        line = max(1, self._px(1.5))
        if row.radio:
            pen.ellipse(
                (x - half, middle - half, x + half, middle + half), outline=ink, width=max(1, self._px(1))
            )
            if row.checked:
                dot = self._px(2.5)
                pen.ellipse((x - dot, middle - dot, x + dot, middle + dot), fill=ink)
        elif row.checked:
            tick = [(x - half, middle), (x - half // 3, middle + half - 1), (x + half, middle - half + 1)]
            pen.line(tick, fill=ink, width=line, joint="curve")

    def _draw_more(self, pen: ImageDraw, top: int, direction: int) -> None:
        """A strip with an arrow: there is more in that direction."""
        pen.rectangle((0, top, self.width, top + self._px(14)), fill=_PAPER)
        x, middle, half = self.width // 2, top + self._px(7), self._px(4)
        base = middle - direction * half // 2
        pen.polygon([(x - half, base), (x + half, base), (x, base + direction * half)], fill=_INK)


@functools.cache
def font(pixels: int) -> FreeTypeFont:
    """Return the desktop's font for such texts; Pillow's own where that cannot be found out."""
    from PIL import ImageFont

    path = _font_file()
    if path:
        try:
            return ImageFont.truetype(path, pixels)
        except OSError:
            pass  # a kind FreeType does not read
    own = ImageFont.load_default(pixels)
    assert isinstance(own, ImageFont.FreeTypeFont)  # noqa: S101 - the wheels have FreeType
    return own


@functools.cache
def _font_file() -> str:
    """Ask fontconfig; empty when it is not there."""
    program = shutil.which("fc-match")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed question
            [program, "--format=%{file}", "sans-serif"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_FONT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()
