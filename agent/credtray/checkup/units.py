"""Looks at the systemd units in this user's home directory for one that starts a credtray which is gone.

Touches nothing, and asks systemd nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from credtray.checkup.files import spoken_path
from credtray.core.diagnosis.facts import OldUnit
from credtray.core.errors import AutostartRefused, CredtrayError
from credtray.core.own_commands import exec_start, own_start, started
from credtray.desktop.autostart import agent_command
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
