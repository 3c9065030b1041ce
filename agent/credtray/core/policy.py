"""What to do now: ``decide(state, now) -> actions``. Read this file first.

Level-triggered: it looks at how things are, never at how they came about, so a missed tick, a 12 h sleep
or a restart needs no special case. It never asks for a thing twice: the state says what is under way.
Only a person begins a sign-in, but for the one window a setting may allow: see ``open_by_itself``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from credtray.core import notices
from credtray.core.desired_sections import sections_of, unwanted_sections, wanted_sections
from credtray.core.expiry import servable_window, windows_for
from credtray.core.identity import HOLD, evidence, evidence_wanted, is_other, to_be_asked
from credtray.core.models import AccessToken, SectionKeys
from credtray.core.notices import Notice
from credtray.core.session_status import (
    HEARD_OF,
    PROOF_FLOOR,
    can_refresh,
    end_needs_proof,
    held_back,
    needs_longer,
    servable,
    sign_in_of,
    token_ends_with_sign_in,
    token_usable,
)
from credtray.core.state import Identity, ProfileState, Rejection, SessionState, State
from credtray.core.summary import PATIENCE

# What the agent can do, as values: ``policy`` decides on them, ``daemon/actions`` carries them out.


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Refresh the access token of this session silently."""

    session: str


@dataclass(frozen=True, slots=True)
class FetchRoleCredentials:
    """Fetch role credentials for this profile."""

    profile: str


@dataclass(frozen=True, slots=True)
class SyncCredentialsFile:
    """Write these sections and take those out, in one rewrite."""

    wanted: tuple[SectionKeys, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShowNotice:
    """Tell a person."""

    notice: Notice

    @property
    def session(self) -> str:
        """Return the session it is about."""
        return self.notice.session

    @property
    def key(self) -> str:
        """Return under which it can be replaced or taken back."""
        return self.notice.key


@dataclass(frozen=True, slots=True)
class WithdrawNotice:
    """Take a notice back that is true no longer."""

    session: str
    key: str


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """Ask the portal what the accounts of this session are called."""

    session: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Ask STS who has signed in, with keys that this sign-in has brought."""

    session: str


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """Open a sign-in window that nobody asked for: a setting allows one for each ended sign-in."""

    session: str


Action = (
    RefreshToken
    | FetchRoleCredentials
    | ListAccounts
    | AskPerson
    | SyncCredentialsFile
    | ShowNotice
    | WithdrawNotice
    | OpenSignIn
)

__all__ = [
    "Action",
    "AskPerson",
    "FetchRoleCredentials",
    "ListAccounts",
    "OpenSignIn",
    "RefreshToken",
    "ShowNotice",
    "SyncCredentialsFile",
    "WithdrawNotice",
    "decide",
    "next_look",
]

FETCH_FLOOR = timedelta(minutes=1)
"""Role credentials of one role are never fetched more often."""

REFRESH_FLOOR = timedelta(seconds=2)
"""Tokens that are over as soon as they come are not renewed in a loop."""

AT_ONCE = 8
"""Fetches of one session under way. Further ones are decided when one is done: others may be wanted then."""

ACCOUNTS_FLOOR = timedelta(hours=24)
"""The accounts of a session are listed at most this often in one sign-in, however long it lasts."""

BATCH = timedelta(seconds=3)
"""How long finished fetches wait for slower ones to share one rewrite of the credentials file."""


def decide(state: State, now: datetime) -> tuple[Action, ...]:
    """Return everything that should be started now."""
    actions: list[Action] = []
    if not state.stopping:
        for session in state.sessions.values():
            actions.extend(_portal_calls(state, session, now))
            if to_be_asked(session, now) and evidence(state, session, now) is not None:
                actions.append(AskPerson(session.name))
            actions.extend(ShowNotice(notice) for notice in notices.due(state, session, now))
            if notices.opening_due(state, session, now):
                actions.append(OpenSignIn(session.name))
        actions.extend(ShowNotice(notice) for notice in notices.imports_due(state, now))
        actions.extend(_withdrawals(state, now))
    actions.extend(_file_sync(state, now))
    return tuple(actions)


def _withdrawals(state: State, now: datetime) -> Iterator[WithdrawNotice]:
    for name, session in state.sessions.items():
        yield from (WithdrawNotice(name, key) for key in notices.moot(state, session, now))
    for name, session in state.remembered.items():  # the config file does not name it any more
        yield from (WithdrawNotice(name, key) for key in session.showing)
    yield from (WithdrawNotice(notices.OF_PASTED_KEYS, key) for key in notices.imports_moot(state, now))


# --- portal calls ------------------------------------------------------------------------------------


def _portal_calls(state: State, session: SessionState, now: datetime) -> Iterator[Action]:
    if held_back(session, now):
        return
    calls: list[Action] = []
    if wants_refresh(state, session, now):
        calls.append(RefreshToken(session.name))
    calls.extend(islice(_fetches(state, session, now), _room(state, session)))
    if not calls and (name := evidence_wanted(state, session, now)) is not None:
        calls.append(FetchRoleCredentials(name))
    # While there is trouble one call finds out whether it has passed; the others follow when it has.
    yield from calls[:1] if session.trouble is not None else calls
    if not calls and wants_accounts(state, session, now):
        yield ListAccounts(session.name)


def _room(state: State, session: SessionState) -> int:
    under_way = sum(item.fetching for item in state.profiles_of(session.name))
    return max(0, AT_ONCE - under_way)


def _fetches(state: State, session: SessionState, now: datetime) -> Iterator[FetchRoleCredentials]:
    kept = frozenset(state.kept)
    for profile in _in_order(state, session):
        if wants_fetch(session, profile, now, kept=profile.name in kept):
            yield FetchRoleCredentials(profile.name)


def wants_refresh(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether the access token is to be refreshed now."""
    token = session.token
    if token is None or session.refreshing or not can_refresh(session, now):
        return False
    if session.pending is not None:
        # The token may be logged out at any moment, and a renewed one would look like somebody's new
        # sign-in. Ten minutes at most, and it is renewed twenty minutes before its end.
        return False
    if session.refusal is not None:
        return session.refusal.retry_at <= now
    return session.doubt is Rejection.RAISED or _grows_old(state, session, token, now)


def _grows_old(state: State, session: SessionState, token: AccessToken, now: datetime) -> bool:
    if session.refreshed_at is not None and timedelta() <= now - session.refreshed_at < REFRESH_FLOOR:
        return False
    if token_ends_with_sign_in(session):
        # It was cut at the end: refreshing it again brings the same end. Ask once more when it is over.
        return token.expires_at <= now
    aged = token.expires_at - now <= windows_for(session.token_life).advisory
    return aged or end_needs_proof(state, session, now)


def wants_fetch(session: SessionState, profile: ProfileState, now: datetime, *, kept: bool) -> bool:
    """Tell whether role credentials of this profile are to be fetched now."""
    if profile.fetching or is_other(session) or not token_usable(session, now):
        return False
    if profile.trouble is not None and profile.trouble.retry_at > now:
        return False
    if profile.attempted_at is not None and timedelta() <= now - profile.attempted_at < FETCH_FLOOR:
        return False
    return needs_longer(profile, now) or _wants_keys(profile, now, kept=kept)


def _wants_keys(profile: ProfileState, now: datetime, *, kept: bool) -> bool:
    held = profile.credentials
    if kept:
        return held is None or held.expires_at - now <= windows_for(held.life).advisory
    return profile.asked_at is not None and (held is None or not servable(held, now))


def wants_accounts(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether the names of accounts are to be asked for: nobody waits for them, all else comes first."""
    if session.trouble is not None or not token_usable(session, now):
        return False
    if session.accounts_asked is not None and now - session.accounts_asked < ACCOUNTS_FLOOR:
        return False
    profiles = state.profiles_of(session.name)
    nameless = any(item.profile.account_id not in state.accounts for item in profiles)
    return nameless and not any(item.fetching for item in profiles)


def _in_order(state: State, session: SessionState) -> list[ProfileState]:
    """Return the session's profiles: those a program waits for first, then the active ones."""
    names = state.kept
    rank = {name: place for place, name in enumerate(names)}
    profiles = (item for item in state.profiles_of(session.name) if _awaited(item) or item.name in rank)
    return sorted(profiles, key=lambda item: (not _awaited(item), rank.get(item.name, len(names))))


def _awaited(profile: ProfileState) -> bool:
    return profile.asked_at is not None or profile.needed_until is not None


# --- the credentials file ----------------------------------------------------------------------------


def _file_sync(state: State, now: datetime) -> Iterator[SyncCredentialsFile]:
    file = state.file
    if not file.known or file.syncing or (file.trouble is not None and file.trouble.retry_at > now):
        return
    wanted = wanted_sections(state, now)
    removed = unwanted_sections(state, now)
    if (wanted or removed) and not _worth_waiting(state, wanted, removed, now):
        yield SyncCredentialsFile(wanted, removed)


def _worth_waiting(
    state: State, wanted: tuple[SectionKeys, ...], removed: tuple[str, ...], now: datetime
) -> bool:
    """Tell whether other fetches of the same sessions are about to finish and can share the rewrite.

    Another session's portal may hang, and nobody's keys are to stay in the file for that: only what a fetch
    under way is about to replace waits to be taken out.
    """
    fetching = [state.profiles[name] for name in state.kept if state.profiles[name].fetching]
    if state.stopping or not fetching:
        return False
    names, sessions = {item.name for item in fetching}, {item.profile.session for item in fetching}
    chosen = sections_of(state)
    return all(chosen.get(section) in names for section in removed) and all(
        not keys.pasted
        and state.profiles[keys.profile].profile.session in sessions
        and timedelta() <= now - keys.credentials.fetched_at < BATCH
        for keys in wanted
    )


# --- when to look again ------------------------------------------------------------------------------


def next_look(state: State, now: datetime) -> datetime | None:
    """Return the next instant at which ``decide`` may answer differently, or None when only an event can."""
    return min((instant for instant in _instants(state, now) if instant > now), default=None)


def _instants(state: State, now: datetime) -> Iterator[datetime]:
    if state.paused_until is not None:
        yield state.paused_until
    for session in state.sessions.values():
        yield from _session_instants(state, session, now)
    for profile in state.profiles.values():
        yield from _profile_instants(profile)
    yield from notices.instants(state)
    if state.file.trouble is not None:
        yield state.file.trouble.retry_at
    for mark in state.file.marks.values():
        yield mark.expires_at - notices.KEYS_END_SOON
        yield mark.expires_at


def _session_instants(state: State, session: SessionState, now: datetime) -> Iterator[datetime]:
    yield from _token_instants(session)
    if session.trouble is not None:
        yield session.trouble.retry_at
        yield session.trouble.retry_at + HEARD_OF
        yield session.trouble.since + PATIENCE
        yield session.trouble.lasting_since + notices.OFFLINE_TOO_LONG
    if session.refreshed_at is not None:
        yield session.refreshed_at + PROOF_FLOOR
        yield session.refreshed_at + REFRESH_FLOOR
    if session.snoozed_until is not None:
        yield session.snoozed_until
    if session.window_after is not None:
        yield session.window_after
    yield from (job.deadline for job in session.awaited)
    if session.accounts_asked is not None:
        yield session.accounts_asked + ACCOUNTS_FLOOR
    yield from _identity_instants(session.identity)
    sign_in = sign_in_of(session, now)
    if sign_in is not None:
        if session.news:
            yield sign_in.started_at + notices.NEWS_LASTS
        yield sign_in.ends_at
        thresholds = state.settings.warnings(session.name)
        yield from (sign_in.ends_at - threshold for threshold in thresholds)


def _identity_instants(known: Identity) -> Iterator[datetime]:
    if known.held_since is not None and not known.told:
        yield known.held_since + HOLD
    if known.trouble is not None:
        yield known.trouble.retry_at


def _token_instants(session: SessionState) -> Iterator[datetime]:
    if session.token is not None:
        yield session.token.expires_at - windows_for(session.token_life).advisory
        yield session.token.expires_at
        if session.token.registration is not None:
            yield session.token.registration.expires_at
    if session.refusal is not None:
        yield session.refusal.retry_at


def _profile_instants(profile: ProfileState) -> Iterator[datetime]:
    if profile.trouble is not None:
        yield profile.trouble.retry_at
        yield profile.trouble.since + PATIENCE
    if profile.attempted_at is not None and _wanted_again(profile, profile.attempted_at + FETCH_FLOOR):
        yield profile.attempted_at + FETCH_FLOOR
    if profile.needed_until is not None:
        yield profile.needed_until - (profile.credentials.life if profile.credentials else timedelta())
    if profile.credentials is not None:
        windows = windows_for(profile.credentials.life)
        yield profile.credentials.fetched_at + BATCH
        yield profile.credentials.expires_at - windows.advisory
        yield profile.credentials.expires_at - servable_window(profile.credentials.life)
        yield profile.credentials.expires_at - notices.KEYS_END_SOON
        yield profile.credentials.expires_at


def _wanted_again(profile: ProfileState, instant: datetime) -> bool:
    """Tell whether keys are wanted by then: otherwise each fetch would wake the agent a minute later."""
    held = profile.credentials
    aged = held is None or held.expires_at - instant <= windows_for(held.life).advisory
    return aged or needs_longer(profile, instant)
