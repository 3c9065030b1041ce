"""What may be asked of an AWS INI text, and what may not.

Emits nothing itself; ``ini.splice`` carries the changes out. A name, value or comment that would not stay on
its own line, or that parsers read differently, is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from credtray.core.errors import IniRefused
from credtray.core.ini.scan import scan
from credtray.core.ini.text import DEFAULT_SECTION

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
