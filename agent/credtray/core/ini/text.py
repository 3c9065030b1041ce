"""The pieces of a scanned AWS INI text: sections, options, comments, and where they lie.

Reads only; what is a section and what is not is decided in ``ini.scan``. Positions are offsets into the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


# Walks over AWS INI text by the very rules of botocore's parser.
#
# Reads only: it decides nothing, changes nothing, and never quotes a value in a message (it may be a
# secret).
#
# The rules are those of ``configparser.RawConfigParser`` (Python 3.11 to 3.13, strict, ``=`` and ``:`` as
# delimiters, ``#`` and ``;`` at the start of a line as comments) plus the nested blocks of botocore 1.44
# ``configloader._parse_nested``. Both are the oracle of the tests.
#
# One walk keeps only where sections lie; the options of a section are built when somebody asks for them, so
# that a file of 2,000 sections costs milliseconds.


_BOM = "\ufeff"
_NAMEABLE = re.compile(r"[a-z]+(?:_[a-z]+)+|region|output")  # a key name that cannot be a stray secret

_shared: ContextVar[dict[bytes, IniText] | None] = ContextVar("shared_scans", default=None)


@contextmanager
def shared_scans() -> Iterator[None]:
    """Let all calls of ``scan`` in the body (of this thread) share their work: the same bytes, one walk.

    What is kept goes at the end of the body: a text may hold secrets.
    """
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def scan(data: bytes) -> IniText:
    """Find every section of *data* and the first reason, if any, why botocore refuses it."""
    known = _shared.get()
    if known is None:
        return _scan(data)
    if data not in known:
        known[data] = _scan(data)
    return known[data]


def _scan(data: bytes) -> IniText:
    text = decode(data)
    scanner = _Scanner(text)
    scanner.run()
    problem = _undecodable(data) or scanner.problem or _nested_problem(scanner.sections, scanner.nested)
    return IniText(text, scanner.sections, problem)


def _undecodable(data: bytes) -> IniProblem | None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(split_lines(decode(data[: error.start]) + "x")[0])
        return IniProblem(line, "this line is not UTF-8 text; save the file as UTF-8")
    return None


class _Scanner:
    """The state machine of ``RawConfigParser._read``, keeping positions instead of values."""

    def __init__(self, text: str) -> None:
        self.sections: list[SectionSpan] = []
        self.nested: list[SectionSpan] = []
        """The sections with continuation lines."""
        self.problem: IniProblem | None = None
        self._text = text
        self._in_value = False
        self._indent = 0
        self._options: dict[str, set[str]] = {}
        self._current: set[str] = set()

    def run(self) -> None:
        """Walk over all lines once."""
        text, at = self._text, 0
        if text.startswith(_BOM):
            self._complain(1, "the file begins with a byte order mark; save it as UTF-8 without one")
            text, at = text[1:], 1
        lines, lost = split_lines(text)
        names = self._current
        for number, line in enumerate(lines, 1):
            if line[:1] in PLAIN:  # nearly every line of a real file; spelled out, since it is what costs
                equals = line.find("=")
                name = line[:equals].rstrip().lower()
                if equals < 1 or ":" in name or name in names or not self.sections:
                    self._assignment(line, number)
                else:
                    names.add(name)
                    self._in_value = True
                self._indent = 0
            elif line:
                self._line(line, number, at, lost)
                names = self._current
            at += len(line) + lost
        if self.sections:
            last = self.sections[-1]
            last.end = len(self._text)  # the last line may lack its ending
            last.header_end = min(last.header_end, last.end)

    def _complain(self, line: int, text: str) -> None:
        if self.problem is None:
            self.problem = IniProblem(line, text)

    def _line(self, line: str, number: int, at: int, lost: int) -> None:
        clean = line.strip()
        if not clean or clean[0] in "#;":
            return
        indent = 0 if line[0] == clean[0] else len(line) - len(line.lstrip())
        if self._in_value and indent > self._indent:
            if not (self.nested and self.nested[-1] is self.sections[-1]):
                self.nested.append(self.sections[-1])
            return
        self._indent = indent
        closing = clean.rfind("]") if clean[0] == "[" else -1
        if closing > 1:
            self._header(
                SectionSpan(clean[1:closing], number, indent, at, at + len(line) + lost, text=self._text)
            )
        else:
            self._assignment(clean, number)

    def _header(self, section: SectionSpan) -> None:
        name = section.name
        if self.sections:
            self.sections[-1].end = section.start
        if name in self._options and name != DEFAULT_SECTION:
            self._complain(section.header_line, f"a second section [{name}]")
        self._current = self._options.setdefault(name, set())
        self._in_value = False
        self.sections.append(section)

    def _assignment(self, line: str, number: int) -> None:
        if not self.sections:
            self._complain(number, "text before the first section header")
            return
        delimiter = delimiter_at(line)
        if delimiter < 0:
            text = f"a line in [{self.sections[-1].name}] that is neither `key = value` nor a header"
            self._complain(number, text)
            return
        name = line[:delimiter].rstrip().lower()
        if name in self._current:
            shown = f"`{name}`" if _NAMEABLE.fullmatch(name) else "key"
            self._complain(number, f"a second {shown} in [{self.sections[-1].name}]")
        elif not name:
            self._complain(number, f"a line in [{self.sections[-1].name}] without a key")
        self._current.add(name)
        self._in_value = bool(name)  # configparser's empty name takes no continuation lines


def _nested_problem(sections: list[SectionSpan], nested: list[SectionSpan]) -> IniProblem | None:
    """Apply botocore's rule: a value of only indented lines must be made of ``key = value`` lines."""
    for section in nested:
        for option in section.options:
            if not (option.tail and option.value.startswith("\n") and _bad_block(option.value)):
                continue
            if section.name != DEFAULT_SECTION or _shines_through(option.name, sections):
                line = len(split_lines(section.text[: option.start] + "x")[0])
                text = f"a line in the indented block below is not `key = value`, in [{section.name}]"
                return IniProblem(line, text)
    return None


def _bad_block(value: str) -> bool:
    return any(line.strip() and "=" not in line for line in value.splitlines())


def _shines_through(option: str, sections: list[SectionSpan]) -> bool:
    return any(section.name != DEFAULT_SECTION and option not in section.values for section in sections)
