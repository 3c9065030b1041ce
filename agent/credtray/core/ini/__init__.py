"""Edits AWS INI files as bytes; every byte it was not asked to touch survives.

Knows nothing of files or of AWS: bytes go in, bytes come out, and a result that botocore would read
differently than intended is never returned. Section names are what stands between the brackets: ``dev`` in
the credentials file, ``profile "a b"`` in the config file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from credtray.core.errors import IniRefused
from credtray.core.ini.splice import (
    Edit,
    Mark,
    SectionEdit,
    SectionRemoval,
    SectionText,
    check_section_name,
    line_ends_before,
    spliced,
)
from credtray.core.ini.text import (
    DEFAULT_SECTION,
    IniProblem,
    IniText,
    SectionSpan,
    decode,
    encode,
    scan,
    shared_scans,
)

__all__ = [
    "Edit",
    "IniProblem",
    "Mark",
    "SectionEdit",
    "SectionRemoval",
    "SectionSpan",
    "SectionText",
    "append_gap",
    "carried_over",
    "check_section_name",
    "edit",
    "meaning",
    "parse_problem",
    "replace_section_text",
    "scan",
    "section_comments",
    "section_keys",
    "section_text",
    "sections",
    "set_keys",
    "shared_scans",
    "text_of",
    "verify",
]


def sections(data: bytes) -> list[SectionSpan]:
    """Return all sections in order of appearance, duplicates included."""
    return scan(data).sections


def parse_problem(data: bytes) -> IniProblem | None:
    """Return the first reason why botocore refuses the whole file, or None when it reads it."""
    return scan(data).problem


def section_keys(data: bytes, section: str) -> dict[str, str] | None:
    """Return the options of the last section of that name, names lower-cased; None when there is none."""
    found = scan(data).last(section)
    return None if found is None else found.values


def section_comments(data: bytes, section: str) -> list[str]:
    """Return the whole-line comments of the last section of that name, each with its ``#`` or ``;``."""
    found = scan(data).last(section)
    return [] if found is None else [comment.text for comment in found.comments]


def section_text(data: bytes, section: str) -> bytes | None:
    """Return the exact bytes of a section, header to last option; None when there is none.

    Comments and blank lines behind the last option are left out: they may belong to the next section.
    """
    found = scan(data).last(section)
    return None if found is None else text_of(found)


def text_of(section: SectionSpan) -> bytes:
    """Return the exact bytes of a section, header to last option; see ``section_text``."""
    return encode(section.text[section.start : section.content_end])


def append_gap(data: bytes) -> int:
    """Return how many line ends ``edit`` puts before the first section that it appends to *data*.

    0 to 2; before each further one it puts 1. ``SectionEdit.gap`` removes them again.
    """
    return line_ends_before(decode(data))


def replace_section_text(data: bytes, section: str, text: bytes | None) -> bytes:
    """Put a section's exact bytes back (see ``section_text``); None takes the section out.

    Raises:
        IniRefused: *text* is not exactly this section.
    """
    change = SectionRemoval(section) if text is None else SectionText(section, text)
    return edit(data, [change])


def set_keys(data: bytes, section: str, values: Mapping[str, str], *, remove: Collection[str] = ()) -> bytes:
    """Set and remove options of one section; see ``edit``."""
    return edit(data, [SectionEdit(section, values, frozenset(remove))])


def edit(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Apply *edits*, at most one for each section, in one pass.

    A file that botocore refuses is edited as well as can be and stays refused (of duplicate sections the
    last one is edited); callers who must not touch such a file ask ``parse_problem`` first.

    Raises:
        IniRefused: a name, value or comment cannot be written on a line of its own, or botocore would read
            the result differently than intended. Nothing of a value is quoted.
    """
    before = scan(data)
    result = encode(spliced(before, edits))
    if result != data and before.problem is None:
        _check_intent(before, scan(result), edits)
    return result


def verify(before: bytes, after: bytes) -> None:
    """Make sure that a file botocore could read is still one.

    Raises:
        IniRefused: *before* could be parsed and *after* cannot.
    """
    if after == before:
        return
    broken = parse_problem(after)
    if broken is not None and parse_problem(before) is None:
        raise IniRefused(f"line {broken.line} would break the file: {broken.text}")


def meaning(data: bytes) -> dict[str, dict[str, str]]:
    """Return every section's options as a parser sees them, ``[DEFAULT]`` as a section of its own."""
    return _meaning(scan(data))


def carried_over(old: bytes, late: bytes, current: bytes) -> bytes:
    """Apply to *current* what *late* changed against *old*: a merge of three, key by key.

    For the text of a writer that started from *old* while *current* was being written. Where both changed the
    same key, *late* has it. Comments of *late* come over with sections that are new only.

    Raises:
        IniRefused: a section has a name that is never written here.
    """
    before, after, there = scan(old).by_name(), scan(late).by_name(), scan(current).by_name()
    changes: list[Edit] = [SectionRemoval(name) for name in before if name not in after]
    for name, span in after.items():
        if name in before and text_of(before[name]) == text_of(span):
            continue
        was = before[name].values if name in before else {}
        new = {key: value for key, value in span.values.items() if was.get(key) != value}
        if name in there and all(value and value.isprintable() for value in new.values()):
            changes.append(SectionEdit(name, new, frozenset(was.keys() - span.values.keys())))
        else:
            changes.append(SectionText(name, text_of(span)))
    return edit(current, changes)


def _meaning(text: IniText) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for section in text.sections:
        found.setdefault(section.name, {}).update(section.values)
    return found


def _check_intent(before: IniText, after: IniText, edits: Sequence[Edit]) -> None:
    """Read the result back: the sections edited say what was asked, all others what they said before."""
    if after.problem is not None:
        raise IniRefused(f"line {after.problem.line} would break the file: {after.problem.text}")
    touched = {change.section: change for change in edits}
    if _defaults(before) != _defaults(after):
        raise IniRefused(f"the change would alter the meaning of [{DEFAULT_SECTION}] too")
    old, new = before.by_name(), after.by_name()
    for name in old.keys() | new.keys():
        if name in touched:
            _check_section(touched[name], old.get(name), new.get(name))
        elif name not in old or name not in new or not _same(old[name], new[name]):
            raise IniRefused(f"the change would alter the meaning of [{name}] too")


def _same(old: SectionSpan, new: SectionSpan) -> bool:
    as_before = old.text[old.start : old.end].rstrip("\r\n") == new.text[new.start : new.end].rstrip("\r\n")
    return as_before or old.values == new.values


def _defaults(text: IniText) -> list[dict[str, str]]:
    return [section.values for section in text.sections if section.name == DEFAULT_SECTION]


def _check_section(change: Edit, old: SectionSpan | None, new: SectionSpan | None) -> None:
    was = {} if old is None else old.values
    now = {} if new is None else new.values
    match change:
        case SectionEdit():
            kept = {name: value for name, value in was.items() if name not in change.remove_keys}
            intended = {**kept, **{name.lower(): value for name, value in change.set_keys.items()}}
        case SectionRemoval():
            intended = {}
        case SectionText():
            intended = section_keys(change.text, change.section) or {}
    if now != intended:
        raise IniRefused(f"[{change.section}] would not read back as it was meant")
