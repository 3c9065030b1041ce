"""How events of the desktop, of notices, of the clock, and of who is signed in change the state.

Which notices a person gets, and when, follows from it in ``notices``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from credtray.core import events
from credtray.core.apply.profiles import give_up_waiting
from credtray.core.apply.sessions import of_each_profile, on_session
from credtray.core.backoff import refusal_after
from credtray.core.errors import Offline
from credtray.core.events import ClockChanged
from credtray.core.identity import is_other, released, same_person, taken_back
from credtray.core.models import AccessToken, RoleCredentials, SignIn
from credtray.core.notices import AGAIN, WINDOW
from credtray.core.pasted_keys import ImportedKeys
from credtray.core.policy import AskPerson, ListAccounts, OpenSignIn, ShowNotice, WithdrawNotice
from credtray.core.session_status import TOLERATED_CLOCK_ERROR
from credtray.core.state import (
    PASSING,
    Identity,
    PendingSignIn,
    ProfileState,
    SessionState,
    State,
    Trouble,
    frozen,
    put,
)
from credtray.core.words import plain

_Told = TypeVar("_Told", SessionState, ImportedKeys)

_LONGEST_NAME = 120
"""Of an account; the portal allows 50 characters."""

# --- presence ----------------------------------------------------------------------------------------


def _presence_changed(state: State, event: events.PresenceChanged, now: datetime) -> State:
    before, after = state.presence, event.presence
    state = replace(state, presence=after)
    if before.asleep and not after.asleep:
        return _network_may_be_back(state, now, rested=True)
    if before.locked and not after.locked:
        return _network_may_be_back(state, now, rested=False)
    return state


def _woke(state: State, _event: events.Woke, now: datetime) -> State:
    # The clocks prove it, whether or not the desktop has said that the sleep is over.
    awake = replace(state, presence=replace(state.presence, asleep=False))
    return _network_may_be_back(awake, now, rested=True)


def _network_changed(state: State, _event: events.NetworkChanged, now: datetime) -> State:
    return _network_may_be_back(state, now, rested=False)


def _network_may_be_back(state: State, now: datetime, *, rested: bool) -> State:
    """Return the state in which everything that failed for want of a network is tried at once.

    ``rested``: the machine slept; for how long nobody could be reached counts from now on.
    """

    def sooner(session: SessionState) -> SessionState:
        trouble = session.trouble
        if trouble is None or trouble.problem.code != Offline.code:
            return session
        began = now if rested else trouble.lasting_since
        return replace(session, trouble=Trouble(trouble.problem, now, 0, now, began, trouble.tried_at))

    return replace(state, sessions=frozen({name: sooner(item) for name, item in state.sessions.items()}))


# --- parts of the desktop ----------------------------------------------------------------------------


def _part_changed(state: State, event: events.PartChanged, _now: datetime) -> State:
    served = state.notifications
    state = replace(state, desktop=put(state.desktop, event.part.name, event.part))
    if state.notifications is None or state.notifications == served:
        return state
    return replace(
        state,
        sessions=frozen({name: _to_tell_again(item) for name, item in state.sessions.items()}),
        remembered=frozen({name: _to_tell_again(item) for name, item in state.remembered.items()}),
        imports=frozen({section: _to_tell_again(item) for section, item in state.imports.items()}),
    )


def _to_tell_again(told: _Told) -> _Told:
    """Return it with what nobody could be told untold: the policy decides anew what is true now."""
    if not told.unseen:
        return told
    return replace(told, said=told.said - told.unseen, unseen=frozenset())


# --- accounts ----------------------------------------------------------------------------------------


def _accounts_asked(
    session: SessionState,
    _event: ListAccounts | events.AccountsUnknown,
    now: datetime,
    _state: State,
) -> SessionState:
    return replace(session, accounts_asked=now)


def _accounts_listed(state: State, event: events.AccountsListed, _now: datetime) -> State:
    named = {item.account_id: plain(item.name, _LONGEST_NAME) for item in event.accounts if item.name}
    return replace(state, accounts=frozen({**state.accounts, **named}))


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.PresenceChanged: _presence_changed,
        events.Woke: _woke,
        events.NetworkChanged: _network_changed,
        events.PartChanged: _part_changed,
        ListAccounts: on_session(_accounts_asked),
        events.AccountsUnknown: on_session(_accounts_asked),
        events.AccountsListed: _accounts_listed,
        events.RolesListed: on_session(lambda session, event, *_: replace(session, gone=event.gone)),
    }
)


# How events change what was told, what is on the screen and what is put off.
#
# Decides nothing: what is due then is in ``notices``.


def _shown(session: SessionState, action: ShowNotice, _now: datetime, _state: State) -> SessionState:
    says = action.notice.tells
    return replace(
        session,
        said=session.said | says,
        unseen=session.unseen - says,
        showing=put(session.showing, action.key, says),
    )


def _unseen(session: SessionState, event: events.NoticeUnseen, _now: datetime, _state: State) -> SessionState:
    if session.showing.get(event.key) == event.says:  # else a later one has taken its place by now
        # The one it was to replace may still stand there: nothing that is true now, so it is taken back.
        session = replace(session, showing=put(session.showing, event.key, frozenset()))
    if event.possible:
        return replace(session, said=session.said - event.says)
    return replace(session, unseen=session.unseen | event.says)


def _withdrawn(session: SessionState, action: WithdrawNotice, _now: datetime, _state: State) -> SessionState:
    """Return the session without this notice on the screen; a trouble that passed may be told again."""
    passed = session.showing.get(action.key, frozenset()) & PASSING
    left = frozen({key: says for key, says in session.showing.items() if key != action.key})
    return replace(session, said=session.said - passed, showing=left)


def _snoozed(session: SessionState, event: events.Snoozed, _now: datetime, _state: State) -> SessionState:
    """Return the session whose warnings count as untold, but wait: a notice later says what is true then."""
    said = frozenset(key for key in session.said if not key.startswith("soon:"))
    return replace(session, snoozed_until=event.until, said=said)


def _day_begun(session: SessionState, event: events.DayBegun, _now: datetime, _state: State) -> SessionState:
    return replace(session, day_until=event.until)


def _awaited(
    session: SessionState,
    event: events.SignInAwaited | events.SignInUnawaited,
    _now: datetime,
    _state: State,
) -> SessionState:
    waits = frozenset({event.job}) if isinstance(event, events.SignInAwaited) else frozenset()
    return replace(session, awaited=session.awaited - {event.job} | waits)


def _paused(state: State, event: events.NoticesPaused, now: datetime) -> State:
    over = event.until is None or event.until <= now
    return replace(state, paused_until=None if over else event.until)


NOTICE_HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        ShowNotice: on_session(_shown),
        events.NoticeUnseen: on_session(_unseen),
        WithdrawNotice: on_session(_withdrawn),
        events.Snoozed: on_session(_snoozed),
        events.DayBegun: on_session(_day_begun),
        events.NoticesPaused: _paused,
        events.SignInAwaited: on_session(_awaited),
        events.SignInUnawaited: on_session(_awaited),
    }
)


# How events change what is known of windows opened by itself; when that may be is in ``open_by_itself``.


def _begun(session: SessionState, _action: OpenSignIn, _now: datetime, _state: State) -> SessionState:
    return replace(session, said=session.said | {WINDOW}, window_after=None)


def _unopened(
    session: SessionState, _event: events.WindowUnopened, now: datetime, _state: State
) -> SessionState:
    """Return the session that may try again: nobody saw anything, and nobody has to know."""
    return replace(session, said=session.said - {WINDOW}, window_after=now + AGAIN, problem=None)


BY_ITSELF_HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {OpenSignIn: on_session(_begun), events.WindowUnopened: on_session(_unopened)}
)


# How events change what is known of who is signed in, and which keys programs get for it.
#
# What follows from it is in ``identity``; decides nothing.


def _person_asked(state: State, action: AskPerson, _now: datetime) -> State:
    session = state.sessions.get(action.session)
    if session is None:
        return state
    return state.with_session(replace(session, identity=replace(session.identity, asking=True)))


def _person_known(state: State, event: events.PersonKnown, _now: datetime) -> State:
    session = _meant(state, event)
    if session is None:
        return state
    known = replace(session.identity, person=event.person, told=True, asking=False, trouble=None)
    if known.expected is None or same_person(event.person, known.expected):
        return _agreed(state, session, replace(known, expected=event.person))
    state = state.with_session(replace(session, identity=known, news=False))
    return of_each_profile(state, session.name, lambda profile: taken_back(profile, known.since))


def _person_unknown(state: State, event: events.PersonUnknown, now: datetime) -> State:
    session = _meant(state, event)
    if session is None:
        return state
    trouble = refusal_after(session.identity.trouble, event.problem, now, f"{state.seed}/{session.name}/sts")
    session = replace(session, identity=replace(session.identity, asking=False, trouble=trouble))
    return give_up_waiting(state.with_session(session), session)


def _person_kept(state: State, event: events.PersonKept, _now: datetime) -> State:
    session = state.sessions.get(event.session)
    if session is None or not is_other(session) or session.identity.person != event.person:
        return state  # there is nothing to agree to, or somebody else has come since
    known = replace(session.identity, expected=event.person)
    if known.told:
        return _agreed(state, session, known)
    # Another token has come since: its keys go on waiting until it is known whose it is.
    return state.with_session(replace(session, identity=known))


def _meant(state: State, event: events.PersonKnown | events.PersonUnknown) -> SessionState | None:
    """Return the session that an answer is about; None: it is of a sign-in before the present one."""
    session = state.sessions.get(event.session)
    return session if session is not None and session.identity.since == event.since else None


def _agreed(state: State, session: SessionState, known: Identity) -> State:
    """Return the state in which everybody may have the keys of this person."""
    state = state.with_session(replace(session, identity=replace(known, unchecked=False)))
    return of_each_profile(state, session.name, lambda profile: released(profile, known.since))


PERSON_HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        AskPerson: _person_asked,
        events.PersonKnown: _person_known,
        events.PersonUnknown: _person_unknown,
        events.PersonKept: _person_kept,
    }
)


# What setting the clock does to the state: every instant of the old clock moves along.
#
# All instants are in this computer's time, and a token does not live longer because somebody turns a clock.
# Never lengthens what was obtained after the clock was set, of which this event may tell up to a tick late.


def _clock_changed(state: State, event: ClockChanged, now: datetime) -> State:
    """Return the state with everything that was obtained before the clock was set moved along."""
    if not event.by:
        return state
    shift = _Shift(event.by, now - event.by)
    return replace(
        state,
        sessions=shift.sessions(state.sessions),
        remembered=shift.sessions(state.remembered),
        profiles=frozen({name: shift.profile(item) for name, item in state.profiles.items()}),
        file=replace(state.file, trouble=shift.trouble(state.file.trouble)),
        paused_until=None if state.paused_until is None else state.paused_until + event.by,
        clock_error=_error_left(state.clock_error, event.by),
    )


def _error_left(error: timedelta, by: timedelta) -> timedelta:
    """Return how far off the clock is now; where no error was heard of, setting the clock tells of none."""
    return error - by if abs(error) > TOLERATED_CLOCK_ERROR else error


@dataclass(frozen=True, slots=True)
class _Shift:
    by: timedelta
    before: datetime
    """What the clock would show now, had nobody set it."""

    def sessions(self, sessions: Mapping[str, SessionState]) -> Mapping[str, SessionState]:
        return frozen({name: self.session(item) for name, item in sessions.items()})

    def session(self, session: SessionState) -> SessionState:
        return replace(
            session,
            token=self.token(session.token),
            sign_in=self.sign_in(session.sign_in),
            before=self.sign_in(session.before),
            pending=self.pending(session.pending),
            refreshed_at=self.past(session.refreshed_at),
            trouble=self.trouble(session.trouble),
            refusal=self.trouble(session.refusal),
            snoozed_until=None if session.snoozed_until is None else session.snoozed_until + self.by,
            accounts_asked=self.past(session.accounts_asked),
            identity=self.identity(session.identity),
        )

    def identity(self, known: Identity) -> Identity:
        return replace(
            known,
            since=self.past(known.since),
            held_since=self.past(known.held_since),
            trouble=self.trouble(known.trouble),
        )

    def pending(self, pending: PendingSignIn | None) -> PendingSignIn | None:
        if pending is None:
            return None
        return replace(pending, replaces=self.sign_in(pending.replaces), ended_at=self.past(pending.ended_at))

    def profile(self, profile: ProfileState) -> ProfileState:
        return replace(
            profile,
            credentials=self.credentials(profile.credentials),
            withheld=self.credentials(profile.withheld),
            attempted_at=self.past(profile.attempted_at),
            trouble=self.trouble(profile.trouble),
            asked_at=self.past(profile.asked_at),
            needed_until=None if profile.needed_until is None else profile.needed_until + self.by,
        )

    def token(self, token: AccessToken | None) -> AccessToken | None:
        if token is None or self._later(token.issued_at):
            return token
        return replace(token, expires_at=token.expires_at + self.by, issued_at=self.past(token.issued_at))

    def credentials(self, held: RoleCredentials | None) -> RoleCredentials | None:
        if held is None or self._later(held.fetched_at):
            return held
        return replace(held, expires_at=held.expires_at + self.by, fetched_at=held.fetched_at + self.by)

    def sign_in(self, sign_in: SignIn | None) -> SignIn | None:
        if sign_in is None or self._later(sign_in.started_at):
            return sign_in
        return replace(sign_in, started_at=sign_in.started_at + self.by, ends_at=sign_in.ends_at + self.by)

    def trouble(self, trouble: Trouble | None) -> Trouble | None:
        if trouble is None or self._later(trouble.since):
            return trouble
        return replace(
            trouble,
            since=trouble.since + self.by,
            retry_at=trouble.retry_at + self.by,
            began=self.past(trouble.began),
            tried_at=self.past(trouble.tried_at),
        )

    def past(self, instant: datetime | None) -> datetime | None:
        return instant if instant is None or self._later(instant) else instant + self.by

    def _later(self, instant: datetime | None) -> bool:
        """Tell whether it is of the new clock; set back, nobody can tell, and the earlier end is safe."""
        return instant is not None and instant > self.before


CLOCK_HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {ClockChanged: _clock_changed}
)
