"""A pystray menu as com.canonical.dbusmenu knows it: numbered items with properties, and what changed.

Touches nothing: no bus, no loop. Labels and states are read from the menu once per rendering.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from credtray.desktop.bus.text import carried

ROOT: Final = 0
"""The number of the menu itself."""

Value = str | bool | int

SIGNATURES: Final = MappingProxyType(
    {
        "type": "s",
        "label": "s",
        "enabled": "b",
        "visible": "b",
        "icon-name": "s",
        "toggle-type": "s",
        "toggle-state": "i",
        "children-display": "s",
    }
)
"""The properties of an item and their D-Bus types (libdbusmenu's dbus-menu.xml)."""
DEFAULTS: Final[MappingProxyType[str, Value]] = MappingProxyType(
    {
        "type": "standard",
        "label": "",
        "enabled": True,
        "visible": True,
        "icon-name": "",
        "toggle-type": "",
        "toggle-state": -1,
        "children-display": "",
    }
)
"""What a property is that an item does not have."""

_SEPARATOR: Final[dict[str, Value]] = {"type": "separator"}
_LONGEST_LABEL: Final = 500
"""Characters; a panel draws the whole of it."""
_BLANKS: Final = re.compile(r"[\t-\r]")


class Node(NamedTuple):
    """One item as the panel sees it."""

    properties: dict[str, Value]
    children: tuple[int, ...] = ()
    item: Any = None
    """The ``pystray.MenuItem``; None for the root and for separators."""
    identity: Hashable = None
    """What its number was given for."""


Layout = dict[int, Node]
"""By number; ``ROOT`` is always there, and so is every child of what is there."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a panel has to be told to get from one layout to another."""

    updated: dict[int, dict[str, Value]]
    """New values of items that stay."""
    removed: dict[int, list[str]]
    """Properties that items which stay have no longer."""
    parents: list[int]
    """Items that stay and have other children, or the same in another order."""

    def __bool__(self) -> bool:
        return bool(self.updated or self.removed or self.parents)


class Renderer:
    """Reads menus into layouts; the same item keeps its number, and no number is given to two items.

    An item with a ``key`` is the same as long as its key, its kind and the item above it are; another one as
    long as its place is. The item above counts because Qt's importer deletes an item that moves to another
    submenu, and the kind because GTK's makes the widget of an item only once.

    An item with a true ``fixed`` promises that nothing in it or below it changes while it is the same object:
    it is read once, which makes a menu of thousands cheap. A menu of the same fixed items is not read again.
    """

    def __init__(self) -> None:
        self.layout: Layout = {ROOT: _root(())}
        """The latest one."""
        self._before: Layout = {}
        self._known: dict[Hashable, int] = {}
        self._used: dict[Hashable, int] = {}
        self._fresh = itertools.count(ROOT + 1)
        self._fixed: tuple[Any, ...] | None = None
        """All items of the latest menu, where nothing in it changes while they are the same."""

    def render(self, menu: Any) -> Layout:
        """Read a ``pystray.Menu`` (or None: an empty one).

        What is not visible and separators without neighbours are left out, as ``pystray.Menu`` documents it.
        """
        fixed = _fixed_items(menu)
        if fixed is not None and fixed == self._fixed:  # panels may ask again and again
            return self.layout
        self._fixed = fixed
        self._before, self.layout = self.layout, {}
        self._known, self._used = self._used, {}
        self.layout[ROOT] = _root(() if menu is None else self._children(menu, ROOT))
        return self.layout

    def _children(self, menu: Any, above: int) -> tuple[int, ...]:
        found: list[int] = []
        separators = 0
        separate = False
        for place, item in enumerate(menu.items):
            if item is menu.SEPARATOR:
                separate = bool(found)
                continue
            number = self._item(item, above, place)
            if number is None:
                continue
            if separate:
                separate = False
                separators += 1
                found.append(self._separator((above, "separator", separators)))
            found.append(number)
        return tuple(found)

    def _separator(self, identity: Hashable) -> int:
        number = self._number(identity)
        self.layout[number] = Node(_SEPARATOR, identity=identity)
        return number

    def _item(self, item: Any, above: int, place: int) -> int | None:
        """Add an item and what is below it; return its number, or None when it is not visible."""
        if not item.visible:
            return None
        submenu = item.submenu
        identity: Hashable = (above, "key", getattr(item, "key", None), submenu is not None)
        if not hasattr(item, "key") or identity in self._used:
            identity = (above, place, submenu is not None)
        number = self._number(identity)
        old = self._before.get(number)
        if old is not None and old.item is item and getattr(item, "fixed", False):
            self._keep(number)
            return number
        children: tuple[int, ...] = ()
        if submenu is not None:
            children = self._children(submenu, number)
            if not children:
                return None
        self.layout[number] = Node(_properties(item, is_submenu=bool(children)), children, item, identity)
        return number

    def _number(self, identity: Hashable) -> int:
        number = self._known.get(identity)
        if number is None:
            number = next(self._fresh)
        self._used[identity] = number
        return number

    def _keep(self, number: int) -> None:
        """Take over a branch as it was."""
        node = self.layout[number] = self._before[number]
        self._used[node.identity] = number
        for child in node.children:
            self._keep(child)


def _fixed_items(menu: Any) -> tuple[Any, ...] | None:
    """Return the items of a menu in which everything is fixed; None for any other."""
    items = () if menu is None else tuple(menu.items)
    if all(item is menu.SEPARATOR or getattr(item, "fixed", False) for item in items):
        return items
    return None


def _root(children: tuple[int, ...]) -> Node:
    # Without children-display some panels (libdbusmenu's) show no menu at all.
    return Node({"children-display": "submenu"}, children)


def _properties(item: Any, *, is_submenu: bool) -> dict[str, Value]:
    properties: dict[str, Value] = {"label": label(item.text), "enabled": bool(item.enabled)}
    if is_submenu:
        properties["children-display"] = "submenu"
        return properties
    checked = item.checked
    if checked is not None:
        properties["toggle-type"] = "radio" if item.radio else "checkmark"
        properties["toggle-state"] = int(bool(checked))
    return properties


def label(text: str) -> str:
    """Return a text as a label that shows just this text: an underscore would underline the next letter.

    What D-Bus cannot carry (NUL, unpaired surrogates) is replaced; a label has one line.
    """
    clean = _BLANKS.sub(" ", carried(str(text)))
    if len(clean) > _LONGEST_LABEL:
        clean = clean[: _LONGEST_LABEL - 1] + "…"
    return clean.replace("_", "__")


def changes(before: Layout, after: Layout) -> Changes:
    """Return how to get from one layout to the other; new items are announced by their parents."""
    updated: dict[int, dict[str, Value]] = {}
    removed: dict[int, list[str]] = {}
    parents: list[int] = []
    if after is before:
        return Changes(updated, removed, parents)
    for number, node in after.items():
        old = before.get(number)
        if old is None or old is node:
            continue
        if old.properties != node.properties:
            new = {key: value for key, value in node.properties.items() if old.properties.get(key) != value}
            gone = [key for key in old.properties if key not in node.properties]
            if new:
                updated[number] = new
            if gone:
                removed[number] = gone
        if old.children != node.children:
            parents.append(number)
    return Changes(updated, removed, parents)


def below(layout: Layout, number: int, depth: int = -1) -> Iterator[int]:
    """Yield the items below one, level by level up to ``depth`` (-1: all)."""
    if depth == 0:
        return
    for child in layout[number].children:
        yield child
        yield from below(layout, child, depth - 1)
