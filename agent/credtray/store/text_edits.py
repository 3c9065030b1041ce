"""Inserts text into files that belong to other programs, and remembers each edit so that it can be undone.

Knows no format: what goes where is the caller's choice, and so is the proof that nothing else changed.
Nothing that is written this way may be a secret.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from credtray.core.errors import FileContended, FileRefused
from credtray.core.shapes import from_json
from credtray.files.atomic_file import read_bounded, write_atomically
from credtray.files.file_lock import FileLock

LIMIT = 32 * 1024 * 1024
"""Bytes of a file that is edited."""
_RECORD_LIMIT = 16 * 1024 * 1024
_VERSION = 1
_MOST = 50
"""Edits that can be undone."""
_PRIVATE = 0o600


class Piece(msgspec.Struct, frozen=True):
    """One place of a file: what was there, and what is there now."""

    at: int
    """Offset in bytes, before the edit."""
    before: bytes
    after: bytes


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to one file."""

    at: datetime
    what: str
    """The command, as a person knows it."""
    path: str
    names: tuple[str, ...]
    """What was added, as a person knows it."""
    created: bool = False
    """There was no such file before."""
    pieces: tuple[Piece, ...]


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int = _VERSION
    edits: list[Edit] = []


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did."""

    restored: Mapping[str, tuple[str, ...]]
    """Path -> names that are gone again."""
    skipped: Mapping[str, str]
    """Path -> why it was left as it was."""


Fallback = Callable[[Edit, bytes], bytes | None]
"""Takes what an edit added out of a file that was written anew since; None: it is not found."""


def applied(data: bytes, pieces: Sequence[Piece]) -> bytes:
    """Return the data with each piece in its place."""
    for piece in sorted(pieces, key=lambda each: each.at, reverse=True):
        data = data[: piece.at] + piece.after + data[piece.at + len(piece.before) :]
    return data


class EditedFiles:
    """Writes such edits and undoes them.

    Args:
        record: where they are remembered.
        locks: the directory for the lock that keeps two processes of ours apart.
    """

    def __init__(self, record: Path, locks: Path) -> None:
        self._record = record
        self._locks = locks

    def edits(self) -> list[Edit]:
        """Return what can be undone, oldest first; nothing where the record is missing or torn.

        Raises:
            FileRefused: a newer credtray wrote it.
        """
        data = read_bounded(self._record, _RECORD_LIMIT)
        try:
            found = from_json(data or b"{}", _Document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        if found.version > _VERSION:
            raise FileRefused(f"{self._record} was written by a newer credtray")
        return found.edits

    def write(self, seen: bytes | None, edit: Edit, after: bytes) -> None:
        """Replace the file, if it still is what was seen, and remember how to undo that.

        Raises:
            FileContended: it was changed meanwhile; nothing is written.
            FileUnwritable, FileRefused: it is still as it was.
        """
        with self._alone():
            remembered = self.edits()
            self._remember([*remembered, edit])
            try:
                self._replace(Path(edit.path), seen, after)
            except BaseException:
                self._remember(remembered)
                raise

    def undo(self, fallback: Fallback | None = None) -> Undone:
        """Undo every edit, the newest first; what somebody has changed since is left as it is.

        Raises:
            FileUnwritable, FileRefused, FileContended: a file could not be written; it can be tried again.
        """
        restored: dict[str, tuple[str, ...]] = {}
        skipped: dict[str, str] = {}
        with self._alone():
            left = self.edits()
            while left:
                edit = left[-1]
                if self._undone(edit, fallback):
                    restored[edit.path] = (*restored.get(edit.path, ()), *edit.names)
                else:
                    skipped[edit.path] = f"somebody has changed {', '.join(edit.names)} since"
                left = left[:-1]
                self._remember(left)
        return Undone(restored, skipped)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with FileLock(self._locks / "edits.lock", timeout=10.0):
            yield

    def _remember(self, edits: list[Edit]) -> None:
        write_atomically(self._record, msgspec.json.encode(_Document(edits=edits[-_MOST:])))

    def _undone(self, edit: Edit, fallback: Fallback | None) -> bool:
        path = Path(edit.path)
        data = read_bounded(path, LIMIT)
        if data is None:
            return True  # it went with the whole file
        after = _without(edit, data)
        if after is None and fallback is not None:
            after = fallback(edit, data)
        if after is None:
            return False
        if edit.created and not after.strip():
            path.unlink()
        else:
            self._replace(path, data, after)
        return True

    def _replace(self, path: Path, seen: bytes | None, after: bytes) -> None:
        def same() -> bool:
            return read_bounded(path, LIMIT) == seen

        mode = _PRIVATE
        with suppress(OSError):
            mode = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 -- follows the link, as the writing does
        if not same() or not write_atomically(path, after, mode=mode, unchanged=same):
            raise FileContended(f"{path} was changed meanwhile", hint="Run the command again.")


def _without(edit: Edit, data: bytes) -> bytes | None:
    """Return the data as it was before, where what was added is still there as it was written."""
    if any(not piece.after or data.count(piece.after) != 1 for piece in edit.pieces):
        return None
    for piece in edit.pieces:
        data = data.replace(piece.after, piece.before)
    return data
