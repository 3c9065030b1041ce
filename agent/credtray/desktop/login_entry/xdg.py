"""Linux and the other free desktops: the entries ``credtray.desktop`` and the icon they name.

One is in ``~/.config/autostart``, the other in the menu of applications. Replaces and removes only what
carries credtray's mark. Sources: Desktop Application Autostart and Desktop Menu Specification.
"""

from __future__ import annotations

import logging
import os
import re
import site
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from credtray import __version__
from credtray.core.errors import AssetMissing, AutostartRefused
from credtray.desktop.login_entry import EntryFile, Found
from credtray.desktop.paths import asset

# Text of an XDG autostart entry and back (Desktop Entry Specification 1.5). Touches no file.


GROUP = "[Desktop Entry]"
MARK = "X-Credtray-Version"
"""A key of ours: only entries that have it are replaced or removed."""

_RESERVED = frozenset(" \t\n\"'\\><~|&;$*?#()`")
"""An argument with one of these is quoted (section "The Exec key")."""
_ESCAPED_IN_QUOTES = re.compile(r'["`$\\]')
_ESCAPE = re.compile(r"\\(.)")
_WORD = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^ "]+)')
_MEANINGS = MappingProxyType({"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"})
_ENV = "/usr/bin/env"
_OTHER_PATH = "Install credtray at a path with plain characters."


_AT_LOGIN = ("X-GNOME-Autostart-enabled=true",)
_IN_MENU = ("Categories=Utility;", "Keywords=aws;sso;sign-in;credentials;identity center;tray;")


def desktop_entry(
    command: Sequence[str], version: str, more: Sequence[str] = _AT_LOGIN, needed: str | None = None
) -> bytes:
    """Return the entry that starts *command* without a terminal and without the busy cursor.

    Desktops pass over an entry whose *needed* program is not there: the command's own when not given.

    Raises:
        AutostartRefused: a part of the command cannot be used in such an entry.
    """
    lines = [
        GROUP,
        "Type=Application",
        "Name=credtray",
        "Comment=Keeps AWS IAM Identity Center credentials fresh",
        f"Exec={exec_value(command)}",
        f"TryExec={_string(command[0] if needed is None else needed)}",
        "Icon=credtray",
        "Terminal=false",
        "StartupNotify=false",
        *more,
        f"{MARK}={version}",
    ]
    try:
        return ("\n".join(lines) + "\n").encode()
    except UnicodeEncodeError as error:
        raise AutostartRefused(f"the path {command[0]!a} is not UTF-8", hint=_OTHER_PATH) from error


def menu_entry(command: Sequence[str], version: str, needed: str | None = None) -> bytes:
    """Return the entry of the menu of applications; raises as ``desktop_entry``. Packages use it, too."""
    return desktop_entry(command, version, _IN_MENU, needed)


def exec_value(command: Sequence[str]) -> str:
    """Return the value of ``Exec``: what each desktop takes apart into exactly these arguments again.

    Raises:
        AutostartRefused: a control character somewhere, or ``=`` in the program's path.
    """
    if "=" in command[0]:
        raise AutostartRefused(
            f"the path {command[0]} contains '=', which desktops refuse to start", hint=_OTHER_PATH
        )
    if "%" in command[0]:
        # GLib looks for the program before it makes one % of two, and finds none; arguments are no problem.
        command = (_ENV, *command)
    # Field codes, then quotes, then the escapes of every value: the desktop undoes them the other way round.
    return _string(" ".join(_quoted(argument.replace("%", "%%")) for argument in command))


def exec_words(value: str) -> tuple[str, ...]:
    """Return the arguments of a value of ``Exec``; field codes such as ``%U`` stay as they are."""
    quoted_or_not = (found["quoted"] or found["plain"] or "" for found in _WORD.finditer(string_value(value)))
    return tuple(_ESCAPE.sub(r"\1", word).replace("%%", "%") for word in quoted_or_not)


def _quoted(argument: str) -> str:
    if argument and not _RESERVED & set(argument):
        return argument
    escaped = _ESCAPED_IN_QUOTES.sub(r"\\\g<0>", argument)
    return f'"{escaped}"'


def _string(value: str) -> str:
    """Escape a value of type string; what is a line end to somebody is refused."""
    if any(ord(character) < ord(" ") or character in "\x7f\x85\u2028\u2029" for character in value):
        raise AutostartRefused(f"a control character in {value!a}", hint=_OTHER_PATH)
    escaped = value.replace("\\", "\\\\")
    return escaped[:-1] + r"\s" if escaped.endswith(" ") else escaped


def read_keys(content: bytes) -> Mapping[str, str]:
    """Return the keys of the entry with their values as written; no keys where it is no entry at all."""
    keys: dict[str, str] = {}
    group = ""
    for line in content.decode(errors="replace").split("\n"):
        text = line.strip()
        if text.startswith("["):
            group = text
        elif group == GROUP and not text.startswith("#"):
            key, equals, value = text.partition("=")
            if equals:
                keys.setdefault(key.rstrip(), value.lstrip())
    return keys


def string_value(value: str) -> str:
    """Return what a value of type string means."""
    return _ESCAPE.sub(lambda found: _MEANINGS.get(found[1], found[0]), value)


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
        return desktop_entry(command, __version__, needed=_script_beside(command[0]))

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
        put_icons(self.data_home)

    def remove(self) -> None:
        """Remove the file, and the icon unless the other entry needs it."""
        self._file.remove()
        if not os.path.lexists(_in_menu(self.data_home)):
            remove_icons(self.data_home)

    @property
    def _file(self) -> EntryFile:
        return EntryFile(_at_login(self.config_home))


@dataclass(frozen=True, slots=True)
class MenuEntry(DesktopEntry):
    """Implements ``LoginEntry`` for the menu of applications."""

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return the text of the file."""
        return menu_entry(command, __version__, _script_beside(command[0]))

    def remove(self) -> None:
        """Remove the file, and the icon unless the other entry needs it."""
        self._file.remove()
        if not os.path.lexists(_at_login(self.config_home)):
            remove_icons(self.data_home)

    @property
    def _file(self) -> EntryFile:
        return EntryFile(_in_menu(self.data_home))


def _at_login(config_home: Path) -> Path:
    return config_home / "autostart" / "credtray.desktop"


def _in_menu(data_home: Path) -> Path:
    return data_home / "applications" / "credtray.desktop"


def put_icons(data_home: Path) -> None:
    """Put the icon where desktops look for it; somebody else's of that name stays."""
    for path, name in _ICONS.items():
        icon = EntryFile(data_home / "icons" / "hicolor" / path)
        try:
            kept = icon.read()
            if kept is None or _ICON_MARK in kept:
                icon.write(asset(name))
        except (AutostartRefused, AssetMissing) as error:
            _log.warning("no icon for the desktop's entry: %s", error)


def remove_icons(data_home: Path) -> None:
    """Remove the icon, where it is ours."""
    for path in _ICONS:
        icon = EntryFile(data_home / "icons" / "hicolor" / path)
        try:
            if _ICON_MARK in (icon.read() or b""):
                icon.remove()
        except AutostartRefused as error:
            _log.warning("the icon of the desktop's entry could not be removed: %s", error)


def packaged_entry(environ: Mapping[str, str]) -> Path | None:
    """Return the entry of the menu that a package brought for everybody; None: there is none of ours."""
    folders = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for folder in folders.split(":"):
        path = Path(folder) / "applications" / "credtray.desktop"
        if not path.is_absolute():
            continue
        try:
            content = EntryFile(path).read()
        except AutostartRefused:
            continue
        if content is not None and MARK in read_keys(content):
            return path
    return None


def _script_beside(python: str) -> str | None:
    """Return the script `credtray` of an installation: it goes with the package, when Python may stay."""
    base = Path(site.getuserbase())
    folder = base / "bin" if Path(__file__).is_relative_to(base) else Path(python).parent
    script = folder / "credtray"
    return str(script) if script.is_file() and os.access(script, os.X_OK) else None


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
