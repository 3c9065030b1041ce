"""The sections of credtray in the credentials file: written in one batch, removed, and taken back.

Never touches a section that holds keys which credtray did not write, and never remembers on disk which are
its own: each section carries a mark that tells. How the file is replaced is the business of ``shared_file``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from credtray.aws.section_batch import Batch, own_sections, synced
from credtray.aws.section_standing import our_part
from credtray.core import ini
from credtray.core.errors import (
    CredtrayError,
    FileContended,
    Problem,
    RegionRefused,
    SectionNotOurs,
    UnexpectedReply,
)
from credtray.core.models import SectionKeys
from credtray.core.ports import Mark
from credtray.files.settling import Stamp
from credtray.files.shared_file import EditOutcome, SharedFile

__all__ = ["CredentialsFile", "SectionKeys", "SyncReport"]

PEACE = timedelta(seconds=10)
"""A section that somebody else changes back is rewritten at most this often."""
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/=._-]+")
_REGION_TEXT = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of a batch."""

    written: tuple[str, ...] = ()
    """Sections that hold the wanted keys now."""
    removed: tuple[str, ...] = ()
    """Sections that hold nothing of ours any more."""
    refused: Mapping[str, Problem] = field(default_factory=lambda: MappingProxyType({}))
    outcome: EditOutcome = EditOutcome(changed=False)

    @property
    def tightened_from(self) -> int | None:
        """The mode the file had when it was too wide for secrets."""
        return self.outcome.tightened_from


@dataclass(frozen=True, slots=True)
class _LastWrite:
    at: datetime
    part: tuple[str, ...] = field(repr=False)


class CredentialsFile:
    """The sections of credtray in one credentials file."""

    def __init__(self, shared_file: SharedFile) -> None:
        self._file = shared_file
        self._last: dict[str, _LastWrite] = {}

    @property
    def path(self) -> Path:
        """The file, as the user names it."""
        return self._file.path

    def stamp(self) -> object:
        """Return something that differs when the file may have changed."""
        return Stamp.at(self._file.path)

    def marks(self) -> tuple[Mark, ...]:
        """Return our sections in order of appearance.

        Raises:
            FileContended, FileRefused, FileUnwritable: see ``SharedFile.read``.
        """
        return tuple(
            Mark(section.name, mark.profile, mark.expires_at, mark.key_digest, mark.pasted)
            for section, mark in own_sections(self._file.read())
        )

    def sync(
        self,
        wanted: Sequence[SectionKeys],
        removed: Collection[str],
        now: datetime,
        *,
        on_replaced: Callable[[], None] | None = None,
    ) -> SyncReport:
        """Write the *wanted* sections and take our keys out of the *removed* ones, in one rewrite.

        A section that cannot be written is refused with its problem, and all others are written. When nothing
        changes, nothing is written. *on_replaced*: see ``SharedFile.edit``.

        Raises:
            FileUnparsable, FileContended, FileRefused, FileUnwritable: the whole batch failed. See ``edit``.
        """
        fit, refused = _fit(wanted)
        doomed = set(removed) - {keys.section for keys in wanted}
        batch = Batch()
        contended: set[str] | None = None

        def transform(data: bytes) -> bytes:
            nonlocal batch, contended
            if contended is None:  # judged once: a later run sees our own keys, or a late writer's old text
                contended = self._contended(fit, data, now)
            batch = Batch(refused=dict(refused), changed=batch.changed)
            for section in contended:
                batch.refused[section] = _contention(section)
            peaceful = [keys for keys in fit if keys.section not in contended]
            return synced(data, peaceful, doomed, batch)

        outcome = self._file.edit(transform, secret=bool(fit), on_replaced=on_replaced)
        self._remember(batch, now)
        return SyncReport(
            tuple(batch.written),
            tuple(batch.removed),
            MappingProxyType(batch.refused),
            outcome,
        )

    def _contended(self, wanted: Sequence[SectionKeys], data: bytes, now: datetime) -> set[str]:
        """Return the sections that somebody has changed since we wrote them less than 10 s ago."""
        recent = {
            keys.section: last
            for keys in wanted
            if (last := self._last.get(keys.section)) is not None and abs(now - last.at) < PEACE
        }
        there = ini.scan(data).by_name() if recent else {}
        return {name for name, last in recent.items() if our_part(there.get(name)) != last.part}

    def _remember(self, batch: Batch, now: datetime) -> None:
        for section, part in batch.parts.items():
            if section in batch.changed or section not in self._last:
                self._last[section] = _LastWrite(now, part)
        for section in batch.removed:
            self._last.pop(section, None)


def _fit(wanted: Sequence[SectionKeys]) -> tuple[list[SectionKeys], dict[str, Problem]]:
    """Sort out what must not be written at all."""
    fit: dict[str, SectionKeys] = {}
    refused: dict[str, Problem] = {}
    for keys in wanted:
        try:
            _check(keys)
            if keys.section in fit and fit[keys.section] != keys:
                raise SectionNotOurs(f"[{keys.section}] is already used for {fit[keys.section].profile}")
        except CredtrayError as error:
            refused[keys.section] = error.problem
        else:
            fit.setdefault(keys.section, keys)
    return list(fit.values()), refused


def _check(keys: SectionKeys) -> None:
    ini.check_section_name(keys.section)
    credentials = keys.credentials
    texts = (
        credentials.access_key_id,
        credentials.secret_access_key.reveal(),
        credentials.session_token.reveal(),
    )
    if not all(_KEY_TEXT.fullmatch(text) for text in texts):
        raise UnexpectedReply(f"the keys for {keys.profile} contain characters that AWS keys never have")
    if keys.region is not None and not _REGION_TEXT.fullmatch(keys.region):
        raise RegionRefused(f"{keys.region!a} for [{keys.section}]")


def _contention(section: str) -> Problem:
    return FileContended(
        f"[{section}] was changed back less than {PEACE.seconds} s after it was written"
    ).problem
