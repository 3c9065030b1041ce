"""What a person should be told now, at most once per sign-in. The words are in ``notice_texts``. Pure.

A notice is a condition, not an event: what holds and was not told is due; what is on the screen and holds
no longer is moot. Nothing is due while nobody would see it or is free for it: afterwards it tells the truth
of then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

from credtray.core.desired_sections import DEFAULT, sections_of, unwanted_sections, wanted_sections
from credtray.core.errors import Offline, Problem, RoleRefused
from credtray.core.expiry import Moved, compare_ends
from credtray.core.identity import answer_due, is_other
from credtray.core.pasted_keys import FORGOTTEN_AFTER, ImportedKeys, kept_imports
from credtray.core.ports import Part
from credtray.core.session_status import (
    awaiting_proof,
    clock_off,
    is_gone,
    keys_until,
    offline,
    role_refused,
    sign_in_end,
    sign_in_of,
    sign_in_status,
    unrenewed,
    waiting_for_keys,
    warnings_due,
)
from credtray.core.settings import Settings
from credtray.core.state import FailedSignIn, SessionState, SignInStatus, State
from credtray.core.summary import PATIENCE, PendingSummary, left_of

OFFLINE_TOO_LONG = timedelta(minutes=15)
"""Without a network for longer than this, keys that end are worth a notice."""

KEYS_END_SOON = timedelta(minutes=15)
"""Keys with less left than this are about to fail whoever uses them (botocore's advisory window)."""

NEWS_LASTS = timedelta(minutes=5)
"""A notice that a sign-in worked comes within this time or not at all, and taken back afterwards."""


OF_PASTED_KEYS = ""
"""Stands for the session in notices of pasted keys, which belong to none; no session has an empty name."""
_PASTED = "pasted:"


def pasted_key(section: str) -> str:
    """Return the key of the notices about the pasted keys in a section."""
    return _PASTED + section


def pasted_section(key: str) -> str:
    """Return the section that such a key is about."""
    return key.removeprefix(_PASTED)


class Subject(Enum):
    """What a notice is about."""

    ENDS_SOON = "ends_soon"
    ENDED = "ended"
    DELETED = "deleted"
    SIGNED_IN = "signed_in"
    END_UNMOVED = "end_unmoved"
    SIGN_IN_FAILED = "sign_in_failed"
    DAY_UNCOVERED = "day_uncovered"
    AWAITED = "awaited"
    CANNOT_REFRESH = "cannot_refresh"
    OFFLINE = "offline"
    ROLE_REFUSED = "role_refused"
    SECTION_REFUSED = "section_refused"
    CLOCK_OFF = "clock_off"
    OTHER_PERSON = "other_person"
    PASTED_END_SOON = "pasted_end_soon"
    PASTED_ENDED = "pasted_ended"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell; a later one with the same key replaces it."""

    subject: Subject
    session: str
    key: str
    says: frozenset[str]
    """What it is about; told when all of it is remembered as told during this sign-in."""
    covers: frozenset[str] = frozenset()
    """What need not be told any more once this one was: it says when the sign-in ends."""
    ends_at: datetime | None = None
    about: bool = False
    """True: the end is an estimate."""
    names: tuple[str, ...] = ()
    """Profiles or sections it concerns; of persons who is signed in, and who was."""
    waiting: tuple[str, ...] = ()
    """Who waits for a sign-in, as far as that is known."""
    profile: str | None = None
    """The one profile that it is about, where it is about a section of it."""
    problem: Problem | None = None
    left: PendingSummary | None = None
    """What is still valid after a sign-in that failed."""
    clock_error: timedelta = timedelta()
    day_until: datetime | None = None
    """When the working day ends."""

    @property
    def tells(self) -> frozenset[str]:
        """What is remembered as told when it was shown."""
        return self.says | self.covers


def due(state: State, session: SessionState, now: datetime) -> tuple[Notice, ...]:
    """Return the notices to show now, at most one for each key."""
    if session.pending is not None or held(state, now):
        return ()
    found: dict[str, Notice] = {}
    for notice in holding(state, session, now):
        if not notice.says <= session.said and not _waits(state, session, notice, now):
            found.setdefault(notice.key, notice)
    return tuple(found.values())


def moot(state: State, session: SessionState, now: datetime) -> tuple[str, ...]:
    """Return the keys of the notices on the screen that hold no longer, and that nothing replaces now."""
    if session.pending is not None or not session.showing or state.notifications_down:
        return ()
    replaced = {notice.key for notice in due(state, session, now)}
    holds, to_be_proven = tuple(holding(state, session, now)), awaiting_proof(state, session, now)

    def stands(key: str, told: frozenset[str]) -> bool:
        return any(
            each.key == key and (each.says <= told or (each.subject is Subject.ENDS_SOON and to_be_proven))
            for each in holds
        )

    return tuple(
        key
        for key, told in session.showing.items()
        if key not in replaced and not stands(key, told) and not _unsettled(state, key, now)
    )


def held(state: State, now: datetime) -> bool:
    """Tell whether nobody would see a notice now, is free for one, or wants one."""
    presence = state.presence
    return presence.away or presence.busy or (state.paused_until is not None and state.paused_until > now)


def holding(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    """Yield every notice whose condition holds now, told or not; of one key the weightiest first."""
    yield from _other_person(session, now)
    yield from _end(state, session, now)
    yield from _awaited(session, now)
    yield from _portal(state, session, now)
    yield from _roles(state, session, now)
    yield from _sections(state, session)
    yield from _clock(state, session)


def _waits(state: State, session: SessionState, notice: Notice, now: datetime) -> bool:
    """Tell whether a notice that holds is not told yet: nobody could act on it, or a call is to find out."""
    match notice.subject:
        case Subject.ENDED | Subject.DAY_UNCOVERED:
            return offline(session, now)
        case Subject.ENDS_SOON:
            if offline(session, now) or awaiting_proof(state, session, now):
                return True
            # One refusal may be a mistake of the service: it is asked once more before anybody is called.
            return session.refusal is not None and session.refusal.attempts == 1
        case Subject.SIGNED_IN:
            return answer_due(state, session, now)
        case Subject.CANNOT_REFRESH | Subject.OFFLINE:
            # The network may just have come back: first the try that is due then.
            return session.trouble is not None and session.trouble.attempts == 0
        case _:  # who was told that a role is gone need not hear it again
            names = notice.names if notice.subject is Subject.ROLE_REFUSED else ()
            return bool(names) and all(is_gone(state, state.profiles[each]) for each in names)


# --- the sign-in -------------------------------------------------------------------------------------


def _end(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    name, sign_in, standing = session.name, sign_in_of(session, now), sign_in_status(session, now)
    key = f"{name}:end"
    if session.failed is not None:
        yield _failed(state, session, session.failed, now)
    if session.emptied and standing is SignInStatus.SIGNED_OUT:
        yield Notice(Subject.DELETED, name, key, frozenset({"deleted"}))
    if sign_in is None or standing is SignInStatus.SIGNED_OUT:
        return
    if standing is SignInStatus.ENDED:
        about = not sign_in.proof.proven
        yield Notice(Subject.ENDED, name, key, frozenset({"ended"}), ends_at=sign_in.ends_at, about=about)
        return
    refused = session.refusal.problem if session.refusal is not None else None
    passed, until = warnings_due(state, session, now), session.day_until
    ends_at, about = sign_in.ends_at, not sign_in.proof.proven
    notice = partial(Notice, session=name, key=key, ends_at=ends_at, about=about)
    if _unmoved(session):
        yield notice(Subject.END_UNMOVED, says=frozenset({"unmoved"}), covers=passed)
    elif session.news and timedelta() <= now - sign_in.started_at < NEWS_LASTS:
        yield notice(Subject.SIGNED_IN, says=frozenset({"signed_in"}), covers=passed)
    if session.snoozed_until is not None and session.snoozed_until > now:
        return
    if passed:
        yield notice(Subject.ENDS_SOON, says=passed, problem=refused)
    elif until is not None and now < ends_at < until:
        says = frozenset({f"day:{until.isoformat()}"})
        yield notice(Subject.DAY_UNCOVERED, says=says, day_until=until)


def _failed(state: State, session: SessionState, failed: FailedSignIn, now: datetime) -> Notice:
    """Return what a sign-in that came to nothing leaves valid; it covers what it tells, too."""
    name = session.name
    over = frozenset({"ended"}) if sign_in_status(session, now) is SignInStatus.ENDED else frozenset()
    return Notice(
        Subject.SIGN_IN_FAILED,
        name,
        f"{name}:end",
        frozenset({f"failed:{failed.at.isoformat()}"}),
        warnings_due(state, session, now) | over,
        problem=failed.problem,
        left=left_of(state, session, now),
    )


def _unmoved(session: SessionState) -> bool:
    """Tell whether a fresh sign-in has turned out to end with the one before it."""
    before, sign_in, token = session.before, session.sign_in, session.token
    if before is None or sign_in is None or token is None:
        return False
    return compare_ends(before, sign_in, token.expires_at) is Moved.SAME


def _awaited(session: SessionState, now: datetime) -> Iterator[Notice]:
    """Yield what the jobs say that cannot begin before somebody signs in; each job says it once."""
    end = sign_in_end(session, now)
    jobs = [job for job in session.awaited if job.deadline > now and (end is None or end.until < job.until)]
    if jobs:
        name, ended = session.name, sign_in_status(session, now) is SignInStatus.ENDED
        yield Notice(
            Subject.AWAITED,
            name,
            f"{name}:{'end' if ended else 'awaited'}",  # in the place of the one that told the end
            frozenset(f"awaited:{job.profile}:{job.deadline.isoformat()}" for job in jobs),
            frozenset({"ended"} if ended else ()),
            ends_at=end.until if end is not None else None,
            names=tuple(sorted({job.profile for job in jobs})),
            waiting=tuple(sorted({job.who for job in jobs} - {""})),
        )


def _other_person(session: SessionState, now: datetime) -> Iterator[Notice]:
    if is_other(session) and sign_in_status(session, now) is SignInStatus.SIGNED_IN:
        name, person = session.name, session.identity.person or ""
        says = frozenset({f"person:{person}"})
        before = session.identity.expected or ""
        yield Notice(Subject.OTHER_PERSON, name, f"{name}:person", says, names=(person, before))


# --- the portal --------------------------------------------------------------------------------------


def _portal(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    trouble = session.trouble
    if trouble is None or sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
        return
    if trouble.problem.code == Offline.code:
        yield from _offline(state, session, now)
        return
    waiting = tuple(item.name for item in waiting_for_keys(state, session, now))
    if (waiting or unrenewed(session, now)) and now - trouble.since >= PATIENCE:
        name = session.name
        says = frozenset({"trouble"})
        yield Notice(
            Subject.CANNOT_REFRESH, name, f"{name}:portal", says, names=waiting, problem=trouble.problem
        )


def _offline(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    name, trouble = session.name, session.trouble
    if trouble is None or now - trouble.lasting_since < OFFLINE_TOO_LONG:
        return
    ends = {
        item.name: keys_until(state, item)
        for item in (state.profiles[each] for each in state.kept)
        if item.profile.session == name
    }
    failing = {each: end for each, end in ends.items() if end is None or end - now <= KEYS_END_SOON}
    if failing:
        first = min((end for end in failing.values() if end is not None), default=None)
        yield Notice(
            Subject.OFFLINE,
            name,
            f"{name}:portal",
            frozenset({"offline"}),
            ends_at=first,
            names=tuple(failing),
            problem=trouble.problem,
        )


# --- roles, sections, the clock ----------------------------------------------------------------------


def _roles(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    name = session.name
    refused = {
        item.name: item.trouble.problem
        for item in state.profiles_of(name)
        if item.trouble is not None and role_refused(item)
    }
    kept = frozenset(state.kept) if refused else frozenset()
    names = tuple(each for each in refused if each in kept)
    if sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
        return
    yield from _unfetched(state, session, now)
    for code in dict.fromkeys(refused[each].code for each in names):
        alike = tuple(each for each in names if refused[each].code == code)
        says = frozenset(f"role:{each}" for each in alike)
        key = f"{name}:roles" if code == RoleRefused.code else f"{name}:{code}"
        yield Notice(Subject.ROLE_REFUSED, name, key, says, names=alike, problem=refused[alike[0]])


def _unfetched(state: State, session: SessionState, now: datetime) -> Iterator[Notice]:
    """Yield what keeps kept profiles without keys for reasons of their own, besides a refused role."""
    name = session.name
    stuck = {
        item.name: item.trouble
        for item in waiting_for_keys(state, session, now)
        if item.trouble is not None and not role_refused(item)
    }
    lasting = {each: trouble for each, trouble in stuck.items() if now - trouble.since >= PATIENCE}
    if lasting:
        yield Notice(
            Subject.CANNOT_REFRESH,
            name,
            f"{name}:keys",
            frozenset(f"keys:{each}" for each in lasting),
            names=tuple(lasting),
            problem=next(iter(lasting.values())).problem,
        )


def _sections(state: State, session: SessionState) -> Iterator[Notice]:
    name = session.name
    owners = sections_of(state) if state.file.refused else {}
    for section, problem in state.file.refused.items():
        owner = state.profiles.get(owners.get(section, ""))
        if owner is not None and owner.profile.session == name:
            says = frozenset({f"section:{section}"})
            yield Notice(
                Subject.SECTION_REFUSED,
                name,
                f"{name}:section:{section}",
                says,
                names=(section,),
                profile=owner.name if section != DEFAULT else None,
                problem=problem,
            )


def _unsettled(state: State, key: str, now: datetime) -> bool:
    """Tell whether a rewrite of the credentials file is about to find out whether a section is refused."""
    if ":section:" not in key:
        return False
    return state.file.syncing or bool(wanted_sections(state, now) or unwanted_sections(state, now))


def _clock(state: State, session: SessionState) -> Iterator[Notice]:
    name = session.name
    if clock_off(state) and name == next(iter(state.sessions)):
        # The computer has one clock: the first session speaks for all.
        yield Notice(Subject.CLOCK_OFF, name, "clock", frozenset({"clock"}), clock_error=state.clock_error)


# What a person should be told of pasted keys: once before they end, and once that they have. Pure.
#
# Pasted keys belong to no session, so the notices of sessions know nothing of them; held they are alike.


_SOON = frozenset({"soon"})
_ENDED = frozenset({"ended"})


def imports_due(state: State, now: datetime) -> tuple[Notice, ...]:
    """Return the notices to show now, at most one for each section."""
    if not state.imports or held(state, now):
        return ()
    holding = (_holding(item, state.settings, now) for item in kept_imports(state.imports))
    return tuple(
        notice
        for notice in holding
        if notice is not None and not notice.says <= state.imports[notice.names[0]].said
    )


def imports_moot(state: State, now: datetime) -> tuple[str, ...]:
    """Return the keys of the notices on the screen that hold no longer, and that nothing replaces now."""
    replaced = {notice.key for notice in imports_due(state, now)}
    return tuple(
        pasted_key(item.section)
        for item in state.imports.values()
        if item.showing and not _stands(item, state, now) and pasted_key(item.section) not in replaced
    )


def instants(state: State) -> Iterator[datetime]:
    """Yield when something about pasted keys may have to be told or done."""
    for item in state.imports.values():
        warned_at = _warned_at(item, state.settings)
        if warned_at is not None:
            yield warned_at
        yield item.expires_at
        yield item.expires_at + FORGOTTEN_AFTER


def _stands(item: ImportedKeys, state: State, now: datetime) -> bool:
    notice = None if item.released else _holding(item, state.settings, now)
    return notice is not None and notice.says <= item.showing


def _holding(item: ImportedKeys, settings: Settings, now: datetime) -> Notice | None:
    ends_at, warned_at = item.expires_at, _warned_at(item, settings)
    key, names = pasted_key(item.section), (item.section,)
    notice = partial(Notice, session=OF_PASTED_KEYS, key=key, ends_at=ends_at, names=names)
    if ends_at <= now:
        return None if now >= ends_at + FORGOTTEN_AFTER else notice(Subject.PASTED_ENDED, says=_ENDED)
    if warned_at is None or now < warned_at:
        return None
    return notice(Subject.PASTED_END_SOON, says=_SOON)


def _warned_at(item: ImportedKeys, settings: Settings) -> datetime | None:
    """Return when the notice is due: at the first threshold that still lay ahead when they were pasted."""
    life = timedelta.max if item.imported_at is None else item.expires_at - item.imported_at
    ahead = max((each for each in settings.warn_before if each < life), default=None)
    return None if ahead is None else item.expires_at - ahead


# Whether the agent may open a sign-in window that nobody asked for: at most one per ended sign-in. Pure.
#
# A setting of the session allows it. Never for a code on another device: those are for people who ask (a
# code that appears unasked is how people are tricked).


WINDOW = "window"
"""In ``SessionState.said`` once a window was opened for this end, or a person was shown an address."""

AGAIN = timedelta(minutes=5)
"""After a try that opened nothing because the portal could not be reached."""


def opening_due(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether to open the one window now."""
    if not allowed(state, session) or session.sign_in is None or WINDOW in session.said:
        return False
    if (
        sign_in_status(session, now) is not SignInStatus.ENDED
        or session.pending is not None
        or offline(session, now)
    ):
        return False
    if session.window_after is not None and session.window_after > now:
        return False
    # What cannot be remembered would be done again after a restart.
    return state.unsaved is None and present(state, now)


def allowed(state: State, session: SessionState) -> bool:
    """Tell whether the settings want it and the session's way of signing in has a window at all."""
    chosen = state.settings.session(session.name)
    return chosen.open_by_itself and not chosen.device_flow and not session.session.legacy


def present(state: State, now: datetime) -> bool:
    """Tell whether somebody is known to be there and wants to be told things."""
    part = state.desktop.get(Part.PRESENCE)
    return part is not None and part.back_end is not None and not held(state, now)
