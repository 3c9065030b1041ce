"""What a batch of sections does to the text of a credentials file.

Bytes in, bytes out: it may run again at any time on another text. The file is the business of others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from credtray.aws.section_standing import (
    Finding,
    Standing,
    finding,
    leaving,
    our_part,
    writing,
)
from credtray.core import ini
from credtray.core.errors import Problem, SectionNotOurs
from credtray.core.models import SectionKeys
from credtray.core.section_mark import SectionMark


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


def synced(data: bytes, wanted: Sequence[SectionKeys], doomed: Collection[str], batch: Batch) -> bytes:
    """Return the text after the batch, and note in *batch* what became of each section."""
    there = ini.scan(data).by_name()
    edits: list[ini.Edit] = []
    missing: list[SectionKeys] = []
    for name in sorted(doomed):
        section, found = there.get(name), finding(there.get(name))
        if found.standing is Standing.FOREIGN:
            batch.refused[name] = _refusal(name, found)
            continue
        batch.removed.append(name)
        if section is not None and found.mark is not None:
            edits.append(leaving(section, found.mark))
    for keys in wanted:
        section, found = there.get(keys.section), finding(there.get(keys.section))
        if found.standing is Standing.FOREIGN:
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
