"""A popup menu on an X server: X trays have no menus, so their icons bring their own.

Everything here runs on the thread of the connection. Decides nothing: the chosen item is handed over.
"""

from __future__ import annotations

import functools
import logging
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credtray.desktop.x11.thread import DEPTHS, Area, dots_per_inch, monitor_at, put

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont


# One level of a popup menu as a picture: where its rows are, and how they look.
#
# Pure but for reading a font; knows no X server.


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


class MenuLevel:
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


_log = logging.getLogger(__name__)

_LEFT, _RIGHT, _WHEEL_UP, _WHEEL_DOWN = 1, 3, 4, 5
_WHEEL_ROWS = 3
_DRAG_MILLISECONDS = 400
"""A button released so soon belongs to the click that opened the menu."""
_EDGE = 14
"""Pixels of the strips that show there is more."""


@dataclass(slots=True)
class _Level:
    """One open menu: the first one, or a submenu beside the row it belongs to."""

    sheet: MenuLevel
    window: Any
    gc: Any
    area: Area
    chosen: int | None = None
    offset: int = 0

    def holds(self, x: int, y: int) -> bool:
        return self.area.holds(x, y)

    def row_at(self, y: int) -> int | None:
        return self.sheet.row_at(y - self.area.y + self.offset)

    def scroll(self, offset: int) -> None:
        self.offset = max(0, min(offset, self.sheet.height - self.area.height))

    def bring_into_view(self, index: int) -> None:
        """Scroll no further than that row needs."""
        top, end = self.sheet.top(index), self.sheet.top(index + 1)
        if top < self.offset + _EDGE:
            self.scroll(top - _EDGE)
        elif end > self.offset + self.area.height - _EDGE:
            self.scroll(end - self.area.height + _EDGE)


class PopupMenu:
    """One menu from its opening to its end. Keys and mouse are ours as long as it is open."""

    def __init__(self, display: Any, chosen: Callable[[Any], None]) -> None:
        self._display = display
        self._screen = display.screen()
        self._took = chosen
        self._levels: list[_Level] = []
        self._opened_at = 0
        self._pressed = False

    def open(self, menu: Any, x: int, y: int, time: int) -> None:
        """Show the menu at a place of the screen; ``time`` is the click's, in the server's milliseconds."""
        self.close()
        rows = rows_of(menu)
        if not rows or self._screen.root_depth not in DEPTHS:
            return
        monitor = monitor_at(self._display, x, y)
        sheet = MenuLevel(rows, dots_per_inch(self._display))
        height = min(sheet.height, monitor.height)
        top = y if y < monitor.y + monitor.height // 2 else y - height
        self._show(sheet, Area(x, top, sheet.width, height).moved_into(monitor))
        self._opened_at, self._pressed = time, False
        if not self._grab(time):
            _log.info("the menu could not be opened: another program has grabbed the mouse or keyboard")
            self.close()

    def close(self) -> None:
        """Take it from the screen; mouse and keyboard are everybody's again."""
        from Xlib import X

        if self._levels:
            self._display.ungrab_pointer(X.CurrentTime)
            self._display.ungrab_keyboard(X.CurrentTime)
        self._close_below(0)

    def handle(self, event: Any) -> None:
        """Take an event that is not the icon's."""
        from Xlib import X

        if not self._levels:
            return
        match event.type:
            case X.Expose:
                self._expose(event.window)
            case X.MotionNotify:
                self._point(event.root_x, event.root_y)
            case X.ButtonPress:
                self._press(event)
            case X.ButtonRelease:
                self._release(event)
            case X.KeyPress:
                self._key(self._display.keycode_to_keysym(event.detail, 0))

    # --- windows ---------------------------------------------------------------------------------------

    def _grab(self, time: int) -> bool:
        from Xlib import X

        window = self._levels[0].window
        mouse = X.ButtonPressMask | X.ButtonReleaseMask | X.PointerMotionMask
        way = X.GrabModeAsync
        pointer = window.grab_pointer(False, mouse, way, way, X.NONE, X.NONE, time)
        keyboard = window.grab_keyboard(False, way, way, time)
        return bool(pointer == X.GrabSuccess and keyboard == X.GrabSuccess)

    def _show(self, sheet: MenuLevel, area: Area) -> None:
        from Xlib import X

        window = self._screen.root.create_window(
            area.x,
            area.y,
            area.width,
            area.height,
            0,
            self._screen.root_depth,
            X.InputOutput,
            self._screen.root_visual,
            override_redirect=True,
            save_under=True,
            event_mask=X.ExposureMask,
        )
        window.set_wm_class("credtray-menu", "credtray")
        atom = self._display.intern_atom
        kind = [atom("_NET_WM_WINDOW_TYPE_POPUP_MENU")]
        window.change_property(atom("_NET_WM_WINDOW_TYPE"), atom("ATOM"), 32, kind)
        window.map()
        self._levels.append(_Level(sheet, window, window.create_gc(), area))
        self._paint(self._levels[-1])

    def _close_below(self, depth: int) -> None:
        while len(self._levels) > depth:
            self._levels.pop().window.destroy()

    def _paint(self, level: _Level) -> None:
        picture = level.sheet.picture(level.chosen, level.offset, level.area.height)
        put(level.window, level.gc, picture, self._screen.root_depth)

    def _expose(self, window: Any) -> None:
        for level in self._levels:
            if level.window == window:
                self._paint(level)

    # --- choosing ----------------------------------------------------------------------------------------

    def _depth_at(self, x: int, y: int) -> int | None:
        """Return which level is there, the topmost first."""
        found = [depth for depth, level in enumerate(self._levels) if level.holds(x, y)]
        return found[-1] if found else None

    def _point(self, x: int, y: int) -> None:
        depth = self._depth_at(x, y)
        if depth is not None:
            self._choose(depth, self._levels[depth].row_at(y), opening=True)

    def _choose(self, depth: int, index: int | None, *, opening: bool = False) -> None:
        """Mark a row; a submenu opens beside it, and those of other rows close."""
        level = self._levels[depth]
        if index is not None and not level.sheet.rows[index].reachable:
            index = None
        if index != level.chosen:
            level.chosen = index
            self._close_below(depth + 1)
            self._paint(level)
        if opening and index is not None and len(self._levels) == depth + 1:
            self._open_submenu(level, index)

    def _open_submenu(self, level: _Level, index: int) -> bool:
        row = level.sheet.rows[index]
        if row.submenu is None:
            return False
        monitor = monitor_at(self._display, level.area.x, level.area.y)
        sheet = MenuLevel(rows_of(row.submenu), dots_per_inch(self._display))
        x = level.area.x + level.area.width - 2
        if x + sheet.width > monitor.x + monitor.width:
            x = level.area.x - sheet.width + 2
        top = level.area.y + level.sheet.top(index) - level.offset - level.sheet.top(0)
        area = Area(x, top, sheet.width, min(sheet.height, monitor.height))
        self._show(sheet, area.moved_into(monitor))
        return True

    def _take(self, row: Row) -> None:
        self.close()
        self._took(row.item)

    # --- the mouse ---------------------------------------------------------------------------------------

    def _press(self, event: Any) -> None:
        depth = self._depth_at(event.root_x, event.root_y)
        if depth is None:
            self.close()
        elif event.detail in {_WHEEL_UP, _WHEEL_DOWN}:
            rows = -_WHEEL_ROWS if event.detail == _WHEEL_UP else _WHEEL_ROWS
            self._scroll(depth, rows)
            self._point(event.root_x, event.root_y)
        else:
            self._pressed = True

    def _release(self, event: Any) -> None:
        long_enough = event.time - self._opened_at > _DRAG_MILLISECONDS
        if event.detail not in {_LEFT, _RIGHT} or not (self._pressed or long_enough):
            return
        depth = self._depth_at(event.root_x, event.root_y)
        if depth is None:
            return
        level = self._levels[depth]
        index = level.row_at(event.root_y)
        row = level.sheet.rows[index] if index is not None else None
        if row is not None and row.reachable and row.submenu is None:
            self._take(row)

    def _scroll(self, depth: int, rows: int) -> None:
        level = self._levels[depth]
        line = level.sheet.top(1) - level.sheet.top(0)
        level.scroll(level.offset + rows * line)
        self._close_below(depth + 1)
        self._paint(level)

    # --- the keyboard ------------------------------------------------------------------------------------

    def _key(self, keysym: int) -> None:
        from Xlib import XK

        match keysym:
            case XK.XK_Escape:
                self.close()
            case XK.XK_Up | XK.XK_Down:
                self._step(-1 if keysym == XK.XK_Up else 1)
            case XK.XK_Left:
                self._close_below(max(1, len(self._levels) - 1))
            case XK.XK_Right:
                self._enter(submenus_only=True)
            case XK.XK_Return | XK.XK_KP_Enter | XK.XK_space:
                self._enter()

    def _step(self, step: int) -> None:
        level = self._levels[-1]
        index = level.sheet.next_row(level.chosen, step)
        if index is not None:
            level.bring_into_view(index)
            self._choose(len(self._levels) - 1, index)

    def _enter(self, *, submenus_only: bool = False) -> None:
        """Open the submenu of the marked row and mark its first, or take the row."""
        level = self._levels[-1]
        if level.chosen is None:
            return
        if self._open_submenu(level, level.chosen):
            self._step(1)
        elif not submenus_only:
            self._take(level.sheet.rows[level.chosen])
