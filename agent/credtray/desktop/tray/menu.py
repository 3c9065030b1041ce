"""Turns a menu of values into pystray's menu.

Decides nothing about what is in the menu; a click only hands its value over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from credtray.core.clicks import Click
from credtray.core.menu import Item, Kind
from credtray.desktop.pystray_import import load_pystray

Clicked = Callable[[Click], None]
"""Takes a click and returns at once; called on whatever thread the back-end uses."""

_WIDE_BLANK = "\N{FIGURE SPACE}"
"""As wide as a digit, and so no narrower than a letter is on average."""
_CHECKABLE = (Kind.CHECK, Kind.RADIO)


class TrayMenu:
    """Makes one menu after another, and keeps the branches that did not change: 500 profiles are 4000 items.

    Items carry their ``key``, separators do not. An item that cannot be clicked is shown disabled.
    """

    def __init__(self, clicked: Clicked, *, ampersands: bool = False) -> None:
        """``ampersands`` doubles each ``&``, which Windows takes for the mark of a mnemonic."""
        self._clicked = clicked
        self._ampersands = ampersands
        self._branches: dict[str, tuple[Item, Any]] = {}
        """By key, of the last menu's own items: what each was made from, and the item of pystray."""
        self._last: Any = None

    def menu(self, items: Iterable[Item]) -> Any:
        """Return a ``pystray.Menu``; the same object as before when nothing has changed."""
        branches: dict[str, tuple[Item, Any]] = {}
        for item in items:
            before = self._branches.get(item.key)
            if before is None or before[0] != item:
                before = (item, self._item(item))
            branches[item.key] = before
        made = [each for _, each in branches.values()]
        if self._last is None or made != [each for _, each in self._branches.values()]:
            self._last = load_pystray().Menu(*made)
        self._branches = branches
        return self._last

    def _item(self, item: Item) -> Any:
        if item.kind is Kind.SEPARATOR:
            return load_pystray().Menu.SEPARATOR
        label = item.label.replace("&", "&&") if self._ampersands else item.label
        label = label.ljust(item.room, _WIDE_BLANK)
        submenu = None
        if item.kind is Kind.SUBMENU:
            submenu = load_pystray().Menu(*(self._item(child) for child in item.children))
        return _value_item_class()(item, label, submenu, self._clicked)


@functools.cache
def _value_item_class() -> Any:
    menu_item: Any = load_pystray().MenuItem

    class ValueItem(menu_item):  # type: ignore[misc]  # pystray has no types
        """A ``pystray.MenuItem`` of plain values; pystray's own calls a function for whatever it is asked."""

        fixed = True  # to back-ends: the same object is the same menu
        text = checked = radio = default = visible = enabled = submenu = None

        def __init__(self, item: Item, label: str, submenu: Any, clicked: Clicked) -> None:
            self.key = item.key
            self.text = self.__name__ = label
            self.checked = item.checked if item.kind in _CHECKABLE else None
            self.radio = item.kind is Kind.RADIO
            self.default = item.default
            self.visible = submenu is None or bool(item.children)
            can_be_used = submenu is not None or (item.click is not None and item.kind is not Kind.TEXT)
            self.enabled = item.enabled and can_be_used
            self.submenu = self._action = submenu
            self._click = item.click
            self._clicked = clicked

        def __call__(self, _icon: object) -> None:
            if self._click is not None:
                self._clicked(self._click)

    return ValueItem
