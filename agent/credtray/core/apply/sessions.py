"""How events change what is known of sso-sessions: tokens, sign-ins, refreshes. It tells nobody anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from credtray.core import events
from credtray.core.backoff import refusal_after, sooner_for_asker, trouble_after
from credtray.core.errors import Problem, Retry, TokenMismatch, TokenRefused, UnexpectedReply
from credtray.core.expiry import (
    CUT_TOLERANCE,
    Moved,
    begin_sign_in,
    compare_ends,
    learn_from_refresh,
    learn_from_refusal,
    remember,
)
from credtray.core.identity import begun
from credtray.core.models import AccessToken, EndProof, SignIn
from credtray.core.notices import WINDOW
from credtray.core.policy import RefreshToken
from credtray.core.session_status import sign_in_status
from credtray.core.shell_words import argument
from credtray.core.state import (
    PASSING,
    FailedSignIn,
    Identity,
    PendingSignIn,
    ProfileState,
    Rejection,
    SessionState,
    SignInStatus,
    State,
    frozen,
    put,
)

_STILLBORN = UnexpectedReply("it issued an access token that is over already").problem


def on_session(
    change: Callable[[SessionState, Any, datetime, State], SessionState],
) -> Callable[[State, Any, datetime], State]:
    """Return a handler for an event that names one session; an unknown session changes nothing.

    A session that the config file does not name just now is still told how its refresh or sign-in ended.
    """

    def handler(state: State, event: Any, now: datetime) -> State:
        session = state.sessions.get(event.session)
        if session is not None:
            return state.with_session(change(session, event, now, state))
        away = state.remembered.get(event.session)
        if away is None:
            return state
        return replace(
            state, remembered=put(state.remembered, event.session, change(away, event, now, state))
        )

    return handler


# --- tokens ------------------------------------------------------------------------------------------


def _token_found(
    session: SessionState, event: events.TokenFound, now: datetime, state: State
) -> SessionState:
    token = event.token
    if session.pending is not None:
        return session  # the sign-in under way notices it and joins
    session = replace(session, problem=None, emptied=False)
    if session.token is not None and session.token.value == token.value:
        # The clock may have been set since the file was written; what we hold has moved with it.
        held = session.token
        same = replace(token, issued_at=held.issued_at, expires_at=held.expires_at)
        refusal = session.refusal if same == held else None  # with what was missing it may be granted
        return replace(session, looked=True, token=same, refusal=refusal)
    if session.token is None or session.ended or session.sign_in is None:
        return _found_sign_in(session, token, now, state)
    return _of_somebody(_renewed(session, token, now, state), now, state)


def _of_somebody(session: SessionState, now: datetime, state: State) -> SessionState:
    """Return the session whose token another program brought: renewed, or of a sign-in of its own."""
    known = begun(session.identity, now, asks=state.asks_person, anew=False)
    return replace(session, identity=known)


def _found_sign_in(session: SessionState, token: AccessToken, now: datetime, state: State) -> SessionState:
    """Somebody else signed in (or we start): its beginning was not seen unless we were watching."""
    if (
        session.token is None
        and session.sign_in is not None
        and session.sign_in.ends_at > now
        and not session.ended
    ):
        # After a restart: the sign-in we remember goes on.
        same = replace(session, looked=True, token=token, token_life=_usual(session, token, now))
        return _of_somebody(same, now, state)
    watched = session.token is not None
    sign_in = replace(_new_sign_in(session, token, now, state), observed=watched)
    over = token.expires_at <= now and not token.refreshable
    fresh = replace(_cleared(session, token, now, state), sign_in=sign_in, before=None, ended=over)
    # What ended before we ever looked is no news.
    return replace(fresh, said=frozenset({"ended", WINDOW})) if token.expires_at <= now else fresh


def _renewed(session: SessionState, token: AccessToken, now: datetime, state: State) -> SessionState:
    """The same sign-in goes on with another token."""
    assert session.sign_in is not None  # noqa: S101 - callers checked; tells the type checker
    life = token.expires_at - (token.issued_at or now)
    memory = session.memory
    if memory.token_life is None and life > timedelta():
        memory = replace(memory, token_life=life)
    # A token of unknown age looks short without having been cut: it teaches nothing.
    teaches = memory if token.issued_at is not None else replace(memory, token_life=None)
    margin = state.settings.longest_warning(session.name) + timedelta(minutes=1)
    sign_in = learn_from_refresh(session.sign_in, life, token.expires_at, teaches, margin)
    memory = remember(sign_in, memory)
    return replace(
        session,
        token=token,
        token_life=max(life, timedelta(seconds=1)),
        sign_in=sign_in,
        memory=memory,
        trouble=None,
        refusal=None,
        ended=False,
        doubt=Rejection.NONE if session.doubt is Rejection.NONE else Rejection.RENEWED,
        said=_still_true(session, sign_in),
        before=_still_to_compare(session.before, sign_in, token),
    )


def _still_to_compare(before: SignIn | None, sign_in: SignIn, token: AccessToken) -> SignIn | None:
    """Return the sign-in before this one as long as it is not certain that the end moved."""
    return None if compare_ends(before, sign_in, token.expires_at) is Moved.LATER else before


def _still_true(session: SessionState, sign_in: SignIn) -> frozenset[str]:
    """Return the notices that stay said: an end that moved away lets its warnings come again."""
    assert session.sign_in is not None  # noqa: S101 - callers checked; tells the type checker
    if sign_in.ends_at <= session.sign_in.ends_at + CUT_TOLERANCE:
        return session.said - PASSING
    return frozenset(key for key in session.said - PASSING if not key.startswith(("soon:", "ended")))


def _token_doubtful(
    session: SessionState, event: events.TokenDoubtful, _now: datetime, _state: State
) -> SessionState:
    return replace(session, problem=event.problem)


# --- sign-in -----------------------------------------------------------------------------------------


def _sign_in_started(
    session: SessionState, _event: events.SignInStarted, now: datetime, _state: State
) -> SessionState:
    replaces = session.sign_in if sign_in_status(session, now) is SignInStatus.SIGNED_IN else None
    return replace(session, pending=PendingSignIn(now, replaces=replaces), problem=None, failed=None)


def _address_known(
    session: SessionState, event: events.SignInAddressKnown, now: datetime, _state: State
) -> SessionState:
    pending = session.pending or PendingSignIn(now)
    if sign_in_status(session, now) is SignInStatus.ENDED:  # who gives this one up wants no other by itself
        session = replace(session, said=session.said | {WINDOW})
    return replace(session, pending=replace(pending, url=event.url, user_code=event.user_code))


def _earlier_ended(
    session: SessionState, _event: events.EarlierEnded, now: datetime, _state: State
) -> SessionState:
    """Return the session whose sign-in is over; the keys in use stay, and no notice says that it ended.

    When the new one comes to nothing, the notice of that tells it.
    """
    sign_in = session.sign_in
    if sign_in is not None:
        sign_in = replace(sign_in, ends_at=min(sign_in.ends_at, now), proof=EndProof.REFUSED)
    return replace(
        session,
        token=None,
        sign_in=sign_in,
        pending=replace(session.pending or PendingSignIn(now), ended_at=now),
        ended=True,
        trouble=None,
        doubt=Rejection.NONE,
        overtaken=session.refreshing,
    )


def _signed_in(session: SessionState, event: events.SignedIn, now: datetime, state: State) -> SessionState:
    earlier = session.pending.replaces if session.pending is not None else None
    if earlier is None and not session.ended:
        earlier = session.sign_in
    before = earlier if earlier is not None and earlier.ends_at > now else None
    sign_in = _new_sign_in(session, event.token, now, state)
    memory = session.memory
    if sign_in.proof is not EndProof.CUT:
        memory = replace(memory, token_life=event.token.expires_at - (event.token.issued_at or now))
    return replace(
        _cleared(session, event.token, now, state),
        sign_in=sign_in,
        before=_still_to_compare(before, sign_in, event.token),
        memory=memory,
        news=not event.joined,
    )


def _signed_in_anew(state: State, event: events.SignedIn, now: datetime) -> State:
    """Who has just signed in wants to hear what the portal says of each role today."""
    state = on_session(_signed_in)(state, event, now)

    def sooner(item: ProfileState) -> ProfileState:
        if item.trouble is None:
            return item
        return replace(item, trouble=sooner_for_asker(item.trouble, now))

    return of_each_profile(state, event.session, sooner)


def _new_sign_in(session: SessionState, token: AccessToken, now: datetime, state: State) -> SignIn:
    if not token.refreshable:
        return SignIn(now, token.expires_at, EndProof.CUT)  # nothing can renew it: its end is the end
    length = state.settings.sign_in_length(session.name)
    return begin_sign_in(now, token.expires_at, session.memory, length, session.sign_in)


def _cleared(session: SessionState, token: AccessToken, now: datetime, state: State) -> SessionState:
    """Return the session as a new sign-in leaves it: no trouble, nothing said, no doubt.

    What is on the screen stays known: it is taken back, or replaced.
    """
    return SessionState(
        session.session,
        looked=True,
        token=token,
        token_life=_usual(session, token, now),
        memory=session.memory,
        refreshing=session.refreshing,
        overtaken=session.refreshing,
        showing=session.showing,
        identity=begun(session.identity, now, asks=state.asks_person, anew=True),
    )


def _usual(session: SessionState, token: AccessToken, now: datetime) -> timedelta:
    life = token.expires_at - (token.issued_at or now)
    if token.refreshable and token.issued_at is None:
        life = max(life, session.memory.token_life or timedelta(hours=1))
    return max(life, timedelta(seconds=1))


def _sign_in_failed(
    session: SessionState, event: events.SignInFailed, now: datetime, state: State
) -> SessionState:
    if event.dropped and not session.ended:
        session = _earlier_ended(session, events.EarlierEnded(event.session), now, state)
    ended_at = session.pending.ended_at if session.pending is not None else None
    failed = None if event.unasked else FailedSignIn(now, event.problem, ended_at)
    session = replace(session, pending=None, problem=event.problem, failed=failed)
    if ended_at is None:
        return session
    # The notice of this failure says that it ended; no other one on top, and no window by itself.
    return replace(session, before=None, said=session.said | {"ended", WINDOW})


# --- refresh -----------------------------------------------------------------------------------------


def _refresh_started(
    session: SessionState, _action: RefreshToken, now: datetime, _state: State
) -> SessionState:
    return replace(session, refreshing=True, refreshed_at=now)


def _refreshed(session: SessionState, event: events.Refreshed, now: datetime, state: State) -> SessionState:
    overtaken, session = session.overtaken, _done_refreshing(session)
    if overtaken:
        return session
    if session.sign_in is None or session.token is None:
        return _found_sign_in(session, event.token, now, state)
    renewed = replace(
        _renewed(session, event.token, now, state), identity=_after_refresh(session, event.token, now, state)
    )
    if event.token.expires_at > now:
        return renewed
    return _refused(replace(renewed, refusal=session.refusal), _STILLBORN, now, state)


def _after_refresh(session: SessionState, token: AccessToken, now: datetime, state: State) -> Identity:
    """Return who is signed in after a refresh: the same person, unless the token was somebody else's."""
    known, seen = session.identity, session.token is not None and session.token.value == token.value
    if token.found:
        return known if seen else begun(known, now, asks=state.asks_person, anew=False)
    # Seen in the token cache before we heard of it ourselves, it was taken for another program's.
    return replace(known, told=known.told or known.person is not None) if seen else known


def _done_refreshing(session: SessionState) -> SessionState:
    return replace(session, refreshing=False, overtaken=False)


def _refresh_failed(
    session: SessionState, event: events.RefreshFailed, now: datetime, state: State
) -> SessionState:
    overtaken, session = session.overtaken, _done_refreshing(session)
    if overtaken:
        return session
    if event.problem.code == TokenRefused.code:
        return end(session, now)
    if event.problem.retry is Retry.PERSON and event.problem.code != TokenMismatch.code:
        return _refused(session, event.problem, now, state)
    return troubled(session, event.problem, now, state)


def _refused(session: SessionState, problem: Problem, now: datetime, state: State) -> SessionState:
    """Return the session after an answer that grants nothing, and says nothing of the sign-in's own end.

    Whatever the service means by it: without a refresh the sign-in ends with the token held. A token that
    the portal does not take either is of no use even until then.
    """
    if session.doubt is Rejection.RAISED:
        return end(session, now)
    name = session.name
    told = replace(
        problem,
        title=f"Refresh refused. {problem.title}",
        hint=f"Run: credtray login {argument(name)}",
    )
    refusal = refusal_after(session.refusal, told, now, f"{state.seed}/{name}")
    return replace(session, refusal=refusal, trouble=None)


def _refresh_moot(
    session: SessionState, _event: events.RefreshMoot, _now: datetime, _state: State
) -> SessionState:
    return _done_refreshing(session)


def end(session: SessionState, now: datetime) -> SessionState:
    """Return the session after the service refused to go on: only a person can begin another sign-in."""
    if session.sign_in is None:
        return replace(session, ended=True, trouble=None, refusal=None)
    sign_in = learn_from_refusal(session.sign_in, now, _alive_at(session, now), session.token_life)
    return replace(
        session,
        ended=True,
        trouble=None,
        refusal=None,
        sign_in=sign_in,
        memory=remember(sign_in, session.memory),
    )


def _alive_at(session: SessionState, now: datetime) -> datetime:
    """Return when the sign-in was alive for certain: a token is cut at its end, so it lasts as long."""
    token = session.token
    if token is None:
        return now
    return token.expires_at if token.expires_at <= now else token.expires_at - session.token_life


def troubled(session: SessionState, problem: Problem, now: datetime, state: State) -> SessionState:
    """Return the session with its portal calls held back for a while."""
    seed = f"{state.seed}/{session.name}"
    return replace(session, trouble=trouble_after(session.trouble, problem, now, seed))


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.TokenFound: on_session(_token_found),
        events.TokenDoubtful: on_session(_token_doubtful),
        events.SignInStarted: on_session(_sign_in_started),
        events.SignInAddressKnown: on_session(_address_known),
        events.EarlierEnded: on_session(_earlier_ended),
        events.SignedIn: _signed_in_anew,
        events.SignInFailed: on_session(_sign_in_failed),
        RefreshToken: on_session(_refresh_started),
        events.Refreshed: on_session(_refreshed),
        events.RefreshFailed: on_session(_refresh_failed),
        events.RefreshMoot: on_session(_refresh_moot),
    }
)


# How signing out, here or elsewhere, changes the state: token and keys go, what was learned stays.


_DELETED = frozenset({"deleted"})


def _token_vanished(state: State, event: events.TokenVanished, now: datetime) -> State:
    session = state.sessions.get(event.session)
    if session is not None and session.ended and session.token is None:
        # We ended it ourselves for a new sign-in: the keys in use outlive it, also over a restart.
        return state.with_session(replace(session, looked=True))
    pending = None if session is None else session.pending
    if pending is None:
        return _emptied(_vanished(state, event, now), session, event)
    if pending.replaces is None:
        return state
    left = _signed_out(state, event, now)  # by another program, while our browser page waits
    return left.with_session(replace(left.sessions[event.session], pending=replace(pending, replaces=None)))


def _emptied(state: State, before: SessionState | None, event: events.TokenVanished) -> State:
    """Return the state that knows whether the sign-in there was has been deleted by hand."""
    if before is None or not (before.emptied or (event.emptied and before.token is not None)):
        return state
    left = state.sessions[event.session]
    return state.with_session(replace(left, emptied=True, said=left.said | before.said & _DELETED))


def _vanished(state: State, event: events.TokenVanished, now: datetime) -> State:
    """Return the state without the token; where there was none, that a sign-in has failed stays known."""
    session = state.sessions.get(event.session)
    left = _signed_out(state, event, now)
    if session is None or session.token is not None or session.failed is None:
        return left
    known = replace(left.sessions[event.session], failed=session.failed, said=session.said)
    return left.with_session(replace(known, problem=session.failed.problem))


def of_each_profile(state: State, session: str, change: Callable[[ProfileState], ProfileState]) -> State:
    """Return the state with each profile of this session changed."""
    changed = {item.name: change(item) for item in state.profiles_of(session)}
    return replace(state, profiles=frozen({**state.profiles, **changed}))


def _without_keys(item: ProfileState) -> ProfileState:
    return replace(item, credentials=None, withheld=None, trouble=None, asked_at=None, needed_until=None)


def _signed_out(state: State, event: events.SignedOut | events.TokenVanished, _now: datetime) -> State:
    """Return the state without the token and the keys of this session; what was learned stays."""
    session = state.sessions.get(event.session)
    if session is None:
        return state
    state = of_each_profile(state, event.session, _without_keys)
    left = SessionState(
        session.session,
        looked=True,
        memory=session.memory,
        refreshing=session.refreshing,
        overtaken=session.refreshing,
        showing=session.showing,
        identity=Identity(session.identity.expected),
    )
    return state.with_session(left)


SIGN_OUT_HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.TokenVanished: _token_vanished,
        events.SignedOut: _signed_out,
    }
)
