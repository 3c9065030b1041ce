"""Looks at the systemd units in this user's home directory for one that starts a credtray which is gone.

Touches nothing, and asks systemd nothing: what it says is true of the files, whatever was loaded. What a
person added to a unit (``*.service.d/*.conf``) counts as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from credtray.core.errors import AutostartRefused, CredtrayError
from credtray.core.own_commands import own_start
from credtray.core.shell_words import command_words
from credtray.desktop.autostart import agent_command
from credtray.doctor.collect_files import spoken_path
from credtray.doctor.evidence import OldUnit
from credtray.files.atomic_file import read_bounded

_LARGEST = 64 * 1024
"""Bytes of a unit that is read."""
_MOST = 200
"""Units that are read."""


def old_units(environ: Mapping[str, str], home: Path) -> tuple[OldUnit, ...]:
    """Return the units of this user that start a credtray which is not there any more."""
    given = Path(environ.get("XDG_CONFIG_HOME", ""))
    folder = (given if given.is_absolute() else home / ".config") / "systemd" / "user"
    try:
        command = exec_start(agent_command())
    except AutostartRefused:
        return ()
    found = ((path, _reason(path, home)) for path in islice(_files(folder), _MOST))
    return tuple(
        OldUnit(spoken_path(path, home), _unit(path), reason, command)
        for path, reason in found
        if reason is not None
    )


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.service"))
    yield from sorted(folder.glob("*.service.d/*.conf"))


def _unit(path: Path) -> str:
    return path.name if path.suffix == ".service" else path.parent.name.removesuffix(".d")


def _reason(path: Path, home: Path) -> str | None:
    try:
        content = read_bounded(path, _LARGEST) or b""
    except CredtrayError:
        return None
    for words in started(content.decode(errors="replace"), str(home)):
        command = own_start(words)
        reason = None if command is None else command.outdated(os.path.lexists)
        if reason is not None:
            return reason
    return None


# What a unit says: which programs it starts, and a command as it holds one. Pure.
#
# Source: systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers"; systemd.syntax(7).


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
        written = command_words(bare, windows=False)
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
