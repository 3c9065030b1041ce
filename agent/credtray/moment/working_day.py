"""The first moment of a working day at which somebody is there, and what a sign-in made then would cover.

Pure: now and the time zone are arguments. Whether and when a notice follows is decided in ``core/notices``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from credtray.core.events import DayBegun
from credtray.core.ports import Part
from credtray.core.session_status import sign_in_of, sign_in_status
from credtray.core.state import SessionState, SignInStatus, State

EARLY = timedelta(hours=1)
"""Who comes so long before the working day begins has come for it."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The setting ``working_day``."""

    days: frozenset[int]
    """On which it begins; Monday is 0."""
    begin: time
    end: time
    """Of the next day where that is not after ``begin``."""


@dataclass(frozen=True, slots=True)
class Day:
    """One working day, in UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered from one look to the next."""

    there: bool = False
    """Somebody was there."""
    day: Day | None = None
    """The last working day in which somebody was seen to come."""


def hours_of(setting: str) -> Hours:
    """Read ``"09:00-17:30"``, ``"Sat 10:00-14:00"`` or ``"Mon-Fri 09:00-17:30"``; nothing else is set."""
    *days, hours = setting.split()
    begin, end = (time.fromisoformat(each) for each in hours.split("-"))
    return Hours(_days(days[0]) if days else frozenset(range(7)), begin, end)


def _days(words: str) -> frozenset[int]:
    """Return the days of ``Mon-Fri``, or of ``Sat-Tue``, which goes over the end of the week."""
    first, _, last = words.partition("-")
    begin = _DAYS.index(first)
    count = (_DAYS.index(last or first) - begin) % 7
    return frozenset((begin + each) % 7 for each in range(count + 1))


def day_at(hours: Hours, now: datetime, zone: tzinfo | None) -> Day | None:
    """Return the working day that is under way or about to begin; None: it is free time.

    Args:
        hours: the usual ones.
        now: aware.
        zone: where the person is; None: where this computer is.
    """
    today = now.astimezone(zone).date()
    for date in (today, today + _A_DAY, today - _A_DAY):
        after = _A_DAY if hours.end <= hours.begin else timedelta()
        begin = datetime.combine(date, hours.begin, zone).astimezone(UTC)
        end = datetime.combine(date + after, hours.end, zone).astimezone(UTC)
        if date.weekday() in hours.days and begin - EARLY <= now < end:
            return Day(begin, end)
    return None


def look(seen: Seen, state: State, now: datetime, zone: tzinfo | None) -> tuple[Seen, tuple[DayBegun, ...]]:
    """Return what is remembered from now on, and which sessions the person should hear of.

    Once for each working day: when somebody comes for the first time in it, be it to a locked screen, after a
    pause, or because the agent and with it the desktop has just begun. Who takes the setting back has no more
    of this day before them.
    """
    there = _somebody_is_there(state)
    came, setting = there and not seen.there, state.settings.working_day
    if setting is None:
        open_days = (name for name, each in state.sessions.items() if (each.day_until or now) > now)
        return Seen(there, seen.day), tuple(DayBegun(name, now) for name in open_days)
    day = day_at(hours_of(setting), now, zone) if came else None
    if day is None or day == seen.day:
        return Seen(there, seen.day), ()
    begun = (
        DayBegun(name, day.end) for name, each in state.sessions.items() if _ends_in(state, each, day, now)
    )
    return Seen(there, day), tuple(begun)


def _somebody_is_there(state: State) -> bool:
    """Tell whether somebody is there, as far as is known; not before it is known who is signed in."""
    told = Part.PRESENCE in state.desktop and all(each.looked for each in state.sessions.values())
    return told and not state.presence.away


def _ends_in(state: State, session: SessionState, day: Day, now: datetime) -> bool:
    """Tell whether the sign-in ends before the day does, and one made now would not.

    Who has signed in since the day began was there already: this is not their first moment.
    """
    sign_in = sign_in_of(session, now)
    if sign_in is None or sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
        return False
    length = session.memory.length or state.settings.sign_in_length(session.name)
    is_new = sign_in.started_at >= day.begin - EARLY
    return not is_new and now < sign_in.ends_at < day.end <= now + length
