"""Keeps state.json. A torn one is moved aside, a newer one is left alone; what it means is in core/saved.

Looking changes nothing: a torn file is moved aside when the next one is written.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from credtray.core import saved
from credtray.core.errors import CredtrayError
from credtray.core.state import State
from credtray.files.atomic_file import CACHE_LIMIT, read_bounded, write_atomically

_log = logging.getLogger(__name__)


class StateFile:
    """Implements ``ports.StateFile``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hands_off = False
        self._torn = False

    def load(self) -> State:
        """Return the remembered state; an empty one where nothing usable is there.

        Never raises: preferences are worth less than credentials that stay fresh.
        """
        try:
            data = read_bounded(self._path, CACHE_LIMIT)
        except CredtrayError as error:
            _log.warning("state not read: %s", error)
            self._hands_off = True
            return _fresh()
        if data is None:
            return _fresh()
        try:
            return saved.decode(data)
        except saved.NewerVersion:
            _log.warning(
                "%s was written by a newer credtray; it stays unchanged and nothing is remembered", self._path
            )
            self._hands_off = True
        except ValueError:
            _log.warning("%s is damaged; what it remembered is lost", self._path)
            self._torn = True
        return _fresh()

    def save(self, document: bytes) -> None:
        """Write the document atomically, 0600, unless the file is not ours to write.

        Raises:
            FileUnwritable, FileRefused: the old document is still there.
        """
        if self._hands_off:
            return
        if self._torn:
            self._torn = False
            self._move_aside()
        write_atomically(self._path, document)

    def _move_aside(self) -> None:
        aside = self._path.with_suffix(".broken")
        try:
            self._path.replace(aside)
        except OSError as error:
            _log.warning("%s is damaged and could not be moved aside: %s", self._path, error.strerror)
        else:
            _log.warning("%s is damaged; it was moved to %s", self._path, aside.name)


def _fresh() -> State:
    return State(seed=secrets.token_hex(8))
