"""Draws the time line as shapes with places: percent across, pixels down. Pure; templates write the SVG.

Percent, so that the picture fits a phone and a wide screen without a script and without stretching its words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from credtray.core.state_words import clock_time
from credtray.core.words import plain
from credtray.history.timeline import (
    BAR_WORDS,
    GAP_WORDS,
    Bar,
    BarKind,
    Lane,
    Mark,
    Timeline,
    bar_words,
    full_hours,
    mark_words,
)

_AXIS = 30
"""Pixels of the hours at the top."""
_TITLE = 30
_BAR = 34
"""A bar with its label above."""
_MARK = 30
_GAP = 14
_MOST_KEYS = 12
"""Profiles of one session with a bar of their own; the table has them all."""
_MOST_MARKS = 6
"""Of one session; the same is true of these."""
_LABEL_ENDS = 0.52
"""A bar that begins further right has its label at its end, or it would run out of the picture."""
_MIDDLE = (0.35, 0.65)
"""Words of a moment between these are centred on it."""
_BESIDE_NOW = 0.035
"""An hour so near to now makes room for it."""
_DAY = timedelta(hours=24)
_STYLE = {BarKind.SIGN_IN: "sign-in", BarKind.ACCESS_TOKEN: "token", BarKind.KEYS: "keys"}


@dataclass(frozen=True, slots=True)
class Tick:
    """One full hour."""

    x: str
    label: str
    minor: bool
    """Left out where there is little room."""
    hidden: bool
    """The clock of now stands there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar."""

    x: str
    width: str
    soft: bool
    """Only expected."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """One bar."""

    kind: str
    label: str
    y: int
    pieces: tuple[Piece, ...]
    label_x: str
    anchor: str
    renewals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """One moment: a line down, and words."""

    kind: str
    x: str
    y: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Track:
    """One session."""

    name: str
    y: int
    stripes: tuple[Stripe, ...]
    flags: tuple[Flag, ...]
    more: str
    more_y: int
    end: int


@dataclass(frozen=True, slots=True)
class Hatched:
    """A time in which nothing could be done."""

    x: str
    width: str
    text: str


@dataclass(frozen=True, slots=True)
class TableLine:
    """The same in words."""

    session: str
    what: str
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it."""

    height: int
    now_x: str
    now: str
    ticks: tuple[Tick, ...]
    tracks: tuple[Track, ...]
    gaps: tuple[Hatched, ...]
    table: tuple[TableLine, ...]


def drawn(line: Timeline, zone: tzinfo | None) -> Picture:
    """Return the picture of a time line for a reader in that zone."""
    tracks: list[Track] = []
    y = _AXIS
    for lane in line.lanes:
        tracks.append(_track(lane, line, y, zone))
        y = tracks[-1].end + _GAP
    gaps = tuple(
        Hatched(
            _percent(line.place(gap.start)),
            _percent(line.place(gap.end) - line.place(gap.start)),
            GAP_WORDS[gap.kind],
        )
        for gap in line.gaps
    )
    table = tuple(_table(line, zone))
    now = _percent(line.place(line.now))
    return Picture(y, now, _clock(line.now, zone), _ticks(line, zone), tuple(tracks), gaps, table)


def _track(lane: Lane, line: Timeline, top: int, zone: tzinfo | None) -> Track:
    y = top + _TITLE
    # What is to come matters more than what was.
    flags = []
    for mark in lane.marks[-_MOST_MARKS:]:
        flags.append(_flag(mark, line, y, zone))
        y += _MARK
    bars = [bar for bar in lane.bars if bar.stretches]
    keys = [bar for bar in bars if bar.kind is BarKind.KEYS]
    stripes = []
    for bar in (*(bar for bar in bars if bar.kind is not BarKind.KEYS), *keys[:_MOST_KEYS]):
        stripes.append(_stripe(bar, line, y))
        y += _BAR
    left = len(keys) - _MOST_KEYS
    more = f"and keys of {left} more profiles, in the table" if left > 0 else ""
    end = y + (_BAR if more else 0)
    return Track(plain(lane.name), top, tuple(stripes), tuple(flags), more, y, end)


def _stripe(bar: Bar, line: Timeline, y: int) -> Stripe:
    start, end = line.place(bar.stretches[0].start), line.place(bar.stretches[-1].end)
    at_end = start > _LABEL_ENDS
    pieces = tuple(
        Piece(
            _percent(line.place(each.start)),
            _percent(line.place(each.end) - line.place(each.start)),
            not each.certain,
        )
        for each in bar.stretches
    )
    return Stripe(
        _STYLE[bar.kind],
        _name(bar),
        y,
        pieces,
        _percent(end if at_end else start),
        "end" if at_end else "start",
        tuple(_percent(line.place(each)) for each in bar.renewals),
    )


def _name(bar: Bar) -> str:
    return plain(bar.name) if bar.kind is BarKind.KEYS else BAR_WORDS[bar.kind]


def _flag(mark: Mark, line: Timeline, y: int, zone: tzinfo | None) -> Flag:
    x = line.place(mark.at)
    words = plain(mark_words(mark, line.now, zone), 90)
    kind = "you" if mark.kind.needs_a_person else "failed"
    return Flag(kind, _percent(x), y, words[:1].upper() + words[1:], _anchor(x))


def _anchor(x: float) -> str:
    """Return where words that belong to this place are held, so that they stay inside."""
    return "start" if x < _MIDDLE[0] else "middle" if x < _MIDDLE[1] else "end"


def _ticks(line: Timeline, zone: tzinfo | None) -> tuple[Tick, ...]:
    every, wide = (3, 6) if line.end - line.start > _DAY else (1, 3)
    now = line.place(line.now)
    return tuple(
        Tick(
            _percent(line.place(hour)),
            _clock(hour, zone),
            hour.astimezone(zone).hour % wide != 0,
            abs(line.place(hour) - now) < _BESIDE_NOW,
        )
        for hour in full_hours(line, zone, every)
    )


def _table(line: Timeline, zone: tzinfo | None) -> Iterator[TableLine]:
    for lane in line.lanes:
        name = plain(lane.name)
        for bar in lane.bars:
            what = f"keys of {plain(bar.name)}" if bar.kind is BarKind.KEYS else BAR_WORDS[bar.kind]
            yield TableLine(name, what, bar_words(bar, line.now, zone))
        for mark in lane.marks:
            yield TableLine(name, "event", plain(mark_words(mark, line.now, zone), 160))
    for gap in line.gaps:
        start, end = (clock_time(each, line.now, zone) for each in (gap.start, gap.end))
        yield TableLine("", GAP_WORDS[gap.kind], f"{start} to {end}")


def _clock(instant: datetime, zone: tzinfo | None) -> str:
    return instant.astimezone(zone).strftime("%H:%M")


def _percent(share: float) -> str:
    return f"{max(0.0, share) * 100:.2f}%"
