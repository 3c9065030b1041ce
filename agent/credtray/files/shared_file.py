"""THE one writer of the AWS files that credtray shares with programs that know nothing of it.

Knows INI files only as far as to tell a whole one from a half one; what to change is the caller's transform.
It never writes in place, never copies over a file, never holds on to a lost race: it starts over, bounded.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from credtray.core import ini
from credtray.core.errors import CredtrayError, FileContended, FileUnparsable
from credtray.files import made_record
from credtray.files.atomic_file import (
    LEFTOVER_PREFIX,
    Draft,
    check_replaceable,
    is_null,
    opened,
    write_atomically,
)
from credtray.files.directory_safety import is_there, make_directory, resolve, translated
from credtray.files.file_lock import FileLock
from credtray.files.in_the_way import unsupported
from credtray.files.open_directory import OpenDirectory, RealWaiter, Waiter
from credtray.files.settling import Snapshot, Stamp, open_for_writing, settled, settled_text, stamp_at

# One attempt to replace a shared file, and the watch over those who were writing it at the same moment.
#
# Holds no memory between edits; see ``shared_file`` for the whole.


Transform = Callable[[bytes], bytes]

WATCH_SECONDS = 0.25
"""How long the replaced file is watched for a writer that had opened it before we replaced it."""
_WRITER_SECONDS = 2.5
"""How long it is watched while a program has it open for writing: as long as Windows is asked again."""
_WATCH_PAUSE = 0.025
_MAX_MERGES = 8
_MAX_REAPPLIED = 2  # more would be a fight with a program that puts its own version back
_PRIVATE = 0o600
_OTHERS = 0 if sys.platform == "win32" else 0o177
"""The permission bits that a file with secrets should not have; on Windows they say nothing about it."""


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """What an edit did."""

    changed: bool
    created: bool = False
    """There was no file before."""
    tightened_from: int | None = None
    """The mode the file had, when it was wider than 0600 and is 0600 now."""
    merged_late_write: bool = False
    """Another program wrote at the same moment; its text was taken over."""
    backup: Path | None = None
    """Where the user's file was put before our very first edit, if this was it."""
    rescued: Path | None = None
    """Where a late writer's text was put because it could not be taken over."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is wanted of a replacement."""

    transform: Transform
    secret: bool
    """The result holds secrets: nobody else may read it."""
    on_replaced: Callable[[], None] | None
    backup: Path
    """Where the file goes, once, before the first replacement ever."""


class Replacement:
    """Replaces the file once; ``run`` returns None when somebody else was faster."""

    def __init__(
        self,
        directory: OpenDirectory,
        target: Path,
        change: Change,
        waiter: Waiter,
        read: Callable[[], Snapshot],
    ) -> None:
        self._directory = directory
        self._target = target
        self._change = change
        self._waiter = waiter
        self._read = read
        self._outcome = EditOutcome(changed=False)
        self._open: list[Snapshot] = []
        self._orphans: dict[int, Snapshot] = {}
        self.result: bytes | None = None
        """What was last put in place by us."""
        self.left: Stamp | None = None
        """The stamp of that file."""

    def run(self) -> EditOutcome | None:
        """Read, transform, replace, watch. None: start over, nothing was written.

        Raises:
            OSError: nothing was written, or (after ``result`` is set) only the directory was not synced.
            CredtrayError: see ``SharedFile.edit``.
        """
        try:
            base = self._held(self._read())
            after = self._transformed(base.data)
            if after == base.data:
                return self._outcome
            self._keep_backup(base)
            current = self._replaced(base, after)
            if current is None:
                return None
            if self._change.on_replaced is not None:
                self._change.on_replaced()
            self._watch(base, current)
        finally:
            for snapshot in self._open:
                snapshot.close()
        return self._outcome

    def _held(self, snapshot: Snapshot) -> Snapshot:
        self._open.append(snapshot)
        return snapshot

    def _transformed(self, data: bytes) -> bytes:
        problem = ini.parse_problem(data)
        if problem is not None:
            raise FileUnparsable(f"{self._target}, line {problem.line}: {problem.text}")
        after = self._change.transform(data)
        ini.verify(data, after)
        return after

    def _keep_backup(self, base: Snapshot) -> None:
        if not is_there(self._change.backup):
            write_atomically(self._change.backup, base.data, waiter=self._waiter)
            self._outcome = replace(self._outcome, backup=self._change.backup)

    def _replaced(self, base: Snapshot, after: bytes) -> Snapshot | None:
        """Put *after* in the place of *base*; None when the file is no longer *base*."""
        found = check_replaceable(self._directory, self._target)
        mode = _PRIVATE if found is None else stat.S_IMODE(found.st_mode)
        tightened = mode if self._change.secret and mode & _OTHERS else None
        if tightened is not None:
            mode = _PRIVATE
        self._record(existed=base.stamp is not None, tightened=tightened)
        with Draft(self._directory) as draft:
            draft.fill(after, mode, base.group)
            if not draft.exchange(self._target.name, lambda: self._stamp() == base.stamp):
                return None
            self.result = after
            current = self._opened(draft.keep_open(), after)
            self.left = current.stamp
        self._outcome = replace(
            self._outcome,
            changed=True,
            created=self._outcome.created or base.stamp is None,
            tightened_from=self._outcome.tightened_from or tightened,
        )
        return current

    def _record(self, *, existed: bool, tightened: int | None) -> None:
        """Note what the file was, so that uninstalling can leave it so; once for each edit."""
        if self.result is None:
            place = self._change.backup.parent
            made_record.note_file(place, self._target, existed=existed, mode=tightened)

    def _opened(self, fd: int, data: bytes) -> Snapshot:
        found = os.fstat(fd) if fd >= 0 else self._directory.stat(self._target.name)
        return self._held(Snapshot(data, Stamp.of(found), stat.S_IMODE(found.st_mode), found.st_gid, fd))

    def _watch(self, base: Snapshot, current: Snapshot) -> None:
        """Look after writers that opened the old file before, or the new one right after, it was replaced."""
        self._orphan(base)
        merges, reapplied = 0, 0
        begun = self._waiter.monotonic()
        end = begun + WATCH_SECONDS
        while self._waiter.monotonic() < end or self._writer_since(begun):
            self._waiter.sleep(_WATCH_PAUSE)
            late = next((old for old in self._orphans.values() if _written_to(old)), None)
            if late is not None and merges < _MAX_MERGES:
                merges += 1
                text = settled_text(late.fd, self._target, self._waiter)
                self._orphan(replace(late, data=text, stamp=Stamp.of(os.fstat(late.fd))))
                newer = self._merged(late.data, text, current, only=late is base and merges == 1)
            elif self._stamp() != current.stamp and reapplied < _MAX_REAPPLIED:
                reapplied += 1
                merges = max(merges, 1)
                newer = self._reapplied()
            else:
                continue
            if _inode(newer) != _inode(current) and _inode(current) not in self._orphans:
                self._orphan(current)  # somebody put a third file in its place
            current = newer
            end = self._waiter.monotonic() + WATCH_SECONDS

    def _writer_since(self, begun: float) -> bool:
        """Tell whether to wait longer for a program that has a replaced file open and has not written yet."""
        if self._waiter.monotonic() >= begun + _WRITER_SECONDS:
            return False
        return any(old.fd >= 0 and open_for_writing(old.fd) for old in self._orphans.values())

    def _orphan(self, old: Snapshot) -> None:
        """Watch a file that has been replaced, from the state in *old* on."""
        self._orphans[_inode(old)] = old

    def _stamp(self) -> Stamp | None:
        return stamp_at(self._directory, self._target.name)

    def _merged(self, base: bytes, late: bytes, current: Snapshot, *, only: bool) -> Snapshot:
        """Take a late writer's text over into the file; return what is in place afterwards.

        *base* is what the late writer began with. When it is the *only* one so far, its text is taken whole,
        comments and all; later ones, or a file changed by others meanwhile, are merged by sections.
        """
        if not late or late == base:
            return current  # only truncated or touched: the file as we wrote it has everything
        try:
            for _ in range(_MAX_MERGES):
                there = current if self._stamp() == current.stamp else self._held(self._read())
                whole = only and there is current
                newer = self._put(there, late if whole else ini.carried_over(base, late, there.data))
                if newer is not None:
                    return newer
        except CredtrayError:
            pass
        rescued = self._change.backup.with_name(f"{self._target.name}.credtray-rescued")
        write_atomically(rescued, late, waiter=self._waiter)
        self._outcome = replace(self._outcome, rescued=rescued)
        return current

    def _reapplied(self) -> Snapshot:
        """Run the transform on what somebody put in the place of our file; return what is in place now."""
        there = self._held(self._read())
        try:
            newer = self._put(there, there.data)
        except CredtrayError:
            return there  # broken or refused by now: the next edit will say so
        return there if newer is None else newer

    def _put(self, there: Snapshot, start: bytes) -> Snapshot | None:
        after = self._transformed(start)
        if after == there.data:
            return there
        newer = self._replaced(there, after)
        if newer is not None:
            self._orphan(there)
            self._outcome = replace(self._outcome, merged_late_write=True)
        return newer


def _inode(snapshot: Snapshot) -> int:
    return 0 if snapshot.stamp is None else snapshot.stamp.inode


def _written_to(old: Snapshot) -> bool:
    return old.fd >= 0 and Stamp.of(os.fstat(old.fd)) != old.stamp


__all__ = ["EditOutcome", "SharedFile"]

_VANISHED_SECONDS = 2.0
_VANISHED_PAUSE = 0.05
_EDIT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the file looked like last time: sections do not vanish, nor does a file break, by themselves."""

    names: frozenset[str] = frozenset()
    broken: bool = False

    def doubts(self, now: _Seen) -> bool:
        return not self.names <= now.names or (now.broken and not self.broken)


class SharedFile:
    """An INI file that others edit too.

    Args:
        path: as the user names it; may be a symbolic link or not exist yet.
        lock_directory: an own directory for lock files; created 0700.
        backup_directory: where ``<name>.credtray-backup`` is kept, made once before the very first edit.
        fallback_lock_directory: for file systems without locks (see ``FileLock``).
        waiter: time, injected by tests.
    """

    def __init__(
        self,
        path: Path,
        lock_directory: Path,
        *,
        backup_directory: Path,
        fallback_lock_directory: Path | None = None,
        waiter: Waiter | None = None,
    ) -> None:
        self.path = path
        self._lock_directory = lock_directory
        self._backup_directory = backup_directory
        self._fallback = fallback_lock_directory
        self._waiter: Waiter = waiter if waiter is not None else RealWaiter()
        self._seen = _Seen()
        self._left: Stamp | None = None
        """The stamp of what we put in place last."""

    @property
    def backup_path(self) -> Path:
        """Where the file as it was before our first edit is kept (empty when there was none)."""
        return self._backup_directory / f"{self.path.name}.credtray-backup"

    def read(self) -> bytes:
        """Return the content at a quiet moment, b"" when there is no file.

        Takes at least 20 ms; up to 2 s when sections have just vanished, the file has just become unparsable
        or is empty, since it is then probably being written.

        Raises:
            FileContended, FileRefused, FileUnwritable: see ``settling.settled``.
        """
        target = resolve(self.path)
        if not is_there(target.parent) or is_null(target):
            return b""
        with opened(target.parent, self._waiter) as directory:
            if directory.left_aside(target.name) is not None:
                with self._lock(target):
                    self._mend(directory, target)
            snapshot = self._trusted(directory, target)
        snapshot.close()
        return snapshot.data

    def edit(
        self,
        transform: Transform,
        *,
        secret: bool,
        on_replaced: Callable[[], None] | None = None,
    ) -> EditOutcome:
        """Put ``transform(content)`` in the place of the content; write nothing when they are equal.

        *transform* may run several times: whenever another program changed the file meanwhile. *on_replaced*
        runs once, as soon as the new content is in place; the call itself returns about 250 ms later, having
        watched for writers that were late. With *secret* a file that others may read becomes 0600.

        Raises:
            FileUnparsable: botocore refuses the file as it is; nothing is written into it.
            FileContended: another program keeps changing it, or another credtray process keeps the lock.
            FileRefused, FileUnwritable: see ``atomic_file.write_atomically``.
            IniRefused: the transform made a file that botocore could not read.
        """
        target = resolve(self.path)
        deadline = self._waiter.monotonic() + _EDIT_SECONDS
        change = Change(transform, secret, on_replaced, self.backup_path)
        with self._lock(target):
            while self._waiter.monotonic() < deadline:
                outcome = self._attempt(change)
                if outcome is not None:
                    return outcome
        raise FileContended(f"{self.path} changed each time it was about to be replaced")

    def remove_if_empty(self) -> bool:
        """Remove the file when nothing is in it, and tell whether this has been done.

        Raises:
            FileContended, FileRefused, FileUnwritable: it is as it was.
        """
        with self._held() as (directory, target, snapshot):
            if snapshot.stamp is None or snapshot.data:
                return False
            with translated(target, "removing"):
                return self._removed(directory, target, snapshot)

    def widen(self, mode: int, contents: Collection[bytes]) -> bool:
        """Give a file that we narrowed its former mode again, if it holds one of these; tell whether it does.

        Raises:
            FileContended, FileRefused, FileUnwritable: it is as it was.
        """
        with self._held() as (_directory, target, snapshot):
            if snapshot.fd < 0 or snapshot.data not in contents or snapshot.mode != _PRIVATE:
                return False  # whoever has changed it since may have a reason to keep it private
            with translated(target, "changing the mode of"), unsupported():
                _set_mode(snapshot.fd, mode)
            return True

    @contextmanager
    def _held(self) -> Iterator[tuple[OpenDirectory, Path, Snapshot]]:
        target = resolve(self.path)
        with self._lock(target), opened(target.parent, self._waiter) as directory:
            snapshot = self._trusted(directory, target)
            try:
                yield directory, target, snapshot
            finally:
                snapshot.close()

    def _removed(self, directory: OpenDirectory, target: Path, empty: Snapshot) -> bool:
        """Give the empty file another name, look whether a late writer still fills it, then remove it."""
        aside = f"{LEFTOVER_PREFIX}{os.urandom(8).hex()}.tmp"
        if not directory.replace(target.name, aside, lambda: stamp_at(directory, target.name) == empty.stamp):
            return False
        self._waiter.sleep(WATCH_SECONDS)
        if directory.stat(aside).st_size == 0 and not (empty.fd >= 0 and open_for_writing(empty.fd)):
            directory.unlink(aside)
            return True
        if not directory.replace(aside, target.name, lambda: stamp_at(directory, target.name) is None):
            rescued = self.backup_path.with_name(f"{target.name}.credtray-rescued")
            write_atomically(rescued, settled_text(empty.fd, target, self._waiter))
            directory.unlink(aside)
        return False

    def _lock(self, target: Path) -> FileLock:
        digest = hashlib.sha256(str(target).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        lock = self._lock_directory / f"{target.name}-{digest}.lock"
        return FileLock(lock, fallback=self._fallback, waiter=self._waiter)

    def _mend(self, directory: OpenDirectory, target: Path) -> None:
        """Undo what a crash in the middle of a replacement left; called with the lock held."""
        aside = directory.left_aside(target.name)
        if aside is None:
            return
        with translated(target, "putting back"):
            if directory.replace(aside, target.name, lambda: stamp_at(directory, target.name) is None):
                return
            old = settled(directory, target.with_name(aside), self._waiter)
            old.close()
            if not _seen(old.data).names <= _seen(self._trusted(directory, target).data).names:
                # Somebody made a new file while the old one had no name.
                write_atomically(self.backup_path.with_name(f"{target.name}.credtray-rescued"), old.data)
            directory.unlink(aside)

    def _attempt(self, change: Change) -> EditOutcome | None:
        target = resolve(self.path)  # again each time: a link may lead elsewhere by now
        if not is_there(target.parent):
            if not change.transform(b""):
                return EditOutcome(changed=False)
            make_directory(target.parent)
        with opened(target.parent, self._waiter) as directory:
            work = Replacement(
                directory, target, change, self._waiter, lambda: self._trusted(directory, target)
            )
            self._mend(directory, target)
            with translated(target, "writing"), ini.shared_scans():
                try:
                    outcome = work.run()
                except FileNotFoundError:  # the directory went away under us
                    outcome = None
                if work.result is not None:
                    self._seen = _seen(work.result)
                    self._left = work.left
        return outcome

    def _trusted(self, directory: OpenDirectory, target: Path) -> Snapshot:
        """Read at a quiet moment, and again (for at most 2 s) while what is there looks like a half."""
        deadline = self._waiter.monotonic() + _VANISHED_SECONDS
        while True:
            snapshot = settled(directory, target, self._waiter, self._left)
            seen = _seen(snapshot.data)
            if not self._seen.doubts(seen) or self._waiter.monotonic() >= deadline:
                self._seen = seen
                return snapshot
            snapshot.close()
            self._waiter.sleep(_VANISHED_PAUSE)


def _set_mode(fd: int, mode: int) -> None:
    if sys.platform != "win32":
        os.fchmod(fd, mode)


def _seen(data: bytes) -> _Seen:
    text = ini.scan(data)
    return _Seen(frozenset(section.name for section in text.sections), text.problem is not None)
