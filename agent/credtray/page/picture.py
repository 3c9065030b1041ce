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
    Gap,
    Lane,
    Mark,
    MarkKind,
    Timeline,
    bar_words,
    full_hours,
    mark_label,
    mark_words,
)

_AXIS = 30
"""Pixels of the hours at the top."""
_REASONS = 18
"""Below them, why nothing could be renewed for a while."""
_TITLE = 30
_BAR = 34
"""A bar with its label above."""
_MARK = 30
_GAP = 14
_MOST_KEYS = 12
"""Profiles of one session with a bar of their own; the table has them all."""
_MOST_MARKS = 6
"""Of one session; the same is true of these."""
_MIDDLE = (0.35, 0.65)
"""Words of a moment between these are centred on it."""
_EDGE = 0.02
"""An hour so near to an edge has its words inside."""
_WIDE, _NARROW = 700, 264
"""Pixels there are at least: in a window as wide as a desk's, and on the smallest phone (see style.css)."""
_LETTER = 6.5
"""Pixels of one, in the smallest writing."""
_BESIDE_NOW = ((0.045, "hidden"), (0.095, "beside"), (0.18, "near"))
"""An hour so near to now makes room for it: always, unless it is a wide window, on a phone."""
_DAY = timedelta(hours=24)
_STYLE = {BarKind.SIGN_IN: "sign-in", BarKind.ACCESS_TOKEN: "token", BarKind.KEYS: "keys"}


@dataclass(frozen=True, slots=True)
class Tick:
    """One full hour."""

    x: str
    label: str
    anchor: str
    minor: bool
    """Left out where there is little room."""
    room: str
    """Where its words would meet the clock of now; empty for nowhere."""


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
    brief: str
    """The same where there is little room."""
    y: int
    pieces: tuple[Piece, ...]
    renewals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """One moment: a line down, and words."""

    kind: str
    x: str
    y: int
    text: str
    brief: str
    """The same where there is little room."""
    anchor: str


@dataclass(frozen=True, slots=True)
class Bell:
    """A moment at which a person was told something."""

    x: str
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """One session."""

    name: str
    y: int
    stripes: tuple[Stripe, ...]
    flags: tuple[Flag, ...]
    bells: tuple[Bell, ...]
    more: str
    more_y: int
    end: int


@dataclass(frozen=True, slots=True)
class Hatched:
    """A time in which nothing could be done."""

    x: str
    width: str
    middle: str
    text: str
    room: str
    """``always`` or ``wide``: where its words have room inside; empty for nowhere."""


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

    @property
    def told(self) -> bool:
        """Tell whether it shows a notice."""
        return any(track.bells for track in self.tracks)

    @property
    def failed(self) -> bool:
        """Tell whether it shows a failure."""
        return any(flag.kind == "failed" for track in self.tracks for flag in track.flags)


def drawn(line: Timeline, zone: tzinfo | None) -> Picture:
    """Return the picture of a time line for a reader in that zone."""
    tracks: list[Track] = []
    gaps = tuple(_hatched(gap, line) for gap in line.gaps)
    y = _AXIS + (_REASONS if any(gap.room for gap in gaps) else 0)
    for lane in line.lanes:
        tracks.append(_track(lane, line, y, zone))
        y = tracks[-1].end + _GAP
    table = tuple(_table(line, zone))
    now = _percent(line.place(line.now))
    ticks = _ticks(line, zone)
    return Picture(y, now, _clock(line.now, zone), ticks, tuple(tracks), gaps, table)


def _hatched(gap: Gap, line: Timeline) -> Hatched:
    start, end = line.place(gap.start), line.place(gap.end)
    text, share = GAP_WORDS[gap.kind], end - start
    fits = [
        room for room, width in (("always", _NARROW), ("wide", _WIDE)) if share * width > len(text) * _LETTER
    ]
    return Hatched(
        _percent(start), _percent(share), _percent((start + end) / 2), text, fits[0] if fits else ""
    )


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
    bells = tuple(_bell(mark, line, zone) for mark in lane.notices)
    return Track(plain(lane.name), top, tuple(stripes), tuple(flags), bells, more, y, end)


def _bell(mark: Mark, line: Timeline, zone: tzinfo | None) -> Bell:
    return Bell(_percent(line.place(mark.at)), plain(mark_words(mark, line.now, zone), 160))


def _stripe(bar: Bar, line: Timeline, y: int) -> Stripe:
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
        _name(bar, 32),
        y,
        pieces,
        tuple(_percent(line.place(each)) for each in bar.renewals),
    )


def _name(bar: Bar, longest: int = 48) -> str:
    return plain(bar.name, longest) if bar.kind is BarKind.KEYS else BAR_WORDS[bar.kind]


def _flag(mark: Mark, line: Timeline, y: int, zone: tzinfo | None) -> Flag:
    x = line.place(mark.at)
    text, brief = (_sentence(mark_label(mark, line.now, zone, brief=each)) for each in (False, True))
    kind = "you" if mark.kind.needs_a_person else "failed"
    return Flag(kind, _percent(x), y, text, brief, _anchor(x))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _anchor(x: float) -> str:
    """Return where words that belong to this place are held, so that they stay inside."""
    return "start" if x < _MIDDLE[0] else "middle" if x < _MIDDLE[1] else "end"


def _ticks(line: Timeline, zone: tzinfo | None) -> tuple[Tick, ...]:
    every, wide = (3, 6) if line.end - line.start > _DAY else (1, 3)
    return tuple(_tick(hour, line, zone, wide) for hour in full_hours(line, zone, every))


def _tick(hour: datetime, line: Timeline, zone: tzinfo | None, wide: int) -> Tick:
    x = line.place(hour)
    anchor = "start" if x < _EDGE else "end" if x > 1 - _EDGE else "middle"
    beside = abs(x - line.place(line.now))
    room = next((room for share, room in _BESIDE_NOW if beside < share), "")
    return Tick(_percent(x), _clock(hour, zone), anchor, hour.astimezone(zone).hour % wide != 0, room)


def _table(line: Timeline, zone: tzinfo | None) -> Iterator[TableLine]:
    for lane in line.lanes:
        name = plain(lane.name)
        for bar in lane.bars:
            what = f"keys of {plain(bar.name)}" if bar.kind is BarKind.KEYS else BAR_WORDS[bar.kind]
            yield TableLine(name, what, bar_words(bar, line.now, zone))
        for mark in sorted((*lane.marks, *lane.notices), key=lambda mark: mark.at):
            yield TableLine(name, "event", plain(mark_words(mark, line.now, zone), 160))
    for gap in line.gaps:
        start, end = (clock_time(each, line.now, zone) for each in (gap.start, gap.end))
        yield TableLine("", GAP_WORDS[gap.kind], f"{start} to {end}")


def _clock(instant: datetime, zone: tzinfo | None) -> str:
    return instant.astimezone(zone).strftime("%H:%M")


def _percent(share: float) -> str:
    return f"{max(0.0, share) * 100:.2f}%"


# --- in words --------------------------------------------------------------------------------------------

_TOGETHER = timedelta(minutes=2)
"""Renewals this close to one another are one."""


_ACTS = {
    MarkKind.SIGN_IN: "sign in",
    MarkKind.PASTE: "paste new keys",
    MarkKind.FINISH_SIGN_IN: "finish signing in",
}


def next_words(lane: Lane, line: Timeline, zone: tzinfo | None) -> str:
    """Tell what happens next to a session, and when; empty where a person has to act first of all."""
    due = [(at, bar) for bar in lane.bars for at in bar.renewals if at > line.now]
    first = min((at for at, _ in due), default=None)
    act = next((mark.at for mark in lane.marks if mark.kind.needs_a_person and mark.at >= line.now), None)
    if act == line.now or (first is None and act is None):
        return ""
    if first is None or (act is not None and act < first):
        mark = next(mark for mark in lane.marks if mark.at == act)
        return (
            f"you {_ACTS[mark.kind]} at {'about ' if mark.about else ''}{clock_time(mark.at, line.now, zone)}"
        )
    soon = {(bar.kind, bar.name) for at, bar in due if at - first < _TOGETHER}
    names = sorted(name for kind, name in soon if kind is BarKind.KEYS)
    keys = f"the keys of {plain(names[0]) if len(names) == 1 else f'{len(names)} profiles'}" if names else ""
    token = "the access token" if len(soon) > len(names) else ""
    what = " and ".join(each for each in (token, keys) if each)
    return f"credtray renews {what} at {clock_time(first, line.now, zone)}"
