"""What the tray shows: how the icon looks, its tooltip and its menu, from the state. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from credtray.core.face.lines import session_troubles, tooltip, troubles
from credtray.core.face.look import Look
from credtray.core.face.overview import Overview, look, overview
from credtray.core.menu import Item
from credtray.core.menu.agent import Extras, agent_items, quit_item, setup_items
from credtray.core.menu.branches import separator
from credtray.core.menu.profiles import profile_menus
from credtray.core.menu.sessions import problems_item, session_menus, sign_outs
from credtray.core.state import State


@dataclass(frozen=True, slots=True)
class Face:
    """Everything the tray shows."""

    look: Look
    tooltip: str
    """One line for each session, at most five, and one for the default profile; no markup."""
    menu: tuple[Item, ...]


def face(state: State, now: datetime, zone: tzinfo | None, extras: Extras) -> Face:
    """Return icon, tooltip and menu of this moment; *zone* is the reader's, None that of this computer."""
    seen = overview(state, now, zone)
    return Face(look(seen), tooltip(seen), tuple(_menu(seen, extras)))


def _menu(seen: Overview, extras: Extras) -> Iterator[Item]:
    state = seen.state
    sessions = tuple(state.sessions.values())
    told = [line for _, line in troubles(seen)]
    if len(sessions) == 1:
        told = [*session_troubles(seen, sessions[0]), *told]
    if not sessions and state.config_problem is None:
        yield from setup_items("Not set up yet")
    yield from session_menus(seen)
    yield problems_item("problems", tuple(told))
    yield separator("sessions")
    if sessions:
        yield from profile_menus(seen)
        yield separator("profiles")
    yield from agent_items(seen, extras)
    yield separator("agent")
    yield from sign_outs(seen)
    yield quit_item(state)
