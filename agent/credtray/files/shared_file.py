"""THE one writer of the AWS files that credtray shares with programs that know nothing of it.

Knows INI files only as far as to tell a whole one from a half one; what to change is the caller's transform.
It never writes in place, never copies over a file, never holds on to a lost race: it starts over, bounded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from credtray.core import ini
from credtray.core.errors import FileContended
from credtray.files.atomic_file import is_null, opened
from credtray.files.directory_safety import is_there, make_directory, resolve
from credtray.files.file_lock import FileLock
from credtray.files.open_directory import OpenDirectory
from credtray.files.os_errors import translated
from credtray.files.replacing import Change, EditOutcome, Replacement, Transform
from credtray.files.settling import Snapshot, Stamp, settled
from credtray.files.waiting import RealWaiter, Waiter

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
        digest = hashlib.sha256(str(target).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        lock = self._lock_directory / f"{target.name}-{digest}.lock"
        deadline = self._waiter.monotonic() + _EDIT_SECONDS
        change = Change(transform, secret, on_replaced, self.backup_path)
        with FileLock(lock, fallback=self._fallback, waiter=self._waiter):
            while self._waiter.monotonic() < deadline:
                outcome = self._attempt(change)
                if outcome is not None:
                    return outcome
        raise FileContended(f"{self.path} changed each time it was about to be replaced")

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


def _seen(data: bytes) -> _Seen:
    text = ini.scan(data)
    return _Seen(frozenset(section.name for section in text.sections), text.problem is not None)
