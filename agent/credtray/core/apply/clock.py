"""What setting the clock does to the state: every instant of the old clock moves along.

All instants are in this computer's time, and a token does not live longer because somebody turns a clock.
Never lengthens what was obtained after the clock was set, of which this event may tell up to a tick late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from credtray.core.events import ClockChanged
from credtray.core.models import AccessToken, RoleCredentials, SignIn
from credtray.core.standing import TOLERATED_CLOCK_ERROR
from credtray.core.state import PendingSignIn, ProfileState, SessionState, State, Trouble, frozen


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
        )

    def pending(self, pending: PendingSignIn | None) -> PendingSignIn | None:
        if pending is None:
            return None
        return replace(pending, replaces=self.sign_in(pending.replaces), ended_at=self.past(pending.ended_at))

    def profile(self, profile: ProfileState) -> ProfileState:
        return replace(
            profile,
            credentials=self.credentials(profile.credentials),
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


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen({ClockChanged: _clock_changed})
