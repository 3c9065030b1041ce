"""Linux and the other free desktops: ``~/.config/autostart/credtray.desktop`` and the icon it names.

Replaces and removes only what carries credtray's mark. Source: Desktop Application Autostart Specification.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from credtray import __version__
from credtray.core.errors import AssetMissing, AutostartRefused
from credtray.desktop.assets import asset
from credtray.desktop.desktop_entry import (
    MARK,
    desktop_entry,
    exec_value,
    exec_words,
    read_keys,
    string_value,
)
from credtray.desktop.login_entry import Found
from credtray.desktop.login_entry.file import EntryFile

_log = logging.getLogger(__name__)

_ICONS = MappingProxyType(
    {
        "48x48/apps/credtray.png": "credtray-48.png",
        "128x128/apps/credtray.png": "credtray-128.png",
        "scalable/apps/credtray.svg": "credtray.svg",
    }
)
"""Below ``icons/hicolor`` -> file of assets/."""
_ICON_MARK = b"credtray"
"""Stands in each picture of ours: in the PNG's notes, and as the SVG's title."""
_HIDDEN = "it is turned off in the desktop's settings (Hidden=true)"
_NOT_STARTED = "it is turned off in the desktop's settings (X-GNOME-Autostart-enabled=false)"


@dataclass(frozen=True, slots=True)
class DesktopEntry:
    """Implements ``LoginEntry``."""

    config_home: Path
    data_home: Path

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> DesktopEntry:
        """Return the one of this user."""
        return cls(
            _base_directory(environ, "XDG_CONFIG_HOME", ".config"),
            _base_directory(environ, "XDG_DATA_HOME", ".local/share"),
        )

    @property
    def place(self) -> str:
        """The file."""
        return str(self._file.path)

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return the text of the file."""
        return desktop_entry(command, __version__)

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the value of ``Exec``."""
        return exec_value(command)

    def found(self) -> Found | None:
        """Return what stands in the file."""
        content = self._file.read()
        if content is None:
            return None
        keys = read_keys(content)
        program = keys.get("TryExec")
        return Found(
            content,
            ours=MARK in keys,
            starts=keys.get("Exec", ""),
            program=None if program is None else string_value(program),
            words=exec_words(keys.get("Exec", "")),
            switched_off=_switched_off(keys),
        )

    def write(self, content: bytes) -> None:
        """Write the file, then the icon; without the icon it starts all the same."""
        self._file.write(content)
        for path, name in _ICONS.items():
            icon = self._icon(path)
            try:
                kept = icon.read()
                if kept is None or _ICON_MARK in kept:
                    icon.write(asset(name))
            except (AutostartRefused, AssetMissing) as error:
                _log.warning("no icon for the autostart entry: %s", error)

    def remove(self) -> None:
        """Remove the file and the icon."""
        self._file.remove()
        for path in _ICONS:
            icon = self._icon(path)
            try:
                if _ICON_MARK in (icon.read() or b""):
                    icon.remove()
            except AutostartRefused as error:
                _log.warning("the icon of the autostart entry could not be removed: %s", error)

    @property
    def _file(self) -> EntryFile:
        return EntryFile(self.config_home / "autostart" / "credtray.desktop")

    def _icon(self, path: str) -> EntryFile:
        return EntryFile(self.data_home / "icons" / "hicolor" / path)


def _switched_off(keys: Mapping[str, str]) -> str | None:
    if keys.get("Hidden") == "true":
        return _HIDDEN
    if keys.get("X-GNOME-Autostart-enabled") == "false":
        return _NOT_STARTED
    return None


def _base_directory(environ: Mapping[str, str], name: str, default: str) -> Path:
    """Return a directory of the XDG Base Directory Specification: relative paths are to be ignored."""
    given = environ.get(name, "")
    return Path(given) if Path(given).is_absolute() else Path.home() / default
