"""Serves a pystray menu as com.canonical.dbusmenu, and tells panels what changed: differences only.

Decides nothing about what is in the menu, and never raises for what a panel sends.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from dbus_fast import SignatureTree, Variant
from dbus_fast.signature import get_signature_tree

from credtray.desktop.bus.connection import BusObject, Interface, Method, Refusal
from credtray.desktop.bus.signals import carried

# A pystray menu as com.canonical.dbusmenu knows it: numbered items with properties, and what changed.
#
# Touches nothing: no bus, no loop. Labels and states are read from the menu once per rendering.


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


INTERFACE: Final = "com.canonical.dbusmenu"
PATH: Final = "/MenuBar"
_VERSION: Final = 3
_SIGNALS: Final = MappingProxyType(
    {
        "ItemsPropertiesUpdated": "a(ia{sv})a(ias)",
        "LayoutUpdated": "ui",
        "ItemActivationRequested": "iu",
    }
)
_PROPERTIES: Final = MappingProxyType(
    {"Version": "u", "TextDirection": "s", "Status": "s", "IconThemePath": "as"}
)


class Emitter(Protocol):
    """What we need of a connection to tell something."""

    def emit(
        self, path: str, interface: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> None:
        """Send a signal; nothing happens when the connection is gone."""
        ...


class DbusMenu:
    """One menu on the bus."""

    def __init__(
        self,
        menu: Callable[[], Any],
        clicked: Callable[[Any], None],
        before_show: Callable[[], None] = lambda: None,
    ) -> None:
        """``menu`` returns the present ``pystray.Menu`` or None; ``clicked`` takes the item chosen."""
        self._menu = menu
        self._clicked = clicked
        self._before_show = before_show
        self._renderer = Renderer()
        self._revision = 1
        self._emitter: Emitter | None = None
        self._object = BusObject(self._interface(), self._property)
        self.handle = self._object.handle
        """For ``Connection.export``."""

    def tell(self, emitter: Emitter | None) -> None:
        """Send the signals there from now on, or nowhere."""
        self._emitter = emitter

    def refresh(self) -> bool:
        """Read the menu again and tell what changed; return whether anything did."""
        before = self._layout
        changed = changes(before, self._renderer.render(self._menu()))
        self._tell(changed)
        return bool(changed)

    @property
    def _layout(self) -> Layout:
        return self._renderer.layout

    def _tell(self, changed: Changes) -> None:
        if changed.updated or changed.removed:
            updated = [[number, _variants(values)] for number, values in changed.updated.items()]
            removed = [[number, names] for number, names in changed.removed.items()]
            self._emit("ItemsPropertiesUpdated", updated, removed)
        if changed.parents:
            self._revision += 1
        for parent in changed.parents:
            self._emit("LayoutUpdated", self._revision, parent)

    def _emit(self, member: str, *body: Any) -> None:
        if self._emitter is not None:
            self._emitter.emit(PATH, INTERFACE, member, _SIGNALS[member], body)

    # --- what panels ask -----------------------------------------------------------------------------

    def _interface(self) -> Interface:
        methods = {
            "GetLayout": Method("iias", "u(ia{sv}av)", self._get_layout),
            "GetGroupProperties": Method("aias", "a(ia{sv})", self._get_group_properties),
            "GetProperty": Method("is", "v", self._get_property),
            "Event": Method("isvu", "", self._event),
            "EventGroup": Method("a(isvu)", "ai", self._event_group),
            "AboutToShow": Method("i", "b", self._about_to_show),
            "AboutToShowGroup": Method("ai", "aiai", self._about_to_show_group),
        }
        return Interface(INTERFACE, methods, _PROPERTIES, _SIGNALS)

    def _property(self, name: str) -> Any:
        values = {
            "Version": _VERSION,
            "TextDirection": "ltr",
            "Status": "normal",
            "IconThemePath": [],
        }
        return values[name]

    def _get_layout(self, number: int, depth: int, names: list[str]) -> Sequence[Any] | Refusal:
        if number not in self._layout:
            return _unknown(number)
        return [self._revision, self._branch(number, depth, frozenset(names))]

    def _branch(self, number: int, depth: int, names: frozenset[str]) -> list[Any]:
        node = self._layout[number]
        children = () if depth == 0 else node.children
        item = get_signature_tree("(ia{sv}av)")
        found = [Variant(item, self._branch(each, depth - 1, names), False) for each in children]
        return [number, _variants(node.properties, names), found]

    def _get_group_properties(self, numbers: list[int], names: list[str]) -> Sequence[Any]:
        """Unknown items are left out, and each is reported once; no items means all of them."""
        wanted: Iterable[int] = dict.fromkeys(numbers) or (ROOT, *below(self._layout, ROOT))
        only = frozenset(names)
        found = [
            [number, _variants(self._layout[number].properties, only)]
            for number in wanted
            if number in self._layout
        ]
        return [found]

    def _get_property(self, number: int, name: str) -> Sequence[Any] | Refusal:
        if number not in self._layout:
            return _unknown(number)
        if name not in SIGNATURES:
            return Refusal("InvalidArgs", f"no item has a property {name}")
        value = self._layout[number].properties.get(name, DEFAULTS[name])
        return [Variant(SIGNATURES[name], value)]

    def _event(self, number: int, kind: str, _data: Variant, _timestamp: int) -> Sequence[Any] | Refusal:
        if number not in self._layout:
            return _unknown(number)
        self._happened(number, kind)
        return []

    def _event_group(self, events: list[list[Any]]) -> Sequence[Any] | Refusal:
        strange = [number for number, *_ in events if number not in self._layout]
        if events and len(strange) == len(events):
            return _unknown(strange[0])
        for number, kind, *_ in events:
            if number in self._layout:
                self._happened(number, kind)
        return [strange]

    def _happened(self, number: int, kind: str) -> None:
        """Only clicks mean something to us; panels also tell what is opened, closed and hovered."""
        node = self._layout[number]
        if kind == "clicked" and node.item is not None and node.properties["enabled"] and not node.children:
            self._clicked(node.item)

    def _about_to_show(self, number: int) -> Sequence[Any] | Refusal:
        if number not in self._layout:
            return _unknown(number)
        return [self._fresh()]

    def _about_to_show_group(self, numbers: list[int]) -> Sequence[Any] | Refusal:
        strange = [number for number in numbers if number not in self._layout]
        if numbers and len(strange) == len(numbers):
            return _unknown(strange[0])
        changed = self._fresh()
        return [[number for number in numbers if changed and number not in strange], strange]

    def _fresh(self) -> bool:
        """Bring the menu up to date before somebody looks; return whether it changed."""
        self._before_show()
        return self.refresh()


def _unknown(number: int) -> Refusal:
    return Refusal("InvalidArgs", f"there is no item {number}")


def _variants(values: dict[str, Value], names: frozenset[str] = frozenset()) -> dict[str, Variant]:
    """Return properties as D-Bus carries them; of those that are named, or all when none is."""
    return {
        name: Variant(_trees()[name], value, False)
        for name, value in values.items()
        if not names or name in names
    }


@functools.cache
def _trees() -> dict[str, SignatureTree]:
    """Return the D-Bus types of properties, parsed once: a large menu has thousands."""
    return {name: get_signature_tree(signature) for name, signature in SIGNATURES.items()}
