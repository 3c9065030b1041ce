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

from agent.desktop.bus_text import carried

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


class Numbers:
    """Gives the same item the same number again, and never one number to two items.

    An item with a ``key`` is the same as long as its key, its kind and the item above it are; another one as
    long as its place is. The item above counts because Qt's importer deletes an item that moves to another
    submenu, and the kind because GTK's makes the widget of an item only once.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}
        self._used: dict[Hashable, int] = {}
        self._fresh = itertools.count(ROOT + 1)

    def begin(self) -> None:
        """Begin a rendering: what does not occur in it again is forgotten."""
        self._known, self._used = self._used, {}

    def number(self, identity: Hashable) -> int | None:
        """Return the item's number; None when it occurred in this rendering already."""
        if identity in self._used:
            return None
        number = self._known.get(identity)
        if number is None:
            number = next(self._fresh)
        self._used[identity] = number
        return number


def render(menu: Any, numbers: Numbers) -> Layout:
    """Read a ``pystray.Menu`` (or None: an empty one) into a layout.

    What is not visible and separators without neighbours are left out, as ``pystray.Menu`` documents it.
    """
    numbers.begin()
    layout: Layout = {}
    children = () if menu is None else _render_children(menu, ROOT, numbers, layout)
    # Without children-display some panels (libdbusmenu's) show no menu at all.
    layout[ROOT] = Node({"children-display": "submenu"}, children)
    return layout


def _render_children(menu: Any, above: int, numbers: Numbers, layout: Layout) -> tuple[int, ...]:
    found: list[int] = []
    separators = 0
    separate = False
    for place, item in enumerate(menu.items):
        if item is menu.SEPARATOR:
            separate = bool(found)
            continue
        number = _render_item(item, (above, place), numbers, layout)
        if number is None:
            continue
        if separate:
            separate = False
            separators += 1
            line = _number((above, "separator", separators), numbers)
            layout[line] = Node(_SEPARATOR)
            found.append(line)
        found.append(number)
    return tuple(found)


def _render_item(item: Any, place: tuple[int, int], numbers: Numbers, layout: Layout) -> int | None:
    """Add an item and what is below it; return its number, or None when it is not visible."""
    submenu = item.submenu
    # The public property would go through the whole branch once more at each of its levels.
    if not (item.visible if submenu is None else item._visible(item)):  # noqa: SLF001 - see above
        return None
    number = _item_number(item, place, submenu is not None, numbers)
    children: tuple[int, ...] = ()
    if submenu is not None:
        children = _render_children(submenu, number, numbers, layout)
        if not children:
            return None
    layout[number] = Node(_properties(item, bool(children)), children, item)
    return number


def _item_number(item: Any, place: tuple[int, int], is_submenu: bool, numbers: Numbers) -> int:  # noqa: FBT001 - private
    key = getattr(item, "key", None)
    if key is not None:
        number = numbers.number((place[0], "key", key, is_submenu))
        if number is not None:
            return number
    return _number((*place, is_submenu), numbers)


def _number(identity: Hashable, numbers: Numbers) -> int:
    """Return the number of something whose identity cannot occur twice in one rendering."""
    return numbers.number(identity) or ROOT


def _properties(item: Any, is_submenu: bool) -> dict[str, Value]:  # noqa: FBT001 - private
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
    """Return how to get from one layout to the other; items that are new are told by their parents."""
    updated: dict[int, dict[str, Value]] = {}
    removed: dict[int, list[str]] = {}
    parents: list[int] = []
    for number, node in after.items():
        old = before.get(number)
        if old is None:
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
