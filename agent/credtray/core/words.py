"""Names, durations and instants as words: what a person reads, types or pastes. Pure text to text.

Foreign names become labels of one line with nothing invisible in them. Words of a shell: core/shell_words.
Knows nothing of markup or mnemonics: code that draws a label doubles and escapes them.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import lru_cache

LIMIT = 48
"""Characters of one name; a menu of longer ones reaches across the screen."""
NAMELESS = "(no name)"
"""What stands for a name of which nothing can be seen."""
_ELLIPSIS = "…"
_LOST = "\N{REPLACEMENT CHARACTER}"
_STACK = 4
"""Combining marks on one letter: no script needs more, and towers of them cover the lines above."""

_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters and marks that show nothing (Unicode: Default_Ignorable_Code_Point), and the empty Braille cell."""
_BLANKS = frozenset({"Cc", "Zl", "Zp", "Zs"})
_HIDDEN = frozenset({"Cf"})
_NOTHING_TO_SEE = frozenset("MZ")


@lru_cache(maxsize=8192)
def plain(text: str, limit: int = LIMIT) -> str:
    """Return the text as one visible line of at most *limit* characters (9 or more), never empty.

    Line breaks and control characters become blanks; bidirectional controls and zero-width characters go;
    what has no character (unpaired surrogates, private use) is shown as lost. A long text loses its middle.
    """
    clean = text if text.isascii() and text.isprintable() else _visible(text)
    return _shortened(clean.strip(" "), limit) or NAMELESS


def _visible(text: str) -> str:
    kept: list[str] = []
    stack = 0
    for char in text:
        kind = unicodedata.category(char)
        shown = _shown(char, kind)
        if shown:  # what is left out does not begin another stack
            stack = stack + 1 if kind[0] == "M" else 0
        if stack <= _STACK:
            kept.append(shown)
    clean = "".join(kept)
    return clean if any(unicodedata.category(char)[0] not in _NOTHING_TO_SEE for char in clean) else ""


def _shown(char: str, kind: str) -> str:
    if kind in _HIDDEN or char in _INVISIBLE_LETTERS:
        return ""
    if kind in _BLANKS:
        return " "
    return char if char.isprintable() else _LOST


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    room = limit - len(_ELLIPSIS)
    head, tail = text[: room - room // 2], text[len(text) - room // 2 :]
    while tail and unicodedata.category(tail[0])[0] == "M":
        tail = tail[1:]  # it would sit on the ellipsis
    return f"{head}{_ELLIPSIS}{tail}"


# Finds the names a person may have meant. Knows nothing of profiles or settings.


_FAR_BEHIND = 0.15
"""Names of one session share half of their letters: those so much less alike than the best are noise."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return up to ``most`` known names that look like ``name``, best first, ignoring case."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    folded = name.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=most, cutoff=0.5)
    best = max((_likeness(folded, each) for each in close), default=0.0)
    return [by_folded[each] for each in close if _likeness(folded, each) >= best - _FAR_BEHIND]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean ...?`` or an empty text."""
    names = nearest(name, known)
    return f" Did you mean {' or '.join(names)}?" if names else ""


# Durations as people write them: ``30m``, ``4h``, ``1h30m``. Knows nothing of clocks.


_FORM = re.compile(
    r"(?:(?P<days>\d{1,4})d)?(?:(?P<hours>\d{1,5})h)?(?:(?P<minutes>\d{1,6})m)?(?:(?P<seconds>\d{1,7})s)?",
    re.ASCII,
)
_MINUTE = 60
_HOUR = 3600


def parse_duration(text: str) -> timedelta:
    """Read durations such as ``1h30m``; units d, h, m, s in that order.

    Raises:
        ValueError: the text is not of that form, or the duration is zero.
    """
    match = _FORM.fullmatch(text.strip())
    amounts = {unit: int(amount) for unit, amount in match.groupdict().items() if amount} if match else {}
    duration = timedelta(**amounts)
    if not duration:
        raise ValueError(f"{text!r} is not a duration such as 30m, 4h or 1h30m")
    return duration


def short(duration: timedelta) -> str:
    """Write a duration for a person, to the nearest minute: ``3 h 12 min``, ``9 min``, ``40 s``."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    hours, minutes = divmod((seconds + _MINUTE // 2) // _MINUTE, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def rough(duration: timedelta) -> str:
    """Write a duration that is a guess, to five minutes; below ten minutes as ``short`` does."""
    if duration < timedelta(minutes=10):
        return short(duration)
    return short(timedelta(minutes=5 * round(duration / timedelta(minutes=5))))


def exact(duration: timedelta) -> str:
    """Write a duration of whole seconds so that ``parse_duration`` reads it back: ``1h30m``."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, seconds in (("d", 24 * _HOUR), ("h", _HOUR), ("m", _MINUTE), ("s", 1)):
        amount, rest = divmod(rest, seconds)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)


# Instants as AWS's tools and their neighbours write them, read into aware UTC. Knows nothing of clocks.


NOTED_ENDS = (
    "aws_session_expiration",
    "aws_credential_expiration",
    "x_security_token_expires",
    "aws_expiration",
)
"""Settings in which other tools note when the keys of a credentials file section end; no SDK reads them."""
_TWICE = "+00:00+0000"
"""yawsso writes the offset twice."""


def noted_end(settings: Mapping[str, str]) -> tuple[str, datetime] | None:
    """Return the first of ``NOTED_ENDS`` that holds a date (UTC where it names no zone), and that date."""
    for name in NOTED_ENDS:
        try:
            return name, read_date(_offset_once(settings.get(name, "").strip()))
        except ValueError:
            continue
    return None


def utc_instant(written: str) -> datetime | None:
    """Return the instant, or None where the text names none for certain (no time zone, no such day).

    ISO 8601, also as yawsso writes it (``2026-11-22T21:00:00+00:00+0000``), or milliseconds since 1970 as
    GetRoleCredentials answers.
    """
    text = written.strip()
    try:
        if text.isascii() and text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(_offset_once(text))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _offset_once(text: str) -> str:
    return text.removesuffix("+0000") if text.endswith(_TWICE) else text


def on_every_clock(instant: datetime) -> bool:
    """Tell whether an instant can be shown in every time zone: not in the first or the last year there is."""
    return MINYEAR < instant.year < MAXYEAR


def read_date(value: object) -> datetime:
    """Read a date as any of the programs that share the cache may have written it: Z, UTC, offset, fraction.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError("not a date")  # noqa: TRY004 - one class for everything a cache file can be
    text = value.strip().upper()
    if text.endswith("UTC"):  # early AWS CLI 2.0
        text = f"{text[:-3].rstrip()}Z"
    date = datetime.fromisoformat(text)
    if not on_every_clock(date):
        raise ValueError("out of range")
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
