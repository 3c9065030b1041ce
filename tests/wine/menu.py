"""The agent's menu on Wine's taskbar: told by its pixels, used with the mouse.

Knows nothing about what is tested.
"""

from __future__ import annotations

from collections.abc import Sequence

from credtray import __version__
from credtray.core.forms import Form
from credtray.menu import Item, Kind
from credtray.menu.tray_menu import Extras
from credtray.menu.tray_view import face
from tests.core.making import NOON, signed_in
from tests.end_to_end.house import ROLES, until
from tests.on_a_desktop.menus import lines_drawn
from tests.on_a_desktop.screen import Area
from tests.wine.desk import ELSEWHERE, ICON, Desk

LEFT, RIGHT = 1, 3


def lines_of_the_menu() -> tuple[Item, ...]:
    """The agent's own menu for three profiles of one session, signed in; words differ, lines do not."""
    state = signed_in(*ROLES)
    return face(state, NOON, None, Extras(False, __version__, Form.POWERSHELL)).menu


class Menu:
    """The open menu: which line is where."""

    def __init__(self, desk: Desk, button: int) -> None:
        self.desk = desk
        desk.screen.click(*ICON.centre, button)
        desk.screen.move(*ELSEWHERE)
        self.area = desk.opened("the menu")
        self.lines = lines_of_the_menu()

    def choose(self, *path: str) -> None:
        """Click through the menu; each step names the beginning of a label."""
        area, lines = self.area, self.lines
        for word in path[:-1]:
            line = self._click(area, lines, word)
            area, lines = self.desk.opened(word, beside=area), line.children
        self._click(area, lines, path[-1])
        until(self.desk.is_bare)

    def open(self, word: str) -> Area:
        """Open a submenu of the menu; return where it is."""
        self._click(self.area, self.lines, word)
        return self.desk.opened(word, beside=self.area)

    def _click(self, area: Area, lines: Sequence[Item], word: str) -> Item:
        [line] = [each for each in lines if each.label.startswith(word)]
        self.desk.screen.click(*self._place(area, lines, line))
        return line

    def _place(self, area: Area, lines: Sequence[Item], line: Item) -> tuple[int, int]:
        labels = [each.label for each in lines if each.kind is not Kind.SEPARATOR]
        bands = lines_drawn(self.desk.screen, area, len(labels))
        assert len(labels) == len(bands), f"the menu has {labels}, drawn are {len(bands)} lines"
        top, bottom = bands[labels.index(line.label)]
        return area.left + area.width // 2, area.top + (top + bottom) // 2

    def close(self) -> None:
        """Click elsewhere."""
        self.desk.screen.click(*ELSEWHERE)
        until(self.desk.is_bare)
