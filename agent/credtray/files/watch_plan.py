"""Which directories must be watched so that no change to a set of files is missed, whoever makes it how.

Only looks at the file system; watches nothing itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LEVELS = 2
"""How far up a replaced directory is noticed outside the home directory: the file and what it lies in."""
_MOST_LINKS = 8
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "fuse.sshfs", "fuse.rclone", "vboxsf", "prl_fs", "drvfs")
_MOUNT_POINT = 4
"""Its place among the fields of a line."""


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """What to watch, in real paths."""

    directories: frozenset[tuple[str, int, int]]
    """Existing directories: path, device, inode. A directory that was replaced makes another plan."""
    entries: frozenset[str]
    """The names in them that matter: the files, links on the way, and the directories above."""


def plan(files: Iterable[Path], home: Path) -> WatchPlan:
    """Return the plan for these files as the file system is now; the files need not exist.

    Args:
        files: absolute or relative to the working directory.
        home: below it every directory may be replaced, above it nothing is watched: /tmp and / are never
            silent.
    """
    top = _real(home) or home
    entries = frozenset(entry for file in files for entry in _entries(_absolute(file), top, _MOST_LINKS))
    return WatchPlan(
        frozenset(_identities({entry.parent for entry in entries})), frozenset(map(str, entries))
    )


def signature(entries: Iterable[str]) -> dict[str, tuple[int, ...] | None]:
    """Return what changes when an entry does, for systems that tell nothing by themselves."""
    return {entry: _stamp(Path(entry)) for entry in entries}


def remote_kind(mountinfo: str, directory: str) -> str | None:
    """Return the type of the network file system that holds a directory, or None for a local one.

    Changes made by another computer raise no inotify event (inotify(7), limitations).

    Args:
        mountinfo: the text of /proc/self/mountinfo (proc(5)).
        directory: a real path.
    """
    longest, kind = "", ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = _mount_point(before)
        if len(point) >= len(longest) and (directory + "/").startswith(point.rstrip("/") + "/"):
            longest, kind = point, after.partition(" ")[0]
    return kind if kind.startswith(_REMOTE) else None


def _mount_point(before: str) -> str:
    fields = before.split(" ")
    return fields[_MOUNT_POINT].replace("\\040", " ") if len(fields) > _MOUNT_POINT else "/"


def _absolute(file: Path) -> Path:
    return Path(os.path.abspath(file))  # noqa: PTH100 -- resolve() would follow the very link we look for


def _real(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a circle of links; RuntimeError before Python 3.13
        return None


def _entries(path: Path, top: Path, links: int) -> Iterator[Path]:
    level = 0
    while path.name and links > 0:
        directory = _real(path.parent)
        level += 1
        if directory is not None and directory.is_dir():
            entry = directory / path.name
            yield entry
            yield from _behind(entry, top, links)
            if directory == top or (level >= _LEVELS and not directory.is_relative_to(top)):
                return
        path = path.parent


def _behind(entry: Path, top: Path, links: int) -> Iterator[Path]:
    try:
        target = entry.readlink()
    except OSError:
        return
    yield from _entries(_absolute(entry.parent / target), top, links - 1)


def _identities(directories: Iterable[Path]) -> Iterator[tuple[str, int, int]]:
    for directory in directories:
        try:
            found = directory.stat()
        except OSError:
            continue  # gone since; the entry above it will tell when it comes back
        yield str(directory), found.st_dev, found.st_ino


def _stamp(entry: Path) -> tuple[int, ...] | None:
    try:
        found = entry.lstat()
    except OSError:
        return None
    if entry.is_dir():
        return found.st_dev, found.st_ino  # its times change with every file in it that is none of ours
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
