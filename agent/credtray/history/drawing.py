"""Draws the time line with characters, for a terminal: now a sixth from the left, twelve hours ahead. Pure.

Readable without colour; code that prints it replaces the characters a terminal does not know. Where there is
no room for a picture, words say it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime, tzinfo
from unicodedata import combining, east_asian_width

from credtray.core.state_words import clock_time
from credtray.core.words import plain
from credtray.history.timeline import (
    BAR_WORDS,
    Bar,
    BarKind,
    Lane,
    Mark,
    Timeline,
    bar_words,
    full_hours,
    mark_label,
    mark_words,
)

CERTAIN, EXPECTED, RENEWED, ACT, FAILED, NOW, GAP = "━╌┿▲✗│░"
_LEGEND = (
    f"{CERTAIN} certain",
    f"{EXPECTED} expected",
    f"{RENEWED} renewed silently",
    f"{ACT} you act",
    f"{FAILED} failed",
    f"{GAP} asleep, offline or no agent",
)
_NARROWEST = 50
"""Columns below which words say it."""
_WIDEST_LABEL, _SHORTEST_LABEL = 20, 9
_HOUR_COLUMNS = 6
"""``17:00`` and a blank."""
_MOST_KEYS = 12
"""Profiles of one session that are drawn; the others are counted."""
_MOST_MARKS = 6
_STEPS = (1, 2, 3, 4, 6, 12)


def drawn(line: Timeline, zone: tzinfo | None, width: int) -> list[str]:
    """Return the picture in lines of at most *width* columns."""
    if width < _NARROWEST:
        return list(_in_words(line, zone))
    canvas = _Canvas(line, zone, width)
    body = [each.rstrip() for each in canvas.lines()]
    return [*body, *canvas.legend(body)]


def _in_words(line: Timeline, zone: tzinfo | None) -> Iterator[str]:
    for lane in line.lanes:
        yield plain(lane.name)
        for bar in _shown(lane):
            yield f"  {_label(bar)}: {bar_words(bar, line.now, zone)}"
        for mark in lane.marks[-_MOST_MARKS:]:
            yield f"  {mark_words(mark, line.now, zone)}"


def _shown(lane: Lane) -> list[Bar]:
    """Return the bars there is room for."""
    others = [bar for bar in lane.bars if bar.kind is not BarKind.KEYS]
    return [*others, *[bar for bar in lane.bars if bar.kind is BarKind.KEYS][:_MOST_KEYS]]


def _label(bar: Bar) -> str:
    if bar.kind is not BarKind.KEYS:
        return BAR_WORDS[bar.kind]
    lengths = range(_WIDEST_LABEL, _SHORTEST_LABEL, -1)
    names = (plain(bar.name, length) for length in lengths)
    return next((name for name in names if _columns(name) <= _WIDEST_LABEL), plain(bar.name, _SHORTEST_LABEL))


def _columns(text: str) -> int:
    """Return how many columns a terminal gives to a text: two to each Chinese character."""
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


class _Canvas:
    """One picture of one width."""

    def __init__(self, line: Timeline, zone: tzinfo | None, width: int) -> None:
        self._line = line
        self._zone = zone
        labels = (_columns(_label(bar)) for lane in line.lanes for bar in _shown(lane))
        self._margin = min(max(labels, default=0), _WIDEST_LABEL) + 4
        self._columns = width - self._margin
        self._now = self._column(line.now)

    def lines(self) -> Iterator[str]:
        """Yield them from top to bottom."""
        yield " " * self._margin + self._clock()
        yield " " * self._margin + self._axis()
        for lane in self._line.lanes:
            yield plain(lane.name)
            for bar in _shown(lane):
                label = _label(bar)
                yield f"  {label}{' ' * (self._margin - 2 - _columns(label))}{self._bar(bar)}"
            more = len(lane.bars) - len(_shown(lane))
            if more:
                yield f"  and {more} more profile{'' if more == 1 else 's'}"
            for mark in lane.marks[-_MOST_MARKS:]:
                yield self._mark(mark)
            yield ""

    def legend(self, body: list[str]) -> list[str]:
        """Return what the signs of these lines mean."""
        used = set().union(*body)
        words = (each.replace(" ", "\xa0") for each in _LEGEND if each[0] in used)  # none is parted
        wrapped = textwrap.wrap("  ".join(words), self._margin + self._columns)
        return [each.replace("\xa0", " ") for each in wrapped]

    def _column(self, instant: datetime) -> int:
        return min(int(self._line.place(instant) * self._columns), self._columns - 1)

    def _clock(self) -> str:
        """Return where now is, and how late it is."""
        now = clock_time(self._line.now, self._line.now, self._zone)
        return " " * self._now + f"{NOW} {now}"

    def _axis(self) -> str:
        """Return the full hours, as many as there is room for."""
        cells = [" "] * (self._columns + _HOUR_COLUMNS)
        for hour in self._hours():
            place = self._column(hour)
            label = hour.astimezone(self._zone).strftime("%H:%M")
            if place + len(label) <= self._columns:
                cells[place : place + len(label)] = label
        return "".join(cells)

    def _hours(self) -> tuple[datetime, ...]:
        length = self._line.end - self._line.start
        per_hour = self._columns / (length.total_seconds() / 3600)
        step = next((each for each in _STEPS if per_hour * each >= _HOUR_COLUMNS), _STEPS[-1])
        return full_hours(self._line, self._zone, step)

    def _bar(self, bar: Bar) -> str:
        cells = [" "] * self._columns
        for gap in self._line.gaps:
            self._fill(cells, gap.start, gap.end, GAP)
        for stretch in bar.stretches:
            self._fill(cells, stretch.start, stretch.end, CERTAIN if stretch.certain else EXPECTED)
        cells[self._now] = NOW
        for renewal in bar.renewals:
            cells[self._column(renewal)] = RENEWED
        return "".join(cells)

    def _fill(self, cells: list[str], start: datetime, end: datetime, sign: str) -> None:
        first, last = self._column(start), self._column(end)
        for place in range(first, max(last, first + 1)):
            cells[place] = sign

    def _mark(self, mark: Mark) -> str:
        """Return a sign below the bars with its words beside it, on the side where there is room."""
        sign = ACT if mark.kind.needs_a_person else FAILED
        at = self._margin + self._column(mark.at)
        right, left = self._margin + self._columns - at - 2, at - 1
        room = max(right, left)
        words = mark_words(mark, self._line.now, self._zone)
        if _columns(words) > room:
            words = plain(mark_label(mark, self._line.now, self._zone), max(room, 9))
        if _columns(words) <= right:
            return " " * at + f"{sign} {words}"
        return f"{' ' * (left - _columns(words))}{words} {sign}"
