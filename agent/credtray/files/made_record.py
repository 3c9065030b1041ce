"""Remembers what was not there before credtray, so that `credtray uninstall` leaves a home as it was.

One line of JSON for each folder that credtray made and each shared file that it edited, in ``made.jsonl`` in
credtray's own state directory. Lines are only ever added: no lock is needed, and a torn one is passed over.
Nothing that credtray does may fail because this cannot be written: then a folder stays, empty.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

NAME = "made.jsonl"
_OWN = "credtray"
"""The name of every directory of ours; what lies in one of them goes with it."""
_LIMIT = 1024 * 1024
"""Bytes that are read; a line has a hundred."""


@dataclass(frozen=True, slots=True)
class FileBefore:
    """A shared file as it was before credtray first edited it."""

    existed: bool = True
    mode: int | None = None
    """The mode it had, where credtray has narrowed it to 0600."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the record says."""

    directories: tuple[Path, ...] = ()
    """Folders outside of our own that credtray made, in that order."""
    files: Mapping[Path, FileBefore] = field(default_factory=dict)
    """The shared files that credtray has edited, as they were."""

    def before(self, path: Path) -> FileBefore | None:
        """Return what a file was before; None: it was never edited, or before this record was kept."""
        return self.files.get(path)


def place() -> Path:
    """Return the directory of the record: our state directory, as ``desktop.paths`` names it."""
    import platformdirs  # only who makes a folder pays for it

    return platformdirs.user_state_path(_OWN, appauthor=False)


def read(*records: Path) -> Made:
    """Return what these files record; nothing where there is none, or none that can be read."""
    directories: dict[Path, None] = {}
    files: dict[Path, FileBefore] = {}
    for line in chain.from_iterable(map(_lines, records)):
        if isinstance(made := line.get("directory"), str):
            directories[Path(made)] = None
        elif isinstance(edited := line.get("file"), str):
            path = Path(edited)
            files[path] = _folded(files.get(path, FileBefore()), line)
    return Made(tuple(directories), files)


def note_directories(directory: Path, made: Iterable[Path]) -> None:
    """Record folders that are about to be made; those of our own need no record."""
    known = set(read(directory / NAME).directories)
    new = [path for path in made if path not in known and not _is_own(path, directory)]
    _append(directory, [{"directory": str(path)} for path in new])


def note_file(directory: Path, path: Path, *, existed: bool, mode: int | None) -> None:
    """Record what a shared file is before it is replaced; *mode* only where that is about to be narrowed."""
    before = read(directory / NAME).before(path)
    if not existed:
        _append(directory, [{"file": str(path), "existed": False}])
    elif mode is not None:
        _append(directory, [{"file": str(path), "mode": mode}])
    elif before is None:
        _append(directory, [{"file": str(path)}])


def _folded(before: FileBefore, line: Mapping[str, Any]) -> FileBefore:
    if line.get("existed") is False:
        return FileBefore(existed=False)
    mode = line.get("mode")
    return replace(before, mode=stat.S_IMODE(mode)) if isinstance(mode, int) else before


def _is_own(path: Path, directory: Path) -> bool:
    """Tell whether it is, or lies in, a directory of ours; a home may be called credtray, too."""
    if path == directory or directory in path.parents:
        return True
    home = Path.home()
    inside = path.relative_to(home) if path.is_relative_to(home) else path
    return _OWN in inside.parts


def _lines(record: Path) -> list[Mapping[str, Any]]:
    try:
        descriptor = os.open(record, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _binary())
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return []
        data = file.read(_LIMIT)
    found: list[Mapping[str, Any]] = []
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                found.append(entry)
    return found


def _append(directory: Path, entries: list[dict[str, Any]]) -> None:
    if not entries:
        return
    # A line end in front, too: what a power cut has torn off must not take the next line with it.
    text = "".join(f"\n{json.dumps(entry)}" for entry in entries) + "\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | _binary()
    with suppress(OSError):
        descriptor = os.open(directory / NAME, flags, 0o600)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _binary() -> int:
    return getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
