"""What a batch of sections does to the text of a credentials file.

Bytes in, bytes out: it may run again at any time on another text. The file is the business of others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agent.aws.section_mark import SectionMark
from agent.aws.section_standing import (
    Finding,
    Standing,
    finding,
    leaving,
    our_part,
    writing,
)
from agent.core import ini
from agent.core.errors import Problem, SectionNotOurs
from agent.core.models import SectionKeys


@dataclass(slots=True)
class Batch:
    """What one run of the transform found; several runs may be needed for one sync."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: dict[str, Problem] = field(default_factory=dict)
    originals: dict[str, bytes | None] = field(default_factory=dict, repr=False)
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
        if found.mark is None:
            batch.originals[keys.section] = None if section is None else ini.text_of(section)
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


def restored(
    data: bytes, journal: Mapping[str, bytes | None], done: list[str], skipped: dict[str, str]
) -> bytes:
    """Return the text with the sections of *journal* as they were; see ``CredentialsFile.restore``."""
    there = ini.scan(data).by_name()
    edits: list[ini.Edit] = []
    for name, original in journal.items():
        section, found = there.get(name), finding(there.get(name))
        if found.standing is Standing.FOREIGN:
            skipped[name] = found.reason
        elif section is None and original is not None:
            skipped[name] = "the section has been removed since"
        else:
            done.append(name)
            if section is not None and found.mark is not None:
                edits.append(leaving(section, found.mark))
    after = ini.edit(data, edits)
    now_there = ini.scan(after).by_name()
    exact: list[ini.Edit] = [
        ini.SectionText(name, original)
        for name in done
        if (original := journal[name]) is not None and _differs_in_layout(now_there.get(name), original, name)
    ]
    return ini.edit(after, exact)


def _differs_in_layout(section: ini.SectionSpan | None, original: bytes, name: str) -> bool:
    """Tell whether a section says just what it said before, but with other bytes (a line ending, say)."""
    was = ini.scan(original).last(name)
    if section is None or was is None or ini.text_of(section) == original:
        return False
    inside = [comment.text for comment in section.comments if comment.start < section.content_end]
    return section.values == was.values and inside == [comment.text for comment in was.comments]
