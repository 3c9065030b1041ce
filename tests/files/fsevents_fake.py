"""watchdog's C extension for macOS, as far as its Python part uses it: FSEvents, played by looking often.

A stream tells of all that happens below its directory, however deep (Apple, File System Events Programming
Guide): what is made, removed, renamed or written, each with its inode, and that the directory itself is gone.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

# FSEvents.h
_ROOT_CHANGED, _CREATED, _REMOVED, _RENAMED, _MODIFIED, _IS_DIRECTORY = (
    0x20,
    0x100,
    0x200,
    0x800,
    0x1000,
    0x20000,
)
_LOOK_SECONDS = 0.01

Callback = Callable[[list[str], list[int], list[int], list[int]], None]
Seen = dict[str, tuple[int, int, int, bool]]
"""Path -> inode, time of the last change, size, whether it is a directory."""


@dataclass(frozen=True)
class NativeEvent:
    """One event of the kernel, its flags taken apart."""

    path: str
    inode: int
    flags: int
    event_id: int

    is_inode_meta_mod: ClassVar = False
    is_xattr_mod: ClassVar = False
    is_owner_change: ClassVar = False

    def __getattr__(self, name: str) -> bool:
        flag = {
            "is_root_changed": _ROOT_CHANGED,
            "is_created": _CREATED,
            "is_removed": _REMOVED,
            "is_renamed": _RENAMED,
            "is_modified": _MODIFIED,
            "is_directory": _IS_DIRECTORY,
        }[name]
        return bool(self.flags & flag)


class Stream:
    """One stream on one directory; ``run`` blocks until ``stop``."""

    watched: ClassVar[list[str]] = []
    """The directories of the streams that run."""

    def __init__(self, paths: list[str], latency: float) -> None:
        [self._root] = paths
        self._stopped = threading.Event()

    def run(self, callback: Callback, started: Callable[[], None]) -> None:
        before = _seen(self._root)
        inode = os.stat(self._root).st_ino  # noqa: PTH116 - a str, as it is compared below
        self.watched.append(self._root)
        started()
        while not self._stopped.wait(_LOOK_SECONDS):
            now = _seen(self._root)
            events = list(_changes(before, now))
            if _inode(self._root) != inode:
                events.append((self._root, inode, _ROOT_CHANGED | _IS_DIRECTORY))
                inode = _inode(self._root)
            if events:
                paths, inodes, flags = (list(each) for each in zip(*events, strict=True))
                callback(paths, inodes, flags, list(range(len(events))))
            before = now
        self.watched.remove(self._root)

    def stop(self) -> None:
        self._stopped.set()


def _inode(path: str) -> int:
    try:
        return Path(path).lstat().st_ino
    except OSError:
        return 0


def _seen(root: str) -> Seen:
    seen: Seen = {}
    for directory, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = f"{directory}/{name}"
            try:
                found = os.lstat(path)
            except OSError:
                continue
            seen[path] = (found.st_ino, found.st_mtime_ns, found.st_size, stat.S_ISDIR(found.st_mode))
    return seen


def _changes(before: Seen, now: Seen) -> Iterator[tuple[str, int, int]]:
    """Yield path, inode and flags; of a directory that was moved only itself, and not what is in it."""
    was = {inode: path for path, (inode, *_) in before.items()}
    stays = {inode: path for path, (inode, *_) in now.items()}
    moved = {was[inode] for inode in was if inode in stays and stays[inode] != was[inode]}
    for path, (inode, _, _, is_directory) in before.items():
        if now.get(path, (0,))[0] != inode and not moved.intersection(map(str, Path(path).parents)):
            yield path, inode, (_RENAMED if path in moved else _REMOVED) | is_directory * _IS_DIRECTORY
    for path, (inode, changed, size, is_directory) in now.items():
        known = before.get(path)
        kind = is_directory * _IS_DIRECTORY
        if known is None or known[0] != inode:
            if was.get(inode) not in {None, path}:
                yield path, inode, _RENAMED | kind
            else:
                yield path, inode, _CREATED | (0 if is_directory else _MODIFIED) | kind
        elif not is_directory and (changed, size) != known[1:3]:
            yield path, inode, _MODIFIED
