"""Walks over AWS INI text by the very rules of botocore's parser.

Reads only: it decides nothing, changes nothing, and never quotes a value in a message (it may be a secret).

The rules are those of ``configparser.RawConfigParser`` (Python 3.11 to 3.13, strict, ``=`` and ``:`` as
delimiters, ``#`` and ``;`` at the start of a line as comments) plus the nested blocks of botocore 1.44
``configloader._parse_nested``. Both are the oracle of the tests.

One walk keeps only where sections lie; the options of a section are built when somebody asks for them, so
that a file of 2,000 sections costs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from credtray.core.ini.text import (
    DEFAULT_SECTION,
    PLAIN,
    IniProblem,
    IniText,
    SectionSpan,
    decode,
    delimiter_at,
    split_lines,
)

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
        return IniProblem(
            len(split_lines(decode(data[: error.start]) + "x")[0]), "this line is not UTF-8 text"
        )
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
            self._complain(1, "the file begins with a byte order mark")
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
