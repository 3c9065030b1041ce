"""The pieces of a scanned AWS INI text: sections, options, comments, and where they lie.

Reads only; what is a section and what is not is decided in ``ini.scan``. Positions are offsets into the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DEFAULT_SECTION = "DEFAULT"
"""configparser's defaults: what stands here shines through in every section."""

PLAIN = frozenset(chr(code) for code in range(33, 127)) - frozenset("#;[")
"""A line that begins so is an assignment (or broken): never a comment, a header or a continuation."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class IniProblem:
    """Why botocore refuses the whole file. ``line`` counts from 1; ``text`` never quotes a value."""

    line: int
    text: str


@dataclass(slots=True)
class Option:
    """One ``name = value`` with its continuation lines."""

    name: str
    """Lower-cased, as the parser does."""
    text: str = field(repr=False)
    """The option's own line with its ending."""
    start: int
    indent: int
    value_at: int
    """How far into its own line the text behind the delimiter begins."""
    more: tuple[str, ...] = field(default=(), repr=False)
    """One entry for each continuation line, stripped, and an empty one for each blank line."""
    tail: tuple[tuple[int, int], ...] = ()
    """Start and end of each continuation line."""

    @property
    def end(self) -> int:
        """Just behind the line ending of the option's own line."""
        return self.start + len(self.text)

    @property
    def value(self) -> str:
        """The value as the parser returns it."""
        first = self.text[self.value_at :].strip()
        return "\n".join((first, *self.more)).rstrip() if self.more else first

    @property
    def content_end(self) -> int:
        """Just behind the last line that belongs to the value."""
        return self.tail[-1][1] if self.tail else self.end


@dataclass(frozen=True, slots=True)
class Comment:
    """One whole-line comment; ``text`` is stripped and still carries its ``#`` or ``;``."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class SectionSpan:
    """One section: from its header up to the next header (or the end of the text)."""

    name: str
    """What stands between the brackets, exactly."""
    header_line: int
    """Counted from 1."""
    indent: int
    start: int
    header_end: int
    end: int = 0
    text: str = field(default="", repr=False)
    """The whole scanned text, which the positions point into."""
    _parts: tuple[list[Option], list[Comment]] | None = field(default=None, repr=False)
    _values: dict[str, str] | None = field(default=None, repr=False)

    @property
    def options(self) -> list[Option]:
        """The options in order of appearance, duplicates included."""
        if self._parts is None:
            self._parts = _parts(self)
        return self._parts[0]

    @property
    def comments(self) -> list[Comment]:
        """The whole-line comments in order of appearance."""
        if self._parts is None:
            self._parts = _parts(self)
        return self._parts[1]

    @property
    def values(self) -> dict[str, str]:
        """The options by lower-cased name; of duplicates the last one."""
        if self._values is None:
            self._values = {option.name: option.value for option in self.options}
        return dict(self._values)

    @property
    def content_end(self) -> int:
        """Just behind the last option (or the header): comments after it may belong to the next section."""
        return self.options[-1].content_end if self.options else self.header_end


@dataclass(frozen=True, slots=True)
class IniText:
    """A scanned text."""

    text: str = field(repr=False)
    """Decoded so that encoding it again gives the same bytes, whatever they were."""
    sections: list[SectionSpan]
    problem: IniProblem | None

    def last(self, name: str) -> SectionSpan | None:
        """Return the last section of that name: of duplicates the one an editor should touch."""
        return next((section for section in reversed(self.sections) if section.name == name), None)

    def by_name(self) -> dict[str, SectionSpan]:
        """Return the sections by name, of duplicates the last one."""
        return {section.name: section for section in self.sections}


def decode(data: bytes) -> str:
    """Decode so that ``encode`` gives back the very same bytes, UTF-8 or not."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Undo ``decode``."""
    return text.encode("utf-8", "surrogateescape")


def split_lines(text: str) -> tuple[list[str], int]:
    """Split where a text file splits: at LF, CRLF and a lone CR, nothing else.

    Returns the lines and how many characters each has lost: in a text without any CR the LF is dropped.
    """
    if "\r" in text:
        return _LINE.findall(text), 0
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines, 1


def delimiter_at(line: str) -> int:
    """Return where the first ``=`` or ``:`` stands, -1 when there is none."""
    equals = line.find("=")
    colon = line.find(":", 0, equals) if equals >= 0 else line.find(":")
    return colon if colon >= 0 else equals


def _parts(section: SectionSpan) -> tuple[list[Option], list[Comment]]:
    """Build the options and comments of one section; its lines follow the same rules as in ``ini.scan``."""
    options: list[Option] = []
    comments: list[Comment] = []
    open_option: Option | None = None
    level, at = section.indent, section.header_end
    for line in _lines_of(section):
        clean = line if line[0] in PLAIN else line.strip()
        end = at + len(line)
        if not clean:
            if open_option is not None:
                open_option.more += ("",)
        elif clean[0] in "#;":
            comments.append(Comment(clean, at, end))
        else:
            indent = 0 if line[0] == clean[0] else len(line) - len(line.lstrip())
            if open_option is not None and indent > level:
                open_option.more += (clean,)
                open_option.tail += ((at, end),)
            else:
                level = indent
                open_option = _option(line, at, indent, options) or (
                    open_option if delimiter_at(line) < 0 else None
                )
        at = end
    return options, comments


def _lines_of(section: SectionSpan) -> list[str]:
    text = section.text[section.header_end : section.end]
    lines, lost = split_lines(text)
    if not lost or not lines:
        return lines
    whole = [line + "\n" for line in lines]
    if not text.endswith("\n"):
        whole[-1] = lines[-1]
    return whole


def _option(line: str, at: int, indent: int, options: list[Option]) -> Option | None:
    """Add the option that *line* sets; None when it sets none."""
    delimiter = delimiter_at(line)
    name = line[indent:delimiter].rstrip().lower() if delimiter >= 0 else ""
    if not name:
        return None
    options.append(Option(name, line, at, indent, delimiter + 1))
    return options[-1]
