"""What the tray shows: how the icon looks, its tooltip and its menu, from the state. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from credtray.core.face.lines import session_troubles, tooltip, troubles
from credtray.core.face.look import MOST_URGENT_FIRST, STEPS, Look, Shape, ring_steps
from credtray.core.menu import Item
from credtray.core.menu.agent import Extras, agent_items, quit_item, setup_items
from credtray.core.menu.branches import separator
from credtray.core.menu.profiles import profile_menus
from credtray.core.menu.sessions import problems_item, session_menus, sign_outs
from credtray.core.standing import clock_off
from credtray.core.state import State
from credtray.core.summary import SessionSummary, Summary, lasting, length, summary

_WITH_RING = frozenset({Shape.FRESH, Shape.SOON, Shape.TROUBLE, Shape.OFFLINE})


@dataclass(frozen=True, slots=True)
class Face:
    """Everything the tray shows."""

    look: Look
    tooltip: str
    """One line for each session, at most five, and one for the default profile; no markup."""
    menu: tuple[Item, ...]


def face(state: State, now: datetime, zone: tzinfo | None, extras: Extras) -> Face:
    """Return icon, tooltip and menu of this moment; *zone* is the reader's, None that of this computer."""
    seen = summary(state, now, zone)
    return Face(look(seen), tooltip(seen), tuple(_menu(seen, extras)))


def look(seen: Summary) -> Look:
    """Return how the icon is to look: the most urgent shape, and the least time that is left."""
    shapes = {seen.sessions[name].shape for name in seen.mattering}
    ours = any(shape in _WITH_RING for shape in shapes) or not shapes
    if ours and _needs_person(seen):
        shapes.add(Shape.TROUBLE)
    shape = min(shapes, key=MOST_URGENT_FIRST.index, default=Shape.SIGNED_OUT)
    return Look(shape, _steps(seen) if shape in _WITH_RING else 0)


def _needs_person(seen: Summary) -> bool:
    """Tell whether something is wrong that is not one session's matter."""
    state = seen.state
    problems = (state.config_problem, state.settings_problem, state.unsaved)
    return any(problems) or bool(seen.left_alone) or clock_off(state) or lasting(state.file.trouble, seen.now)


def _steps(seen: Summary) -> int:
    """Return how much is left of the sign-in that ends first; all of it where no end is known."""
    sessions = (seen.sessions[name] for name in seen.mattering)
    held = (each for each in sessions if each.shape in _WITH_RING and each.state.token is not None)
    return min((_left(seen, each) for each in held), default=0)


def _left(seen: Summary, session: SessionSummary) -> int:
    ends_at = session.sign_in.ends_at
    return STEPS if ends_at is None else ring_steps(ends_at - seen.now, length(seen.state, session.state))


def _menu(seen: Summary, extras: Extras) -> Iterator[Item]:
    state = seen.state
    sessions = tuple(seen.sessions.values())
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
