"""Writes a menu as text, one line for each item, with submenus opened; finds items in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from credtray.menu import Item, Kind
from credtray.menu.tray_view import TrayView

_RULE = "----"


def text_of(face: TrayView, closed: Collection[str] = ()) -> str:
    """The icon, the tooltip, then the menu: ``>`` opens, ``*`` is the default, ``~`` cannot be clicked.

    Of the submenus with these keys only the label is shown.
    """
    look = f"icon: {face.look.shape.value} {face.look.steps}"
    tooltip = [f"tooltip: {line}" for line in face.tooltip.splitlines()]
    return "\n".join([look, *tooltip, *(f"  {line}" for line in lines_of(face.menu, closed))])


def lines_of(items: Sequence[Item], closed: Collection[str] = ()) -> Iterator[str]:
    for item in items:
        yield f"{_sign(item)} {item.label}".rstrip() if item.kind is not Kind.SEPARATOR else _RULE
        if item.key not in closed:
            yield from (f"    {line}" for line in lines_of(item.children, closed))


def _sign(item: Item) -> str:
    check = "x" if item.checked else " "
    match item.kind:
        case Kind.CHECK:
            sign = f"[{check}]"
        case Kind.RADIO:
            sign = f"({check})"
        case Kind.TEXT:
            sign = "~"
        case Kind.SUBMENU:
            sign = ">"
        case Kind.COMMAND | Kind.SEPARATOR:
            sign = "-"
    return f"{sign}{'*' if item.default else ''}{'' if item.enabled else ' (off)'}"


def every(items: Sequence[Item]) -> Iterator[Item]:
    """All items, submenus included."""
    for item in items:
        yield item
        yield from every(item.children)


def menu_of(face: TrayView, key: str) -> Item:
    """The one item of that key."""
    (found,) = (item for item in every(face.menu) if item.key == key)
    return found


def labels(items: Sequence[Item]) -> list[str]:
    return [item.label for item in items]
