"""A popup menu on an X server: X trays have no menus, so their icons bring their own.

Everything here runs on the thread of the connection. Decides nothing: the chosen item is handed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from credtray.desktop.x11.menu_sheet import Row, Sheet, rows_of
from credtray.desktop.x11.picture import DEPTHS, put
from credtray.desktop.x11.screen import Area, dots_per_inch, monitor_at

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

    sheet: Sheet
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
        sheet = Sheet(rows, dots_per_inch(self._display))
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

    def _show(self, sheet: Sheet, area: Area) -> None:
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
        sheet = Sheet(rows_of(row.submenu), dots_per_inch(self._display))
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
