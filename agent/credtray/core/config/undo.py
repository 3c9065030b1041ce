"""Takes back what `credtray setup` changed in the AWS config file, section by section, and shows changes.

Leaves alone what somebody changed since; never shows a line that setup did not write.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from credtray.core import ini
from credtray.core.config.edits import MARK, PROFILE_KEYS, SESSION_KEYS, SetupPlan, removal
from credtray.core.config.merging import merged
from credtray.core.config.text import Section, read_config
from credtray.core.ini.text import SectionSpan


class Change(Struct, frozen=True, kw_only=True):
    """A recorded change of the file, as far as it must be known to take it back."""

    at: Annotated[datetime, Meta(tz=True)]
    what: str
    """In a person's words: ``setup synderys``."""
    sections: dict[str, str | None]
    """Section -> its bytes before in base64, None where it did not exist."""
    written: dict[str, str | None] = {}
    """The same of the bytes afterwards: who finds others there leaves the section alone."""

    @classmethod
    def of(
        cls,
        at: datetime,
        what: str,
        originals: Mapping[str, bytes | None],
        results: Mapping[str, bytes | None],
    ) -> Change:
        """Return a change that took sections from *originals* to *results*."""
        return cls(at=at, what=what, sections=_coded(originals), written=_coded(results))

    def originals(self) -> dict[str, bytes | None]:
        """Return section -> its bytes before."""
        return _decoded(self.sections)

    def results(self) -> dict[str, bytes | None]:
        """Return section -> its bytes afterwards."""
        return _decoded(self.written)


def _decoded(sections: Mapping[str, str | None]) -> dict[str, bytes | None]:
    def decoded(text: str | None) -> bytes | None:
        return None if text is None else base64.b64decode(text, validate=True)

    return {name: decoded(text) for name, text in sections.items()}


def _coded(sections: Mapping[str, bytes | None]) -> dict[str, str | None]:
    def coded(text: bytes | None) -> str | None:
        return None if text is None else base64.b64encode(text).decode()

    return {name: coded(text) for name, text in sections.items()}


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo does to one content of the file."""

    after: bytes
    restored: tuple[str, ...]
    """Section headers that are as they were."""
    skipped: Mapping[str, str]
    """Section headers left alone, each with the reason."""


def undo_setup(
    data: bytes,
    originals: Mapping[str, bytes | None],
    results: Mapping[str, bytes | None] = MappingProxyType({}),
    credentials: Mapping[str, Section] = MappingProxyType({}),
) -> Undone:
    """Put sections back as they were before a setup, except those that are not what it made of them.

    Profiles first: an sso-session goes only when no profile names it any more, in *credentials* (what the
    credentials file says, see ``merging``) either. *results* are the sections as they were left, a new one
    with the line ends that were put before it; one not known there is judged by what setup never writes.

    Raises:
        ConfigInvalid: the file is broken as a whole.
        IniRefused: the result would not be a file botocore can read.
    """
    done: list[str] = []
    skipped: dict[str, str] = {}
    after = data
    for header in _in_order(data, originals):
        original = originals[header]
        if ini.section_text(after, header) == original:
            done.append(header)  # the change was recorded and never made, or somebody took it back
            continue
        objection = _objection(after, header, original, results, credentials)
        reason = _changed_since(after, header, results) or objection
        if reason is not None:
            skipped[header] = reason
            continue
        if original is None:
            after = _without(after, header, results.get(header))
        else:
            after = ini.replace_section_text(after, header, original)
        done.append(header)
    for header in done:
        original = originals[header]
        if original is not None and ini.section_text(after, header) != original:
            # It had no line end and got one while another section stood behind it.
            after = ini.replace_section_text(after, header, original)
    return Undone(after, tuple(sorted(done)), skipped)


def _in_order(data: bytes, headers: Iterable[str]) -> list[str]:
    """Return profiles first, and what stands last in the file first: it was appended last."""
    places = {section.name: section.start for section in ini.scan(data).sections}
    return sorted(headers, key=lambda header: (header.startswith("sso-session"), -places.get(header, 0)))


def difference(plan: SetupPlan) -> str:
    """Return the change as a unified diff without context: lines beside ours may hold somebody's keys."""
    lines: list[str] = []
    for header in plan.originals:
        before, after = _lines(plan.before, header), _lines(plan.after, header)
        changed = list(difflib.unified_diff(before, after, n=0, lineterm=""))
        if changed:
            lines.append(f"@@ [{header}] @@")
            lines += [line for line in changed if not line.startswith(("---", "+++", "@@"))]
    return "\n".join([*lines, ""]) if lines else ""


def _lines(data: bytes, header: str) -> list[str]:
    text = ini.section_text(data, header)
    return [] if text is None else text.decode("utf-8", "replace").splitlines()


def _changed_since(data: bytes, header: str, results: Mapping[str, bytes | None]) -> str | None:
    result = results.get(header)
    there = ini.section_keys(data, header)
    if result is None or there is None or there == ini.section_keys(result, header):
        return None
    return "somebody has changed it since"


def _objection(
    data: bytes,
    header: str,
    original: bytes | None,
    results: Mapping[str, bytes | None],
    credentials: Mapping[str, Section],
) -> str | None:
    section = ini.scan(data).last(header)
    if section is None:
        # Gone, or one of ours that setup itself pruned.
        return None if original is None or MARK.encode() in original else "it has been removed since"
    ours = SESSION_KEYS if header.startswith("sso-session") else PROFILE_KEYS
    before = {} if original is None else ini.section_keys(original, header) or {}
    there = {name: value for name, value in section.values.items() if name not in ours}
    known = results.get(header) is not None  # then it is as it was left, see _changed_since
    if not known and there != {name: value for name, value in before.items() if name not in ours}:
        return "somebody has changed it since"
    if original is None and ours is PROFILE_KEYS and not _marked(section):
        return "it no longer carries credtray's mark"
    if original is None and ours is SESSION_KEYS and _used(data, header, credentials):
        return "profiles still name it"
    return None


def _marked(section: SectionSpan) -> bool:
    return any(comment.text.startswith(MARK) for comment in section.comments)


def _used(data: bytes, header: str, credentials: Mapping[str, Section]) -> bool:
    config = merged(read_config(data), credentials)
    names = {name for name, section in config.sso_sessions.items() if section.span.name == header}
    return any(
        section.text("sso_session") in names or section.text("credtray_sso_session") in names
        for section in config.profiles.values()
    )


def _without(data: bytes, header: str, result: bytes | None) -> bytes:
    section = ini.scan(data).last(header)
    gap = 1 if result is None else len(result) - len(result.lstrip(b"\n"))
    return data if section is None else ini.edit(data, [removal(section, gap)])
