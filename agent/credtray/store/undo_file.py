"""Keeps undo.json: what the sections of the config file were before credtray changed them. Never a secret.

The credentials file needs no such record: the mark in each of our sections says what was there before.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import msgspec

from credtray.core.config.undo import Change
from credtray.core.errors import FileRefused
from credtray.files.atomic_file import CACHE_LIMIT, read_bounded, write_atomically

VERSION = 1
_MOST = 50
"""Changes that can be taken back; older ones are in the backup of the file."""


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    changes: list[Change] = []


class UndoFile:
    """The changes that can be taken back, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def changes(self) -> list[Change]:
        """Return them; none where the file is missing or torn.

        Raises:
            FileUnwritable, FileRefused: it cannot be read, or a newer credtray wrote it.
        """
        data = read_bounded(self._path, CACHE_LIMIT)
        if data is None:
            return []
        try:
            document = msgspec.json.decode(data, type=_Document)
            for change in document.changes:
                change.originals()
                change.results()
        except (msgspec.DecodeError, binascii.Error, RecursionError, UnicodeDecodeError):
            if _version(data) > VERSION:
                raise self._newer() from None
            return []
        if document.version > VERSION:
            raise self._newer()
        return document.changes

    def remember(
        self,
        at: datetime,
        what: str,
        originals: Mapping[str, bytes | None],
        results: Mapping[str, bytes | None] = MappingProxyType({}),
    ) -> Change:
        """Add a change, sections as they were before and as they were left, and return it.

        Raises:
            FileUnwritable, FileRefused: it is not remembered; nothing else happened.
        """
        change = Change.of(at, what, originals, results)
        self._write([*self.changes(), change])
        return change

    def forget(self, change: Change) -> None:
        """Drop a change that was taken back."""
        self._write([each for each in self.changes() if each != change])

    def _newer(self) -> FileRefused:
        return FileRefused(
            f"{self._path} was written by a newer credtray",
            hint="Use the version that made the change to undo it.",
        )

    def _write(self, changes: list[Change]) -> None:
        write_atomically(self._path, msgspec.json.encode(_Document(changes=changes[-_MOST:])))


class _Versioned(msgspec.Struct):
    version: int = VERSION


def _version(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_Versioned).version
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return VERSION
