"""A menu item of pystray with a key, its lasting identity, made as pystray's own is."""

from __future__ import annotations

from typing import Any

from credtray.desktop.tray.painting import load_pystray

menu_item: Any = load_pystray().MenuItem


class KeyedItem(menu_item):  # type: ignore[misc]  # pystray has no types
    def __init__(self, key: str | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
