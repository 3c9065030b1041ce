"""What icon, tooltip and menu all ask of the state, answered once for all of them. Pure.

Decides how urgent each session is; the words are in ``lines``, the items in ``menu.*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from credtray.core.errors import ClockOff, Offline, Retry, TokenUnreadable
from credtray.core.face.look import STEPS, Look, Shape, ring_steps
from credtray.core.notices import PATIENCE
from credtray.core.standing import alive, clock_off, offline, role_refused, sign_in_of, unrenewed
from credtray.core.state import Alive, SessionState, State, Trouble
from credtray.core.wishes import sections_of

_MOST_URGENT_FIRST = (
    Shape.SIGNING_IN,  # a person is at it: what they see must answer their click
    Shape.ENDED,
    Shape.SOON,
    Shape.SIGNED_OUT,
    Shape.TROUBLE,
    Shape.OFFLINE,
    Shape.FRESH,
)
_URGENCY = {shape: place for place, shape in enumerate(_MOST_URGENT_FIRST)}
_WITH_RING = frozenset({Shape.FRESH, Shape.SOON, Shape.TROUBLE, Shape.OFFLINE})


@dataclass(frozen=True, slots=True)
class Overview:
    """One moment of the state, as icon and menu need it."""

    state: State
    now: datetime
    zone: tzinfo | None
    kept: frozenset[str]
    """Profiles whose keys are fetched ahead."""
    no_access: frozenset[str]
    """Of these, the ones whose role was refused."""
    left_alone: Mapping[str, str]
    """Profile -> section of the credentials file, where keys were wanted and what is there is not ours."""
    keys_until: Mapping[str, datetime]
    """When the keys of a profile end, by profile; profiles without keys are missing."""
    shapes: Mapping[str, Shape]
    """By session, as if there were no other."""
    mattering: tuple[str, ...]
    """Sessions somebody uses: with kept profiles or with a sign-in. All of them when there is none such."""

    def by_urgency(self) -> list[SessionState]:
        """Return the sessions that matter, the most urgent first."""
        sessions = (self.state.sessions[name] for name in self.mattering)
        return sorted(sessions, key=self._urgency)

    def _urgency(self, session: SessionState) -> tuple[int, timedelta]:
        sign_in = sign_in_of(session, self.now)
        left = timedelta.max if sign_in is None else sign_in.ends_at - self.now
        return _URGENCY[self.shapes[session.name]], left


def overview(state: State, now: datetime, zone: tzinfo | None) -> Overview:
    """Look over the whole state once; linear in the number of profiles."""
    kept = frozenset(state.kept)
    no_access = frozenset(name for name in kept if _role_refused(state, name))
    owners = sections_of(state) if state.file.refused else {}
    distressed = {state.profiles[name].profile.session for name in no_access}
    shapes = {
        name: _shape(state, session, now, refused=name in distressed)
        for name, session in state.sessions.items()
    }
    used = {state.profiles[name].profile.session for name in kept}
    mattering = tuple(name for name, shape in shapes.items() if name in used or shape is not Shape.SIGNED_OUT)
    return Overview(
        state,
        now,
        zone,
        kept,
        no_access,
        {owners[section]: section for section in state.file.refused if section in owners},
        _keys_until(state),
        shapes,
        mattering or tuple(shapes),
    )


def look(seen: Overview) -> Look:
    """Return how the icon is to look: the most urgent shape, and the least time that is left."""
    shapes = {seen.shapes[name] for name in seen.mattering}
    ours = any(shape in _WITH_RING for shape in shapes) or not shapes
    if ours and needs_person(seen):
        shapes.add(Shape.TROUBLE)
    shape = min(shapes, key=_URGENCY.__getitem__, default=Shape.SIGNED_OUT)
    return Look(shape, _steps(seen) if shape in _WITH_RING else 0)


def needs_person(seen: Overview) -> bool:
    """Tell whether something is wrong that is not one session's matter."""
    state = seen.state
    problems = (state.config_problem, state.settings_problem, state.unsaved)
    return any(problems) or bool(seen.left_alone) or clock_off(state) or lasting(state.file.trouble, seen.now)


def lasting(trouble: Trouble | None, now: datetime) -> bool:
    """Tell whether a trouble is worth a person's attention: not one that may have passed in a minute."""
    if trouble is None:
        return False
    return trouble.problem.retry is Retry.PERSON or now - trouble.lasting_since >= PATIENCE


def length(state: State, session: SessionState) -> timedelta:
    """Return how long a sign-in of this session lasts, as far as was learned or set."""
    learned = session.memory.length
    return learned if learned is not None else state.settings.sign_in_length(session.name)


def _steps(seen: Overview) -> int:
    """Return how much is left of the sign-in that ends first; all of it where no end is known."""
    sessions = [seen.state.sessions[name] for name in seen.mattering if seen.shapes[name] in _WITH_RING]
    steps = [_left(seen, session) for session in sessions if session.token is not None]
    return min(steps, default=0)


def _left(seen: Overview, session: SessionState) -> int:
    sign_in = sign_in_of(session, seen.now)
    if sign_in is None:
        return STEPS
    return ring_steps(sign_in.ends_at - seen.now, length(seen.state, session))


def _shape(state: State, session: SessionState, now: datetime, *, refused: bool) -> Shape:
    standing = alive(session, now)
    unreadable = session.problem is not None and session.problem.code == TokenUnreadable.code
    if session.pending is not None:
        return Shape.SIGNING_IN
    if standing is Alive.ENDED:
        return Shape.ENDED
    if standing is Alive.SIGNED_OUT and not unreadable:
        return Shape.SIGNED_OUT
    if offline(session, now):
        return Shape.OFFLINE
    if ends_soon(state, session, now):
        return Shape.SOON
    return Shape.TROUBLE if refused or unreadable or _stuck(session, now) else Shape.FRESH


def ends_soon(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether the sign-in is within the earliest warning; an estimate that has passed is, too."""
    warning = state.settings.longest_warning(session.name)
    sign_in = sign_in_of(session, now)
    return sign_in is not None and bool(warning) and sign_in.ends_at - now <= warning


def _stuck(session: SessionState, now: datetime) -> bool:
    trouble = session.trouble
    if session.refusal is not None:
        return True
    if trouble is not None and unrenewed(session, now):
        return True
    if trouble is None or trouble.problem.code == Offline.code:
        return False
    return lasting(trouble, now) or trouble.problem.code == ClockOff.code


def _role_refused(state: State, name: str) -> bool:
    return role_refused(state.profiles[name])


def _keys_until(state: State) -> dict[str, datetime]:
    """Return when keys end: those held, and after a start those found in the credentials file."""
    found: dict[str, datetime] = {}
    for mark in state.file.marks.values():
        found[mark.profile] = max(mark.expires_at, found.get(mark.profile, mark.expires_at))
    for name, item in state.profiles.items():
        if item.credentials is not None:
            found[name] = item.credentials.expires_at
    return found
