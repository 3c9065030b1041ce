"""Reads settings.toml, and edits it without losing the user's comments. Their meaning is in core/settings.

Writes whole files or nothing, never over what somebody saved meanwhile, and keeps what was there before.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from credtray.core.errors import FileContended, NothingToUndo, SettingsInvalid
from credtray.core.settings import Settings
from credtray.core.settings_values import Toml
from credtray.files.atomic_file import Draft, check_replaceable, opened, read_bounded, write_atomically
from credtray.files.directory_safety import make_directory, resolve
from credtray.files.file_lock import FileLock
from credtray.files.os_errors import translated
from credtray.files.settling import Stamp, stamp_at
from credtray.files.waiting import RealWaiter
from credtray.store.settings_parse import settings_of

_LIMIT = 1024 * 1024
_ATTEMPTS = 8
"""So often an edit starts over because another program saved the file meanwhile."""


class SettingsFile:
    """Implements ``ports.SettingsFile``.

    Args:
        path: as the user names it; may be a symbolic link or not exist yet.
        own_directory: where the lock and the version before the last edit are kept; beside the file if not
            given.
        fallback_lock_directory: for file systems without locks (see ``FileLock``).
    """

    def __init__(
        self, path: Path, own_directory: Path | None = None, fallback_lock_directory: Path | None = None
    ) -> None:
        self.path = path
        self._own = own_directory if own_directory is not None else path.parent
        self._fallback = fallback_lock_directory

    @property
    def backup_path(self) -> Path:
        """Where the file as it was before our last edit is kept."""
        return self._own / f"{self.path.name}.before"

    def stamp(self) -> object:
        """Return what changes when the file does."""
        try:
            found = self.path.stat()
        except OSError as error:
            return error.errno
        return found.st_ino, found.st_size, found.st_mtime_ns

    def load(self) -> Settings:
        """Read the settings; defaults when there is no file.

        Raises:
            SettingsInvalid: not TOML, an unknown setting, a value of the wrong kind; the line is named.
        """
        text = self.text()
        with self._named():
            return settings_of(text)

    def text(self) -> str:
        """Return what is in the file; nothing when there is none.

        Raises:
            SettingsInvalid: it is not UTF-8.
            FileRefused, FileUnwritable: it cannot be read.
        """
        data = read_bounded(self.path, _LIMIT)
        try:
            return (data or b"").decode()
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise SettingsInvalid(f"{self.path} is not UTF-8 text (at line {line})") from None

    def set(self, keys: Sequence[str], value: Toml | None) -> None:
        """Set (or with None take out) one value, keeping comments and layout; the result is checked first.

        Raises:
            SettingsInvalid: the file is broken already, or would be with this value. Nothing was changed.
            FileContended, FileRefused, FileUnwritable: nothing was changed.
        """
        from credtray.store.settings_edit import edited

        def change(text: str) -> str:
            if value is None and not text:
                return text
            return edited(text or _new_text(), tuple(keys), value)

        self._replace(change)

    def create(self) -> None:
        """Make the file when there is none, for a person to edit: all settings, explained, commented out."""
        if read_bounded(self.path, _LIMIT) is None:
            write_atomically(self.path, _new_text().encode())

    def take_over(self, before: str, after: str) -> None:
        """Replace the text a person began to edit with what they made of it.

        Raises:
            SettingsInvalid: *after* is broken. Nothing was changed.
            FileContended: the file is not *before* any more, or as ``set``.
        """

        def change(text: str) -> str:
            if text != before:
                raise FileContended(f"{self.path} was changed by another program in the meantime")
            return after

        self._replace(change)

    def undo(self) -> None:
        """Put back what was there before our last edit; once more, and the edit is back.

        Raises:
            NothingToUndo: there was none.
            SettingsInvalid: what was there is broken for this version. Nothing was changed.
        """

        def change(_text: str) -> str:
            before = read_bounded(self.backup_path, _LIMIT)
            if before is None:
                raise NothingToUndo(f"{self.path} was not edited by credtray")
            return before.decode()

        self._replace(change)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say of which file it is when its text is broken."""
        try:
            yield
        except SettingsInvalid as error:
            raise SettingsInvalid(f"{self.path}: {error.detail}", hint=error.advice) from None

    # --- writing ----------------------------------------------------------------------------------------

    def _replace(self, change: Callable[[str], str]) -> None:
        with FileLock(self._own / "locks" / "settings.lock", fallback=self._fallback):
            for _ in range(_ATTEMPTS):
                seen, before = self._seen(), self.text()
                with self._named():
                    after = change(before)
                    settings_of(after)
                if after == before or self._published(seen, before, after):
                    return
        raise FileContended(f"{self.path} changed each time it was about to be replaced")

    def _seen(self) -> Stamp | None:
        return Stamp.at(self.path)

    def _published(self, seen: Stamp | None, before: str, after: str) -> bool:
        """Put the text in place, unless somebody has changed the file since; the old one is kept."""
        target = resolve(self.path)
        make_directory(target.parent)
        with opened(target.parent, RealWaiter()) as directory:
            found = check_replaceable(directory, target)
            mode = 0o600 if found is None else stat.S_IMODE(found.st_mode)
            with translated(target, "writing"), Draft(directory) as draft:
                draft.fill(after.encode(), mode)
                write_atomically(self.backup_path, before.encode())
                if stamp_at(directory, target.name) != seen:
                    return False
                draft.publish(target.name)
        return True


def _new_text() -> str:
    from credtray.store.settings_text import new_text

    return new_text()
