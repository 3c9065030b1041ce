"""The sections of credtray in the credentials file: written in one batch, removed, and taken back.

Never touches a section that holds keys which credtray did not write, and never remembers on disk which are
its own: each section carries a mark that tells. How the file is replaced is the business of ``shared_file``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from credtray.core import ini
from credtray.core.errors import (
    CredtrayError,
    FileContended,
    Problem,
    RegionRefused,
    SectionNotOurs,
    UnexpectedReply,
)
from credtray.core.ini import Mark as IniMark
from credtray.core.ini import SectionEdit, SectionSpan
from credtray.core.models import SectionKeys
from credtray.core.ports import Mark
from credtray.core.section_mark import PREFIX, SectionMark, key_digest, parsed
from credtray.files.settling import Stamp
from credtray.files.shared_file import EditOutcome, SharedFile

# Whose a section of the credentials file is, and what writing into it or leaving it takes.
#
# Decides from the text alone, so that it holds without any record of ours and after any change by others.


ACCESS_KEY_ID = "aws_access_key_id"
SECRET_ACCESS_KEY = "aws_secret_access_key"  # noqa: S105 - the name of an option
SESSION_TOKEN = "aws_session_token"  # noqa: S105 - the name of an option
STALE_TOKEN = "aws_security_token"  # noqa: S105 - boto2's name, which old tools still leave behind
REGION = "region"

KEYS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, STALE_TOKEN)
_OTHER_SOURCES = (
    "credential_process",
    "credential_source",
    "role_arn",
    "source_profile",
    "web_identity_token_file",
)
_RELEASED = frozenset(KEYS)
_STALE = frozenset({STALE_TOKEN})


class Ownership(Enum):
    """What a section is to us."""

    ABSENT = "absent"
    FREE = "free"
    """It holds no keys: ours may go in."""
    OURS = "ours"
    FOREIGN = "foreign"
    """It holds keys, or another source of keys, that we did not write: hands off."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A section's standing, with the mark when it is ours and the reason when it is not."""

    standing: Ownership
    mark: SectionMark | None = None
    reason: str = ""


def finding(section: SectionSpan | None) -> Finding:
    """Tell whose *section* is.

    Ours: it carries our mark and the very access key that the mark was made for (or no key any more).
    """
    if section is None:
        return Finding(Ownership.ABSENT)
    values = section.values
    marks = [parsed(comment.text) for comment in section.comments if comment.text.startswith(PREFIX)]
    mark = next((mark for mark in marks if mark is not None), None)
    held = [name for name in KEYS if name in values]
    if mark is not None:
        if not held or key_digest(values.get(ACCESS_KEY_ID, "")) == mark.key_digest:
            return Finding(Ownership.OURS, mark)
        return Finding(Ownership.FOREIGN, None, "its access key is no longer the one that credtray wrote")
    if held:
        return Finding(Ownership.FOREIGN, None, f"it holds {held[0]}, which credtray did not write")
    source = next((name for name in _OTHER_SOURCES if name in values), None)
    if source is not None:
        return Finding(Ownership.FOREIGN, None, f"it gets its credentials from {source}")
    return Finding(Ownership.FREE)


def our_part(section: SectionSpan | None) -> tuple[str, ...]:
    """Return what we write into a section, to see whether somebody has changed it; compares, never shown."""
    if section is None:
        return ()
    marks = [comment.text for comment in section.comments if comment.text.startswith(PREFIX)]
    values = section.values
    return (*marks, *(f"{name}={values.get(name)}" for name in KEYS))


def writing(
    wanted: SectionKeys, section: SectionSpan | None, mark: SectionMark | None, gap: int
) -> SectionEdit:
    """Return the edit that puts *wanted* into a section that is absent, free or ours.

    Args:
        wanted: the keys.
        section: as it is now.
        mark: the mark it carries now, when it is ours.
        gap: how many line ends will go before it if it is appended.
    """
    keys = wanted.credentials
    values = {
        ACCESS_KEY_ID: keys.access_key_id,
        SECRET_ACCESS_KEY: keys.secret_access_key.reveal(),
        SESSION_TOKEN: keys.session_token.reveal(),
    }
    remove = set(_STALE)
    written, before = _region(wanted, section, mark)
    if written is not None:
        values[REGION] = written
    elif mark is not None and mark.region is not None and _region_now(section) == mark.region:
        _give_back(mark, values, remove)
    added = gap if section is None else None if mark is None else mark.gap
    line = SectionMark(
        wanted.profile, keys.expires_at, key_digest(keys.access_key_id), added, written, before, wanted.pasted
    ).line()
    return SectionEdit(wanted.section, values, frozenset(remove), IniMark(PREFIX, line))


def leaving(section: SectionSpan, mark: SectionMark) -> SectionEdit:
    """Return the edit that takes out what we wrote, and nothing else: the exact opposite of ``writing``."""
    values: dict[str, str] = {}
    remove = set(_RELEASED)
    if mark.region is not None and _region_now(section) == mark.region:
        _give_back(mark, values, remove)
    return SectionEdit(
        section.name,
        values,
        frozenset(remove),
        IniMark(PREFIX, None),
        drop_if_empty=mark.gap is not None,
        gap=mark.gap or 0,
    )


def _region(
    wanted: SectionKeys, section: SectionSpan | None, mark: SectionMark | None
) -> tuple[str | None, str | None]:
    """Return the region to write, and the one that it takes the place of."""
    now = _region_now(section)
    if wanted.region is None or (now is not None and not (now and now.isprintable())):
        return None, None  # a region over several lines could not be given back
    if mark is not None and mark.region is not None and now == mark.region:
        return wanted.region, mark.region_before
    return (None, None) if now == wanted.region else (wanted.region, now)


def _region_now(section: SectionSpan | None) -> str | None:
    return None if section is None else section.values.get(REGION)


def _give_back(mark: SectionMark, values: dict[str, str], remove: set[str]) -> None:
    if mark.region_before is None:
        remove.add(REGION)
    else:
        values[REGION] = mark.region_before


# What a batch of sections does to the text of a credentials file.
#
# Bytes in, bytes out: it may run again at any time on another text. The file is the business of others.


@dataclass(slots=True)
class Batch:
    """What one run of the transform found; several runs may be needed for one sync."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: dict[str, Problem] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """What is ours in each written section, to see later whether somebody has changed it."""
    changed: set[str] = field(default_factory=set)
    """The written sections whose keys were not yet there."""


def _refusal(section: str, found: Finding) -> Problem:
    return SectionNotOurs(f"[{section}]: {found.reason}").problem


def own_sections(data: bytes) -> list[tuple[ini.SectionSpan, SectionMark]]:
    """Return our sections, each with its mark."""
    found = ((section, finding(section).mark) for section in ini.scan(data).by_name().values())
    return [(section, mark) for section, mark in found if mark is not None]


def synced(data: bytes, wanted: Sequence[SectionKeys], to_remove: Collection[str], batch: Batch) -> bytes:
    """Return the text after the batch, and note in *batch* what became of each section."""
    there = ini.scan(data).by_name()
    edits: list[ini.Edit] = []
    missing: list[SectionKeys] = []
    for name in sorted(to_remove):
        section, found = there.get(name), finding(there.get(name))
        if found.standing is Ownership.FOREIGN:
            batch.refused[name] = _refusal(name, found)
            continue
        batch.removed.append(name)
        if section is not None and found.mark is not None:
            edits.append(leaving(section, found.mark))
    for keys in wanted:
        section, found = there.get(keys.section), finding(there.get(keys.section))
        if found.standing is Ownership.FOREIGN:
            batch.refused[keys.section] = _refusal(keys.section, found)
            continue
        batch.written.append(keys.section)
        if section is None:
            missing.append(keys)
        else:
            edits.append(writing(keys, section, found.mark, 0))
    after = ini.edit(data, edits) if edits else data
    after = _appended(after, missing) if missing else after
    now_there = ini.scan(after).by_name()
    batch.parts = {name: our_part(now_there.get(name)) for name in batch.written}
    batch.changed |= {name for name, part in batch.parts.items() if our_part(there.get(name)) != part}
    return after


def _appended(data: bytes, missing: Sequence[SectionKeys]) -> bytes:
    """Append new sections; each mark tells how many line ends were put before its header."""
    first = ini.append_gap(data)
    return ini.edit(
        data, [writing(keys, None, None, 1 if number else first) for number, keys in enumerate(missing)]
    )


__all__ = ["CredentialsFile", "SectionKeys", "SyncReport"]

REWRITE_PAUSE = timedelta(seconds=10)
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
        to_remove = set(removed) - {keys.section for keys in wanted}
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
            return synced(data, peaceful, to_remove, batch)

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
            if (last := self._last.get(keys.section)) is not None and abs(now - last.at) < REWRITE_PAUSE
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
        f"[{section}] was changed back less than {REWRITE_PAUSE.seconds} s after it was written"
    ).problem
