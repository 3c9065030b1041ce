"""Reads which programs a systemd unit starts, and writes a command as a unit holds it. Pure.

Source: systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers"; systemd.syntax(7).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

_PREFIXES = "@-:+!|"
_CONTINUED = re.compile(r"\\\n(?:[ \t]*[#;][^\n]*\n)*")
_SPECIFIER = re.compile(r"%(.?)")
_HARMLESS = re.compile(r"[A-Za-z0-9_@+=:,./~-]+")


def started(text: str, home: str) -> Iterator[tuple[str, ...]]:
    """Yield the command of each ``ExecStart``; none whose words only systemd could fill in."""
    section = ""
    for line in _CONTINUED.sub(" ", text).splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped
        key, equals, value = stripped.partition("=")
        if section == "[Service]" and equals and key.rstrip() == "ExecStart":
            words = _words(value.strip(), home)
            if words:
                yield words


def _words(value: str, home: str) -> tuple[str, ...]:
    bare = value.lstrip(_PREFIXES)
    try:
        written = shlex.split(bare)
    except ValueError:
        return ()
    if "@" in value[: len(value) - len(bare)]:
        del written[1:2]  # the name that the program is told to have
    words = [_meant(word, home) for word in written]
    return () if None in words else tuple(word for word in words if word is not None)


def _meant(word: str, home: str) -> str | None:
    """Return what a word means; None when a variable, or more than the home directory, is to be filled in."""
    if {*_SPECIFIER.findall(word)} - {"h", "%"} or "$" in word.replace("$$", ""):
        return None
    return _SPECIFIER.sub(lambda found: home if found[1] == "h" else "%", word).replace("$$", "$")


def exec_start(command: Sequence[str]) -> str:
    """Return the command as the value of ``ExecStart``."""
    return " ".join(map(_word, command))


def _word(word: str) -> str:
    if _HARMLESS.fullmatch(word):
        return word
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"'
