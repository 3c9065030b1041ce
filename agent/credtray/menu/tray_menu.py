"""The tray's menu as a whole: what stands in it, in what order, and the items about credtray itself. Pure.

What stands under a session or a profile is in ``sessions`` and ``profiles``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from credtray.core.clicks import (
    About,
    OpenLog,
    OpenSettings,
    Restart,
    SetAutostart,
    ShowPage,
    ShowTestNotice,
    StopSharing,
)
from credtray.core.forms import Form
from credtray.core.protocol import PauseNotices, Stop
from credtray.core.state import State
from credtray.core.state_words import clock_time, session_troubles, troubles
from credtray.core.summary import Summary
from credtray.core.words import plain
from credtray.guard.decisions import answers, headline, key_of
from credtray.menu import Item, Kind
from credtray.menu.profiles import profile_menus, separator
from credtray.menu.sessions import problems_item, session_menus, setup_items, sign_outs

MORNING = time(8)
"""Until when "until tomorrow" is, on the reader's clock."""
_MINUTE = timedelta(minutes=1)
_MOST_SHARES = 6


@dataclass(frozen=True, slots=True)
class Extras:
    """What the menu tells and the state does not know."""

    autostart: bool | None
    """Whether credtray starts with the desktop session; None where that cannot be told or changed."""
    version: str
    """Of the running agent."""
    first_form: Form = Form.POSIX
    """In which credentials are copied most on this system."""
    installed: str | None = None
    """The version that a restart would start, where that is known."""
    shares: tuple[StopSharing, ...] = ()
    """What `credtray share` does now, each as the click that ends it."""


def tray_menu(seen: Summary, extras: Extras) -> Iterator[Item]:
    """Yield the whole menu: the page, coding agents that wait, sessions, problems, profiles, the rest."""
    state = seen.state
    sessions = tuple(seen.sessions.values())
    yield Item("open", Kind.COMMAND, "Open credtray", ShowPage())
    yield from _questions(state)
    told = [line for _, line in troubles(seen)]
    if len(sessions) == 1:
        told = [*session_troubles(seen, sessions[0]), *told]
    if not sessions and state.config_problem is None:
        yield from setup_items("Not set up yet")
    yield from session_menus(seen)
    yield problems_item("problems", tuple(told))
    yield from _shares(extras)
    yield separator("sessions")
    if sessions:
        yield from profile_menus(seen, extras.first_form)
        yield separator("profiles")
    yield from _agent_items(seen, extras)
    yield separator("agent")
    yield from sign_outs(seen)
    if extras.installed not in {None, extras.version}:
        yield Item("restart", Kind.COMMAND, f"Restart to use version {extras.installed}", Restart())
    yield _quit_item(state)


def _shares(extras: Extras) -> Iterator[Item]:
    """Yield who has keys through `credtray share`; behind each its end."""
    for click in extras.shares[:_MOST_SHARES]:
        key = f"share:{click.host}:{click.profile}"
        end = Item(f"{key}:stop", Kind.COMMAND, "Stop sharing", click)
        yield Item(key, Kind.SUBMENU, share_words(click), children=(end,))
    if len(extras.shares) > _MOST_SHARES:
        more = len(extras.shares) - _MOST_SHARES
        yield Item("shares-more", Kind.TEXT, f"{more} more: credtray share --list")


def share_words(share: StopSharing) -> str:
    """Say who can use what."""
    return f"{plain(share.host)} has the keys of {plain(share.profile)}"


def _questions(state: State) -> Iterator[Item]:
    """Yield a submenu for each coding agent that waits for a person; there is none where nobody asks."""
    for question in state.questions:
        key = key_of(question)
        children = tuple(
            Item(f"{key}:{place}", Kind.COMMAND, answer.label, answer.click)
            for place, answer in enumerate(answers(question))
        )
        yield Item(key, Kind.SUBMENU, headline(question), children=children)


def _agent_items(seen: Summary, extras: Extras) -> Iterator[Item]:
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
    yield _help(extras)


def _quit_item(state: State) -> Item:
    """Return the end of the agent, behind a submenu that says what it costs."""
    keys = "keys are removed from" if state.settings.remove_keys_on_stop else "keys stay in"
    label = f"Yes, quit (renewal stops; {keys} the credentials file)"
    return Item("quit", Kind.SUBMENU, "Quit", children=(Item("quit-yes", Kind.COMMAND, label, Stop()),))


def _help(extras: Extras) -> Item:
    children = (
        Item("test-notice", Kind.COMMAND, "Send a test notification", ShowTestNotice()),
        Item("log", Kind.COMMAND, "Log", OpenLog()),
        Item("about", Kind.COMMAND, f"About credtray {extras.version}", About()),
    )
    return Item("help", Kind.SUBMENU, "Help", children=children)


def _notices(seen: Summary) -> Item:
    paused, now, zone = seen.state.paused_until, seen.now, seen.zone
    is_paused = paused is not None and paused > now
    # Whole minutes: a menu that is built anew stays equal to the one before.
    hour = now.replace(second=0, microsecond=0) + 61 * _MINUTE
    morning = tomorrow_morning(now, zone)
    day = morning.astimezone(zone).strftime("%a %H:%M")
    lengths = (
        Item("notices-pause-hour", Kind.COMMAND, "For 1 hour", PauseNotices(hour)),
        Item("notices-pause-day", Kind.COMMAND, f"Until tomorrow ({day})", PauseNotices(morning)),
        Item("notices-resume", Kind.COMMAND, "Resume now", PauseNotices(None), enabled=is_paused),
    )
    until = f"Notices paused until {clock_time(paused, now, zone)}" if is_paused and paused else ""
    return Item("notices-pause", Kind.SUBMENU, until or "Pause notices", children=lengths)


def tomorrow_morning(now: datetime, zone: tzinfo | None) -> datetime:
    """Return eight o'clock of the reader's next day, in UTC; None is this computer's own zone."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    # A naive time is of this computer's zone; with the offset of that day, whatever it is today.
    return datetime.combine(day, MORNING, zone).astimezone(UTC)
