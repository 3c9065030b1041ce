"""Names that everybody on a message bus knows. Nothing else: who uses them imports no D-Bus for it."""

from __future__ import annotations

from typing import Final

DAEMON: Final = "org.freedesktop.DBus"
"""The bus itself: its name, and the name of its interface."""
DAEMON_PATH: Final = "/org/freedesktop/DBus"
ERRORS: Final = f"{DAEMON}.Error"
"""The bus's own errors have names below this one."""
INTROSPECTABLE: Final = f"{DAEMON}.Introspectable"
PROPERTIES: Final = f"{DAEMON}.Properties"

WATCHER: Final = "org.kde.StatusNotifierWatcher"
"""Owned by panels that show StatusNotifier icons: its name, and the name of its interface."""
