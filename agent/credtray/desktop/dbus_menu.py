"""Serves a pystray menu as com.canonical.dbusmenu, and tells panels what changed: differences only.

Decides nothing about what is in the menu, and never raises for what a panel sends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from dbus_fast import SignatureTree, Variant
from dbus_fast.signature import get_signature_tree

from credtray.desktop.bus.object import BusObject, Interface, Method, Refusal
from credtray.desktop.dbus_menu_layout import (
    DEFAULTS,
    ROOT,
    SIGNATURES,
    Changes,
    Layout,
    Renderer,
    Value,
    below,
    changes,
)

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
