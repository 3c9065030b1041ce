"""Tells when one of the shared files may have changed: any edit, rename, deletion or new directory.

Reads no file. Costs nothing while nothing happens, except where the system cannot tell and it has to look.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

# Which directories must be watched so that no change to a set of files is missed, whoever makes it how.
#
# Only looks at the file system; watches nothing itself.


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


def plan(files: Iterable[Path], home: Path, *, trees: bool = False) -> WatchPlan:
    """Return the plan for these files as the file system is now; the files need not exist.

    Args:
        files: absolute or relative to the working directory.
        home: below it every directory may be replaced, above it nothing is watched: /tmp and / are never
            silent.
        trees: the system watches a directory with all that is below it, and tells when it is moved away
            itself. Then the nearest directories that exist are enough, and the home directory, in which
            every program writes all the time, is only watched while there is none in it.
    """
    top = _real(home) or home
    found = {pair for file in files for pair in _entries(_absolute(file), top, _MOST_LINKS)}
    entries = {entry for entry, _ in found}
    directories = {entry.parent for entry, is_near in found if is_near or not trees}
    if trees:
        directories = {each for each in directories if directories.isdisjoint(each.parents)}
    return WatchPlan(frozenset(_identities(directories)), frozenset(map(str, entries)))


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


def _entries(path: Path, top: Path, links: int, *, near: bool = True) -> Iterator[tuple[Path, bool]]:
    """Yield the names on the way, from the file upwards, and whether each is in the nearest directory."""
    level = 0
    while path.name and links > 0:
        directory = _real(path.parent)
        level += 1
        if directory is not None and directory.is_dir():
            entry = directory / path.name
            yield entry, near
            yield from _behind(entry, top, links, near=near)
            near = False
            if directory == top or (level >= _LEVELS and not directory.is_relative_to(top)):
                return
        path = path.parent


def _behind(entry: Path, top: Path, links: int, *, near: bool) -> Iterator[tuple[Path, bool]]:
    try:
        target = entry.readlink()
    except OSError:
        return
    yield from _entries(_absolute(entry.parent / target), top, links - 1, near=near)


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


_log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.1
"""Changes within this time are reported once: writers do several things to a file at a time."""
POLL_SECONDS = 2.0
"""How often to look where the system does not tell."""
_RETRY_POLLS = 30
_TREES_SECONDS = 300.0
"""How often to look for what a watched tree does not tell: that a link above it leads elsewhere now."""
_KINDS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]
"""Not opening and closing: our own reading would wake us."""
_MOUNTS = Path("/proc/self/mountinfo")


class FileWatch:
    """Watches a set of files from a thread of its own."""

    def __init__(
        self,
        changed: Callable[[], None],
        home: Path | None = None,
        *,
        poll_seconds: float = POLL_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
        trees: bool | None = None,
        trees_seconds: float = _TREES_SECONDS,
    ) -> None:
        """``trees``: see ``plan``; None: on macOS, whose FSEvents does so."""
        self._changed = changed
        """Called from the watching thread."""
        self._home = home or Path.home()
        self._trees = sys.platform == "darwin" if trees is None else trees
        self._unheard_seconds = trees_seconds if self._trees else None
        self._poll_seconds = poll_seconds
        self._settle_seconds = settle_seconds
        self._files: frozenset[Path] = frozenset()
        self._poked = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._observer: BaseObserver | None = None
        self._plan = WatchPlan(frozenset(), frozenset())
        self._seen: Mapping[str, object] = {}
        self._replaced = False
        self.polling: str | None = None
        """Why the files are looked at every few seconds; None when the system tells."""

    def watch(self, files: Iterable[Path]) -> None:
        """Watch these files from now on, existing or not; ``changed`` is called once they are watched."""
        wanted = frozenset(files)
        if wanted != self._files:
            self._files = wanted
            self._poked.set()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="file watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; returns when no more call of ``changed`` can come."""
        self._stopping.set()
        self._poked.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._woken() and not self._stopping.wait(self._settle_seconds):
                self._poked.clear()
                self._plan_again()
                self._seen = signature(self._plan.entries) if self.polling else {}
                self._tell()
        self._stop_observer()

    def _woken(self) -> bool:
        """Wait until there is something to tell; False when it is time to look around for other reasons."""
        if self.polling is None:
            return self._poked.wait(self._unheard_seconds) or self._planned() != self._plan
        for _ in range(_RETRY_POLLS):
            if self._poked.wait(self._poll_seconds) or signature(self._plan.entries) != self._seen:
                return True
        self._plan_again()  # perhaps there are descriptors to be had again
        return False

    def _tell(self) -> None:
        try:
            self._changed()
        except Exception:  # noqa: BLE001 -- the watch must outlive whoever listens to it
            _log.exception("a file change could not be reported")

    def _planned(self) -> WatchPlan:
        return plan(self._files, self._home, trees=self._trees)

    def _plan_again(self) -> None:
        wanted = self._planned()
        replaced, self._replaced = self._replaced, False
        if wanted == self._plan and not replaced and self.polling is None:
            return
        previous, self._observer, self._plan = self._observer, None, wanted
        reason = self._observe(wanted)
        if reason is not None and self.polling is None:
            _log.warning("%s Checking the files every %g s instead.", reason, self._poll_seconds)
        self.polling = reason
        _end(previous)
        if self._planned() != wanted:
            self._happened(structure=True)  # something was replaced while we were about to watch it

    def _observe(self, wanted: WatchPlan) -> str | None:
        """Begin to observe; return why that is not possible, or None."""
        directories = [path for path, _, _ in wanted.directories]
        kind = next(filter(None, (remote_kind(_mounts(), path) for path in directories)), None)
        if kind is not None:
            return f"The files are on a network file system ({kind})."
        try:
            observer = Observer()
        except OSError as error:
            return f"Files cannot be watched: {error.strerror}."
        try:
            observer.start()
            for path in directories:
                self._schedule(observer, path, wanted.entries)
        except (OSError, RuntimeError) as error:  # RuntimeError: no more threads
            _end(observer)
            return f"Files cannot be watched: {error}."
        self._observer = observer
        return None

    def _schedule(self, observer: BaseObserver, directory: str, entries: frozenset[str]) -> None:
        try:
            handler = _Handler(entries, self._happened)
            observer.schedule(handler, directory, recursive=self._trees, event_filter=_KINDS)
        except PermissionError:
            _log.debug("%s cannot be watched", directory)  # far above the files: its entries will not change
        except FileNotFoundError:
            self._happened(structure=True)  # removed meanwhile

    def _happened(self, *, structure: bool) -> None:
        self._replaced = self._replaced or structure
        self._poked.set()

    def _stop_observer(self) -> None:
        _end(self._observer)
        self._observer = None


class _Handler(FileSystemEventHandler):
    """Lets through what concerns our entries."""

    def __init__(self, entries: frozenset[str], happened: Callable[..., None]) -> None:
        self._entries = entries
        self._happened = happened

    def on_any_event(self, event: FileSystemEvent) -> None:
        if {event.src_path, event.dest_path} & self._entries:
            self._happened(structure=event.is_directory)


def _end(observer: BaseObserver | None) -> None:
    if observer is not None:
        observer.stop()
        if observer.is_alive():
            observer.join()


def _mounts() -> str:
    try:
        return _MOUNTS.read_text(errors="replace")
    except OSError:
        return ""
