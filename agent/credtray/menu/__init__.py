"""A menu as values, whatever draws it: labels are plain text, a click is a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from credtray.core.clicks import Click


class Kind(Enum):
    """How an item looks and behaves."""

    COMMAND = "command"
    CHECK = "check"
    RADIO = "radio"
    TEXT = "text"
    """Says something; cannot be clicked."""
    SUBMENU = "submenu"
    SEPARATOR = "separator"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a menu."""

    key: str
    """Its identity: the same item keeps it while label, check mark and place change. Unique in the menu."""
    kind: Kind
    label: str = ""
    click: Click | None = None
    checked: bool = False
    enabled: bool = True
    default: bool = False
    """True: a click on the icon itself means this one, where the panel passes such clicks on. One at most."""
    children: tuple[Item, ...] = ()
    room: int = 0
    """So many characters the label may grow to: panels lay an open menu out once, and clip what grows."""
