"""The menu's last part: notices, start at login, files, the end of the agent. Pure; builds items only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from credtray.core.clicks import About, OpenLog, OpenSettings, SetAutostart
from credtray.core.face.overview import Overview
from credtray.core.menu import Item, Kind
from credtray.core.protocol import PauseNotices, Stop
from credtray.core.view import clock_time

MORNING = time(8)
"""Until when "until tomorrow" is, on the reader's clock."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Extras:
    """What the menu tells and the state does not know."""

    autostart: bool | None
    """Whether credtray starts with the desktop session; None where that cannot be told or changed."""
    version: str
    """Of the running agent."""


def agent_items(seen: Overview, extras: Extras) -> Iterator[Item]:
    """Yield the items about credtray itself."""
    yield _notices(seen)
    autostart = extras.autostart
    yield Item(
        "autostart",
        Kind.CHECK,
        "Start at login",
        SetAutostart(enabled=not autostart),
        checked=bool(autostart),
        enabled=autostart is not None,
    )
    yield Item("settings", Kind.COMMAND, "Settings file", OpenSettings())
    yield Item("log", Kind.COMMAND, "Log", OpenLog())
    yield Item("about", Kind.COMMAND, f"About credtray {extras.version}", About())
    yield Item("quit", Kind.COMMAND, "Quit", Stop())


def _notices(seen: Overview) -> Item:
    paused, now, zone = seen.state.paused_until, seen.now, seen.zone
    if paused is not None and paused > now:
        label = f"Resume notices (paused until {clock_time(paused, now, zone)})"
        return Item("notices-resume", Kind.COMMAND, label, PauseNotices(None))
    # Whole minutes: a menu that is built anew stays equal to the one before.
    hour = now.replace(second=0, microsecond=0) + 61 * _MINUTE
    morning = tomorrow_morning(now, zone)
    day = morning.astimezone(zone).strftime("%a %H:%M")
    lengths = (
        Item("notices-pause-hour", Kind.COMMAND, "For 1 hour", PauseNotices(hour)),
        Item("notices-pause-day", Kind.COMMAND, f"Until tomorrow ({day})", PauseNotices(morning)),
    )
    return Item("notices-pause", Kind.SUBMENU, "Pause notices", children=lengths)


def tomorrow_morning(now: datetime, zone: tzinfo | None) -> datetime:
    """Return eight o'clock of the reader's next day, in UTC; None is this computer's own zone."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    # A naive time is of this computer's zone; with the offset of that day, whatever it is today.
    return datetime.combine(day, MORNING, zone).astimezone(UTC)
