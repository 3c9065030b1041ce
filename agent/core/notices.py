"""What a person should be told now, at most once per sign-in. The words are in ``view``. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from agent.core.errors import Problem, RoleRefused
from agent.core.expiry import Moved, compare_ends
from agent.core.standing import (
    alive,
    awaiting_proof,
    thresholds_passed,
    waiting_for_keys,
    warning,
)
from agent.core.state import Alive, SessionState, State
from agent.core.wishes import sections_of

PATIENCE = timedelta(minutes=5)
"""Troubles that pass within this time are nobody's business but the log's."""

TOLERATED_CLOCK_ERROR = timedelta(minutes=5)
"""AWS refuses signatures beyond about five minutes; below that nobody needs to know."""


class Subject(Enum):
    """What a notice is about."""

    ENDS_SOON = "ends_soon"
    ENDED = "ended"
    END_UNMOVED = "end_unmoved"
    CANNOT_REFRESH = "cannot_refresh"
    ROLE_REFUSED = "role_refused"
    SECTION_REFUSED = "section_refused"
    CLOCK_OFF = "clock_off"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell; a later one with the same key replaces it."""

    subject: Subject
    session: str
    key: str
    says: frozenset[str]
    """Remembered as told during this sign-in."""
    ends_at: datetime | None = None
    about: bool = False
    """True: the end is an estimate."""
    names: tuple[str, ...] = ()
    """Profiles or sections it concerns."""
    problem: Problem | None = None
    clock_error: timedelta = timedelta()
    settles_ends: bool = False


def due(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    """Return the notices to show now."""
    if session.pending is not None:
        return
    yield from _end(state, session, now)
    yield from _unmoved(session)
    yield from _cannot_refresh(state, session, now)
    yield from _refusals(state, session)
    yield from _clock(state, session)


def _end(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    name, sign_in = session.session.name, session.sign_in
    if sign_in is None:
        return
    if alive(session, now) is Alive.ENDED:
        if "ended" not in session.said:
            yield Notice(Subject.ENDED, name, f"{name}:end", frozenset({"ended"}), sign_in.ends_at)
        return
    if session.snoozed_until is not None and session.snoozed_until > now:
        return
    passed = thresholds_passed(state, session, now)
    if passed and not awaiting_proof(state, session, now):
        says = frozenset(warning(each) for each in passed)
        about = not sign_in.proof.proven
        yield Notice(Subject.ENDS_SOON, name, f"{name}:end", says, sign_in.ends_at, about)


def _unmoved(session: SessionState) -> Iterator[Notice]:
    name, sign_in, token = session.session.name, session.sign_in, session.token
    if session.before is None or sign_in is None or token is None:
        return
    if compare_ends(session.before, sign_in, token.expires_at) is Moved.SAME:
        yield Notice(
            Subject.END_UNMOVED, name, f"{name}:unmoved", frozenset(), sign_in.ends_at, settles_ends=True
        )


def _cannot_refresh(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    trouble, name = session.trouble, session.session.name
    if trouble is None or "trouble" in session.said or now - trouble.since < PATIENCE:
        return
    waiting = tuple(item.profile.name for item in waiting_for_keys(state, session, now))
    if waiting and alive(session, now) is Alive.SIGNED_IN:
        says = frozenset({"trouble"})
        yield Notice(
            Subject.CANNOT_REFRESH, name, f"{name}:trouble", says, names=waiting, problem=trouble.problem
        )


def _refusals(state: State, session: SessionState) -> Iterator[Notice]:
    name = session.session.name
    refused = [
        item
        for item in state.profiles_of(name)
        if item.trouble is not None
        and item.trouble.problem.code == RoleRefused.code
        and item.profile.name in state.kept
        and f"role:{item.profile.name}" not in session.said
    ]
    if refused:
        names = tuple(item.profile.name for item in refused)
        says = frozenset(f"role:{each}" for each in names)
        problem = refused[0].trouble.problem if refused[0].trouble else None
        yield Notice(Subject.ROLE_REFUSED, name, f"{name}:roles", says, names=names, problem=problem)
    owners = sections_of(state) if state.file.refused else {}
    for section, problem in state.file.refused.items():
        owner = state.profiles.get(owners.get(section, ""))
        said = f"section:{section}"
        if owner is not None and owner.profile.session == name and said not in session.said:
            yield Notice(
                Subject.SECTION_REFUSED,
                name,
                f"{name}:{said}",
                frozenset({said}),
                names=(section,),
                problem=problem,
            )


def _clock(state: State, session: SessionState) -> Iterator[Notice]:
    name = session.session.name
    if abs(state.clock_error) > TOLERATED_CLOCK_ERROR and "clock" not in session.said:
        yield Notice(Subject.CLOCK_OFF, name, "clock", frozenset({"clock"}), clock_error=state.clock_error)
