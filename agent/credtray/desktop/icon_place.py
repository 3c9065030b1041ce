"""Where a person finds the icon, or why there is none, in words. Pure."""

from __future__ import annotations

from sys import platform
from types import MappingProxyType

_PLACES = MappingProxyType(
    {
        ("win32", "pystray"): "in the taskbar, next to the clock (perhaps behind the ^)",
        ("darwin", "pystray"): "in the menu bar",
        ("linux", "status_notifier"): "in your panel",
        ("linux", "xembed"): "in the tray of your panel",
    }
)
"""By system and back-end of the tray."""
_SYSTEM = platform if platform in {"win32", "darwin"} else "linux"


def no_icon_notice(reason: str) -> tuple[str, str]:
    """Return title and body of the one notice for who sees no icon, and perhaps waits for it."""
    sentence = f"{reason[:1].upper()}{reason[1:]}."
    rest = "Everything else works: notices come here, and `credtray open` shows how things are."
    return "credtray is running, but without an icon", f"{sentence} {rest}"


def icon_words(back_end: str | None, reason: str | None) -> str:
    """Return the sentence for what an agent says of its tray."""
    if back_end is not None:
        return f"Its icon is {_PLACES.get((_SYSTEM, back_end), 'on your desktop')}."
    return f"It has no icon: {reason or 'your desktop has not answered yet'}."
