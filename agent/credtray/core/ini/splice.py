"""Carries out changes of AWS INI sections as splices of the text.

Never touches a character outside the lines it was asked to change. ``ini.edit`` is the door; it also reads
the result back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from credtray.core.errors import IniRefused
from credtray.core.ini.text import DEFAULT_SECTION, Comment, IniText, Option, SectionSpan, decode, scan

# What may be asked of an AWS INI text, and what may not.
#
# Emits nothing itself; ``ini.splice`` carries the changes out. A name, value or comment that would not stay
# on its own line, or that parsers read differently, is refused here.


_OPTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MAX_NAME = 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """The one comment line of ours in a section, known by its prefix; it goes directly under the header."""

    prefix: str
    """With the ``#``: what every line of ours begins with, and nobody else's."""
    line: str | None
    """The whole comment; None takes it out."""


@dataclass(frozen=True, slots=True)
class SectionEdit:
    """Set and remove options of one section; a missing one is appended when there is a key to set."""

    section: str
    set_keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    remove_keys: frozenset[str] = frozenset()
    """Lower-cased names."""
    mark: Mark | None = None
    drop_if_empty: bool = False
    """Take the header out too when no option and no comment (but the mark) is left in the section."""
    gap: int = 0
    """With ``drop_if_empty``: how many line ends ``append_gap`` once told to be put before the header."""


@dataclass(frozen=True, slots=True)
class SectionRemoval:
    """Take a whole section out, with the blank lines behind it; comments behind its last option stay."""

    section: str


@dataclass(frozen=True, slots=True)
class SectionText:
    """Make a section's bytes, from header to last option, exactly these."""

    section: str
    text: bytes = field(repr=False)


Edit = SectionEdit | SectionRemoval | SectionText


def check(change: Edit) -> None:
    """Refuse what could not be read back as it was meant.

    Raises:
        IniRefused: the section name, an option, a value or the comment is not fit to be written.
    """
    check_section_name(change.section)
    match change:
        case SectionEdit():
            for name, value in change.set_keys.items():
                _check_option(name, value)
            if change.mark is not None and not _fits(change.mark):
                raise IniRefused(f"the comment for [{change.section}] does not fit on one line")
        case SectionText():
            _check_text(change)
        case SectionRemoval():
            pass


def _fits(mark: Mark) -> bool:
    if not mark.prefix.startswith("#"):
        return False
    return mark.line is None or (mark.line.startswith(mark.prefix) and mark.line.isprintable())


def _check_text(change: SectionText) -> None:
    found = scan(change.text)
    names = [section.name for section in found.sections]
    if names != [change.section] or (found.sections[0].start, found.sections[0].content_end) != (
        0,
        len(found.text),
    ):
        raise IniRefused(f"the text is not that of [{change.section}] alone")


def check_section_name(name: str) -> None:
    """Refuse a section name that tools read differently, or that would reach beyond its section.

    Raises:
        IniRefused: empty, too long, control characters, brackets, outer blanks, or ``DEFAULT``.
    """
    if not name or len(name) > _MAX_NAME or name != name.strip():
        raise IniRefused("a section name may not be empty, very long, or begin or end with a blank")
    if not name.isprintable() or "]" in name or "[" in name:
        raise IniRefused(f"a section name may not hold control characters or brackets: {name!a}")
    if name == DEFAULT_SECTION:
        raise IniRefused("[DEFAULT] would put the keys into every profile; the default profile is [default]")


def _check_option(name: str, value: str) -> None:
    if not _OPTION_NAME.fullmatch(name):
        raise IniRefused("a key name may hold letters, digits, `_`, `.` and `-` only")
    if not value or value != value.strip() or not value.isprintable():
        raise IniRefused(f"the value of `{name}` is empty or does not fit on one line")


_ENDING = re.compile(r"\r\n|\n|\r")
_BLANK_LINE = re.compile(r"[ \t]*(?:\r\n|\n|\r)")


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str = field(repr=False)


def line_ends_before(text: str) -> int:
    """Return how many line ends go before a section appended to *text*: it begins after one blank line."""
    if not text.endswith(("\n", "\r")):
        return 2 if text.strip() else len(text[:1])
    last_line = text.removesuffix("\n").removesuffix("\r")
    last_line = last_line[max(last_line.rfind("\n"), last_line.rfind("\r")) + 1 :]
    return 1 if last_line.strip() else 0


def spliced(before: IniText, edits: Sequence[Edit]) -> str:
    """Return the text after all *edits*.

    Raises:
        IniRefused: see ``ini.edit``.
        ValueError: two edits name the same section.
    """
    for change in edits:
        check(change)
    if len({change.section for change in edits}) != len(edits):
        raise ValueError("two edits of one section")
    known = before.by_name()
    worker = _Splicer(before)
    present = [change for change in edits if change.section in known]
    for change in sorted(present, key=lambda change: known[change.section].start, reverse=True):
        worker.change(known[change.section], change)
    return worker.result([change for change in edits if change.section not in known])


class _Splicer:
    """Collects splices from the end of the text to its beginning."""

    def __init__(self, before: IniText) -> None:
        self._text = before.text
        first = _ENDING.search(before.text)
        self._file_ending = first.group() if first else "\n"
        following = pairwise([*before.sections, None])
        self._next = {section.start: after for section, after in following if section is not None}
        self._splices: list[_Splice] = []
        self._kept_end = len(before.text)
        """Where the text ends for now: moves forward while its last sections are being dropped."""

    def result(self, missing: Sequence[Edit]) -> str:
        """Join everything and append the sections that were missing."""
        pieces: list[str] = []
        at = 0
        for splice in sorted(self._splices, key=lambda splice: (splice.start, splice.end)):
            pieces += [self._text[at : max(at, splice.start)], splice.text]
            at = max(at, splice.end)
        kept = "".join((*pieces, self._text[at:]))
        return kept + self._appended(kept, missing)

    def _appended(self, text: str, missing: Sequence[Edit]) -> str:
        pieces = [text]
        for change in missing:
            addition = _new_section(change, self._file_ending)
            if addition:
                # A line feed right behind a lone carriage return would make one line ending of the two.
                ending = "\r" if pieces[-1].endswith("\r") else self._file_ending
                pieces += [ending * line_ends_before(pieces[-1]), addition]
        return "".join(pieces[1:])

    def change(self, section: SectionSpan, change: Edit) -> None:
        """Apply *change* to the section that exists."""
        match change:
            case SectionEdit():
                self._edit(section, change)
            case SectionRemoval():
                end = section.content_end
                while (found := _BLANK_LINE.match(self._text, end)) is not None:
                    end = found.end()
                self._cut(section.start, end)
            case SectionText():
                text = decode(change.text)
                if section.content_end < len(self._text) and not text.endswith(("\n", "\r")):
                    text += self._ending_of(section)
                self._splices.append(_Splice(section.start, section.content_end, text))

    def _cut(self, start: int, end: int) -> None:
        self._splices.append(_Splice(start, end, ""))
        if end >= self._kept_end:
            self._kept_end = start

    def _ending_of(self, section: SectionSpan) -> str:
        found = _ENDING.search(self._text, section.start, section.header_end)
        return found.group() if found else self._file_ending

    def _edit(self, section: SectionSpan, change: SectionEdit) -> None:
        marks = _marks(section, change.mark)
        after = self._next[section.start]
        droppable = after is None or after.indent == 0  # else the value above would swallow its header
        if change.drop_if_empty and droppable and _nothing_left(section, change, marks):
            end = max([section.content_end, *(mark.end for mark in marks)])
            self._cut(self._without_gap(section.start, end, change.gap), end)
            return
        ending = self._ending_of(section)
        added = self._mark(marks, change.mark, ending)
        self._options(section, change)
        known = {option.name for option in section.options}
        indent = self._indent_of(section)
        keys = [
            f"{indent}{name} = {value}"
            for name, value in change.set_keys.items()
            if name.lower() not in known
        ]
        if not section.options or (not keys and not added):
            self._insert(max([section.content_end, *(mark.end for mark in marks)]), [*added, *keys], ending)
            return
        self._insert(section.header_end, added, ending)
        self._insert(max([section.content_end, *(mark.end for mark in marks)]), keys, ending)

    def _insert(self, at: int, lines: Sequence[str], ending: str) -> None:
        if lines:
            lead = ending if at and self._text[at - 1] not in "\r\n" else ""
            self._splices.append(_Splice(at, at, lead + "".join(line + ending for line in lines)))

    def _mark(self, marks: Sequence[Comment], mark: Mark | None, ending: str) -> list[str]:
        """Replace or remove the lines that exist; return the line that has to be inserted, if any."""
        if mark is None:
            return []
        for number, old in enumerate(marks):
            if number or mark.line is None:
                self._splices.append(_Splice(old.start, old.end, ""))
            elif old.text != mark.line:
                self._splices.append(_Splice(old.start, old.end, mark.line + ending))
        return [] if marks or mark.line is None else [mark.line]

    def _options(self, section: SectionSpan, change: SectionEdit) -> None:
        wanted = {name.lower(): value for name, value in change.set_keys.items()}
        last = {option.name: option for option in section.options}
        for option in section.options:
            if option.name in change.remove_keys:
                self._splices += [_Splice(option.start, option.end, ""), *_without_tail(option)]
            elif option.name not in wanted or option is not last[option.name]:
                continue
            elif wanted[option.name] != option.value:
                line = _assigned(option, wanted[option.name])
                self._splices += [_Splice(option.start, option.end, line), *_without_tail(option)]

    def _indent_of(self, section: SectionSpan) -> str:
        """New keys stand as deep as the last one; deeper or shallower they would change what others mean."""
        if section.options:
            last = section.options[-1]
            return last.text[: last.indent]
        after = self._next[section.start]
        return "" if after is None else self._text[after.start : after.start + after.indent]

    def _without_gap(self, start: int, end: int, gap: int) -> int:
        """Return where to cut before a header so that the line ends once put there go too, and no others."""
        ends_here = end >= self._kept_end
        for _ in range(gap):
            length = 2 if self._text[max(start - 2, 0) : start] == "\r\n" else 1
            at = start - length
            if at < 0 or self._text[start - 1] not in "\r\n":
                break
            if at and self._text[at - 1] not in "\r\n" and not ends_here:
                break  # this one ends somebody's line
            start = at
        return start


def _marks(section: SectionSpan, mark: Mark | None) -> list[Comment]:
    if mark is None:
        return []
    return [comment for comment in section.comments if comment.text.startswith(mark.prefix)]


def _nothing_left(section: SectionSpan, change: SectionEdit, marks: Sequence[Comment]) -> bool:
    if change.set_keys or any(option.name not in change.remove_keys for option in section.options):
        return False
    inside = (comment for comment in section.comments if comment.start < section.content_end)
    return all(comment in marks for comment in inside)


def _without_tail(option: Option) -> list[_Splice]:
    return [_Splice(start, end, "") for start, end in option.tail]


def _assigned(option: Option, value: str) -> str:
    """Return the option's line with another value: its spelling, its spacing, its line ending."""
    at = option.value_at
    rest = option.text[at:]
    ending = _ENDING.search(rest)
    blanks = rest[: len(rest) - len(rest.lstrip())] if rest.strip() else ""
    if not blanks and not rest.strip() and option.text[at - 2 : at - 1].isspace():
        blanks = " "
    return option.text[:at] + blanks + value + (ending.group() if ending else "")


def _new_section(change: Edit, ending: str) -> str:
    match change:
        case SectionEdit() if change.set_keys:
            mark = [change.mark.line] if change.mark is not None and change.mark.line is not None else []
            keys = [f"{name} = {value}" for name, value in change.set_keys.items()]
            return "".join(line + ending for line in (f"[{change.section}]", *mark, *keys))
        case SectionText():
            return decode(change.text)
        case _:
            return ""
