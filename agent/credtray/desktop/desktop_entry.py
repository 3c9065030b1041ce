"""Text of an XDG autostart entry and back (Desktop Entry Specification 1.5). Touches no file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from credtray.core.errors import AutostartRefused

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


def desktop_entry(command: Sequence[str], version: str) -> bytes:
    """Return the entry that starts *command* without a terminal and without the busy cursor.

    Raises:
        AutostartRefused: a part of the command cannot be used in such an entry.
    """
    lines = [
        GROUP,
        "Type=Application",
        "Name=credtray",
        "Comment=Keeps AWS IAM Identity Center credentials fresh",
        f"Exec={exec_value(command)}",
        f"TryExec={_string(command[0])}",
        "Icon=credtray",
        "Terminal=false",
        "StartupNotify=false",
        "X-GNOME-Autostart-enabled=true",
        f"{MARK}={version}",
    ]
    try:
        return ("\n".join(lines) + "\n").encode()
    except UnicodeEncodeError as error:
        raise AutostartRefused(f"the path {command[0]!a} is not UTF-8", hint=_OTHER_PATH) from error


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
