"""What the tray shows: how the icon looks, its tooltip and its menu, from the state. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from credtray.core.face.lines import tooltip, troubles
from credtray.core.face.look import Look
from credtray.core.face.overview import Overview, look, overview
from credtray.core.menu import Item, Kind
from credtray.core.menu.agent import Extras, agent_items
from credtray.core.menu.branches import separator
from credtray.core.menu.profiles import profile_menus
from credtray.core.menu.sessions import session_menus
from credtray.core.state import State


@dataclass(frozen=True, slots=True)
class Face:
    """Everything the tray shows."""

    look: Look
    tooltip: str
    """One line for each session, at most five; no markup."""
    menu: tuple[Item, ...]


def face(state: State, now: datetime, zone: tzinfo | None, extras: Extras) -> Face:
    """Return icon, tooltip and menu of this moment; *zone* is the reader's, None that of this computer."""
    seen = overview(state, now, zone)
    return Face(look(seen), tooltip(seen), tuple(_menu(seen, extras)))


def _menu(seen: Overview, extras: Extras) -> Iterator[Item]:
    yield from session_menus(seen)
    lines = [Item(f"trouble-{name}", Kind.TEXT, line) for name, line in troubles(seen)]
    if not seen.state.sessions and seen.state.config_problem is None:
        lines = [
            Item("set-up", Kind.TEXT, "Not set up yet"),
            Item("set-up-how", Kind.TEXT, "Run: credtray setup"),
            *lines,
        ]
    yield from lines
    yield separator("sessions")
    if seen.state.sessions:
        yield from profile_menus(seen)
        yield separator("profiles")
    yield from agent_items(seen, extras)
