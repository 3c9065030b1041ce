"""What the history keeps of one event: from the states before and after it, to entries. Pure.

Level and edge: what goes on (a network that is down, a role that is refused) is one entry when it begins,
however often it is tried. Keys that are handed out are no events; see ``recorder``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from credtray.core import events
from credtray.core.errors import AssumeRoleRefused, Offline, Problem, RoleRefused, SignInCancelled
from credtray.core.events import Event
from credtray.core.identity import is_other, names, other_person
from credtray.core.models import Way
from credtray.core.notice_texts import notice_words
from credtray.core.policy import ShowNotice
from credtray.core.ports import Mark
from credtray.core.state import SessionState, State, Trouble
from credtray.core.state_words import name_list
from credtray.history.entries import Entry, Kind

_REFUSED = frozenset({RoleRefused.code, AssumeRoleRefused.code})
_SILENCE = timedelta(minutes=2)
"""Ticks come every 30 s: after a longer silence the machine had been asleep."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and what it made of the state."""

    before: State
    after: State
    event: Event
    now: datetime
    heard: datetime | None = None
    """When the event before this one came; None: this is the first."""


def entries_of(step: Step) -> Iterator[Entry]:
    """Yield what is worth keeping, in the order in which it is to be told."""
    yield from _of_presence(step)
    of_event = _OF_EVENTS.get(type(step.event))
    if of_event is not None:
        yield from of_event(step, step.event)
    if step.after is not step.before:
        for name, session in step.after.sessions.items():
            yield from _of_session(step, step.before.sessions.get(name), session)
        yield from _of_choices(step)


# --- the machine -------------------------------------------------------------------------------------


def _of_presence(step: Step) -> Iterator[Entry]:
    before, after = step.before.presence.asleep, step.after.presence.asleep
    if after and not before:
        yield Entry(at=step.now, kind=Kind.SLEPT)
    elif before and not after:
        yield Entry(at=step.now, kind=Kind.WOKE)
    elif isinstance(step.event, events.Woke) and not after and step.heard is not None:
        yield from _slept_unannounced(step, step.heard)


def _slept_unannounced(step: Step, heard: datetime) -> Iterator[Entry]:
    if step.now - heard >= _SILENCE:
        yield Entry(at=heard, kind=Kind.SLEPT)
        yield Entry(at=step.now, kind=Kind.WOKE)


# --- sessions ----------------------------------------------------------------------------------------


def _of_session(step: Step, before: SessionState | None, after: SessionState) -> Iterator[Entry]:
    """Yield what became of a session by whatever event: these are changes, not happenings."""
    if before is None or before is after:
        return
    if after.pending is not None and before.pending is None:
        yield Entry(at=step.now, kind=Kind.SIGN_IN_BEGUN, session=after.name)
    if after.ended and not before.ended:
        ends_at = None if after.sign_in is None else after.sign_in.ends_at
        yield Entry(at=step.now, kind=Kind.SIGN_IN_ENDED, session=after.name, until=ends_at)
    if before.token is not None and after.token is None and not after.ended:
        yield Entry(at=step.now, kind=Kind.SIGNED_OUT, session=after.name)
    if after.refusal is not None and _problem(before.refusal) is None:
        yield _failure(step, Kind.RENEWAL_REFUSED, after.refusal.problem, after.name)
    yield from _of_person(step, before, after)
    yield from _of_network(step, before, after)


def _of_person(step: Step, before: SessionState, after: SessionState) -> Iterator[Entry]:
    person = after.identity.person
    if is_other(after):
        if not is_other(before) or before.identity.person != person:
            problem = other_person(after)
            yield Entry(
                at=step.now,
                kind=Kind.OTHER_PERSON,
                session=after.name,
                code=problem.code,
                text=f"last time it was {names(after)[1]}",
                person=person,
            )
    elif isinstance(step.event, events.PersonKept) and is_other(before):
        yield Entry(at=step.now, kind=Kind.PERSON_KEPT, session=after.name, person=person)


def _of_network(step: Step, before: SessionState, after: SessionState) -> Iterator[Entry]:
    was, is_now = _offline(before), _offline(after)
    if is_now and not was:
        yield Entry(at=step.now, kind=Kind.OFFLINE, session=after.name)
    elif was and not is_now and after.trouble is None and after.token is not None:
        yield Entry(at=step.now, kind=Kind.ONLINE, session=after.name)


def _offline(session: SessionState) -> bool:
    return session.trouble is not None and session.trouble.problem.code == Offline.code


def _problem(trouble: Trouble | None) -> Problem | None:
    return None if trouble is None else trouble.problem


def _failure(
    step: Step, kind: Kind, problem: Problem, session: str | None = None, profile: str | None = None
) -> Entry:
    return Entry(
        at=step.now, kind=kind, session=session, profile=profile, code=problem.code, text=problem.title
    )


def _signed_in(step: Step, event: events.SignedIn) -> Iterator[Entry]:
    yield from _new_sign_in(step, event.session, by_us=not event.joined)


def _new_sign_in(step: Step, name: str, *, by_us: bool) -> Iterator[Entry]:
    session = step.after.sessions.get(name)
    if session is None or session.sign_in is None or session.ended:
        return
    yield Entry(
        at=step.now,
        kind=Kind.SIGNED_IN,
        session=name,
        until=session.sign_in.ends_at,
        about=not session.sign_in.proof.proven,
        program=None if by_us else ANOTHER_PROGRAM,
    )


ANOTHER_PROGRAM = "another program"
"""Signed in, or renewed a token, and left it in the token cache."""


def _token_found(step: Step, event: events.TokenFound) -> Iterator[Entry]:
    before, after = step.before.sessions.get(event.session), step.after.sessions.get(event.session)
    if before is None or after is None or not before.looked or after.token is None:
        return  # what is there when we start has not happened now
    if before.token is not None and before.token.value == after.token.value:
        return
    if before.token is not None and not before.ended and _began(before) == _began(after):
        yield _renewal(step, after, by_us=False)
    else:
        yield from _new_sign_in(step, event.session, by_us=False)


def _began(session: SessionState) -> datetime | None:
    return None if session.sign_in is None else session.sign_in.started_at


def _refreshed(step: Step, event: events.Refreshed) -> Iterator[Entry]:
    before, after = step.before.sessions.get(event.session), step.after.sessions.get(event.session)
    if before is None or after is None or after.token is None or after.token is before.token:
        return
    if before.token is None or before.token.value != after.token.value:
        yield _renewal(step, after, by_us=True)


def _renewal(step: Step, session: SessionState, *, by_us: bool) -> Entry:
    return Entry(
        at=step.now,
        kind=Kind.TOKEN_RENEWED,
        session=session.name,
        until=None if session.token is None else session.token.expires_at,
        program=None if by_us else ANOTHER_PROGRAM,
    )


def _refresh_failed(step: Step, event: events.RefreshFailed) -> Iterator[Entry]:
    before, after = step.before.sessions.get(event.session), step.after.sessions.get(event.session)
    if before is None or after is None or event.problem.code == Offline.code:
        return
    if after.trouble is not None and _code(before.trouble) != _code(after.trouble):
        yield _failure(step, Kind.RENEWAL_FAILED, event.problem, event.session)


def _code(trouble: Trouble | None) -> str | None:
    return None if trouble is None else trouble.problem.code


def _sign_in_failed(step: Step, event: events.SignInFailed) -> Iterator[Entry]:
    cancelled = event.problem.code == SignInCancelled.code
    kind = Kind.SIGN_IN_CANCELLED if cancelled else Kind.SIGN_IN_FAILED
    yield _failure(step, kind, event.problem, event.session)


# --- keys --------------------------------------------------------------------------------------------


def _session_of(state: State, profile: str) -> str | None:
    known = state.profiles.get(profile)
    return None if known is None else known.profile.session


def _fetched(step: Step, event: events.Fetched) -> Iterator[Entry]:
    profile = step.after.profiles.get(event.profile)
    if profile is not None and event.credentials in (profile.credentials, profile.withheld):
        yield Entry(
            at=step.now,
            kind=Kind.KEYS_FETCHED,
            session=profile.profile.session,
            profile=event.profile,
            until=event.credentials.expires_at,
        )


def _fetch_failed(step: Step, event: events.FetchFailed) -> Iterator[Entry]:
    before, after = step.before.profiles.get(event.profile), step.after.profiles.get(event.profile)
    if before is None or after is None:
        return
    session = after.profile.session
    if _code(after.trouble) != _code(before.trouble) and after.trouble is not None:
        kind = Kind.KEYS_REFUSED if event.problem.code in _REFUSED else Kind.KEYS_FAILED
        yield _failure(step, kind, event.problem, session, event.profile)
        return
    was, is_now = step.before.sessions.get(session), step.after.sessions.get(session)
    if was is None or is_now is None or is_now.trouble is None or event.problem.code == Offline.code:
        return
    if _code(was.trouble) != _code(is_now.trouble):
        yield _failure(step, Kind.KEYS_FAILED, event.problem, session, event.profile)


def _synced(step: Step, event: events.Synced) -> Iterator[Entry]:
    known = step.before.file.marks
    for mark in event.marks:
        if not mark.pasted and _is_new(mark, known.get(mark.section)):
            yield _written(step, mark)
    for section, problem in event.refused.items():
        if section not in step.before.file.refused:
            profile = _owner(step.after, section)
            session = None if profile is None else _session_of(step.after, profile)
            yield _failure(step, Kind.FILE_FAILED, problem, session, profile)


def _is_new(mark: Mark, known: Mark | None) -> bool:
    return known is None or known.digest != mark.digest


def _written(step: Step, mark: Mark) -> Entry:
    return Entry(
        at=step.now,
        kind=Kind.KEYS_GIVEN,
        session=_session_of(step.after, mark.profile),
        profile=mark.profile,
        until=mark.expires_at,
        way=Way.FILE,
    )


def _owner(state: State, section: str) -> str | None:
    return next((name for name in state.kept if state.settings.section(name) == section), None)


def _sync_failed(step: Step, event: events.SyncFailed) -> Iterator[Entry]:
    if _code(step.before.file.trouble) != event.problem.code:
        yield _failure(step, Kind.FILE_FAILED, event.problem)


# --- what people choose, and the end -----------------------------------------------------------------


def _of_choices(step: Step) -> Iterator[Entry]:
    before, after = step.before, step.after
    if not isinstance(step.event, events.Activated | events.Deactivated | events.Switched):
        return
    for name in after.active:
        if name not in before.active:
            yield _choice(step, Kind.ACTIVATED, name)
    for name in before.active:
        if name not in after.active:
            yield _choice(step, Kind.DEACTIVATED, name)
    if before.default != after.default:
        yield _choice(step, Kind.SWITCHED, after.default)


def _choice(step: Step, kind: Kind, profile: str | None) -> Entry:
    session = None if profile is None else _session_of(step.after, profile)
    return Entry(at=step.now, kind=kind, session=session, profile=profile)


def _begun(step: Step, event: events.Begun) -> Iterator[Entry]:
    if isinstance(event.action, ShowNotice):
        notice = event.action.notice
        told = notice_words(notice, step.now, None).title
        yield Entry(
            at=step.now,
            kind=Kind.NOTICED,
            session=notice.session or None,
            profile=notice.profile,
            code=notice.subject.value,
            text=told,
        )


def _roles_listed(step: Step, event: events.RolesListed) -> Iterator[Entry]:
    for kind, roles in ((Kind.ROLES_CAME, event.came), (Kind.ROLES_WENT, event.went)):
        if roles:
            yield _of_roles(step, kind, event.session, roles)


def _of_roles(step: Step, kind: Kind, session: str, roles: frozenset[tuple[str, str]]) -> Entry:
    """Return one entry for all; where they are one profile's, it is that profile's as well."""
    accounts = step.after.accounts
    words = sorted(f"{role} in {accounts.get(account) or account}" for account, role in roles)
    hit = [each.name for each in step.after.profiles_of(session) if each.profile.role in roles]
    profile = hit[0] if len(hit) == 1 else None
    return Entry(at=step.now, kind=kind, session=session, profile=profile, text=name_list(tuple(words)))


def _stopping(step: Step, _event: events.Stopping) -> Iterator[Entry]:
    yield Entry(at=step.now, kind=Kind.AGENT_STOPPED)


_OF_EVENTS: Mapping[type, Callable[[Step, Any], Iterator[Entry]]] = MappingProxyType(
    {
        events.Begun: _begun,
        events.SignedIn: _signed_in,
        events.TokenFound: _token_found,
        events.Refreshed: _refreshed,
        events.RefreshFailed: _refresh_failed,
        events.SignInFailed: _sign_in_failed,
        events.Fetched: _fetched,
        events.FetchFailed: _fetch_failed,
        events.Synced: _synced,
        events.SyncFailed: _sync_failed,
        events.Stopping: _stopping,
        events.RolesListed: _roles_listed,
    }
)
