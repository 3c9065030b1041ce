"""Will it last: the answer, and the early fetches that follow from somebody's need."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import Offline, RoleRefused, TokenRefused
from credtray.core.events import (
    ClockChanged,
    Deactivated,
    EarlierEnded,
    Fetched,
    FetchFailed,
    Needed,
    RefreshFailed,
    SignedIn,
    SignedOut,
    SignInStarted,
)
from credtray.core.expiry import servable_window
from credtray.core.models import EndProof, SignIn
from credtray.core.policy import FETCH_FLOOR, FetchRoleCredentials, decide, next_look
from credtray.core.session_status import (
    FetchNeeded,
    Never,
    SignInNeeded,
    Validity,
    ValidUntil,
    outlook,
    slack,
)
from credtray.core.state import State
from tests.core.making import HOUR, MINUTE, NOON, SECOND, after, fetching, keys, signed_in, started, token


def state_with(
    *, life: timedelta | None = HOUR, end: timedelta = 8 * HOUR, proof: EndProof = EndProof.CUT
) -> State:
    """Signed in until *end* after noon; keys of that life fetched at noon, and nobody keeps them.

    One token lasts as long, in place of those that would have been renewed.
    """
    state = after(signed_in("dev", life=end), Deactivated(("dev",)))
    session = replace(state.sessions["corp"], sign_in=SignIn(NOON, NOON + end, proof))
    state = state.with_session(session)
    return state if life is None else after(state, fetching("dev"), Fetched("dev", keys(life=life)))


def look(state: State, wanted: timedelta, at: timedelta = timedelta(), *, of_keys: bool = False) -> Validity:
    return outlook(state, state.profiles["dev"], wanted, NOON + at, keys=of_keys)


def fetches(state: State, at: timedelta) -> list[str]:
    return [each.profile for each in decide(state, NOON + at) if isinstance(each, FetchRoleCredentials)]


# --- the sign-in has to last -------------------------------------------------------------------------


@pytest.mark.parametrize(("proof", "about"), [(EndProof.CUT, False), (EndProof.SETTING, True)])
def test_who_renews_needs_the_sign_in_to_last(proof: EndProof, *, about: bool) -> None:
    state = state_with(proof=proof)
    sure = NOON + 8 * HOUR if about else None  # the token alone

    assert look(state, 8 * HOUR) == ValidUntil(NOON + 8 * HOUR, about, proof, sure_until=sure)
    assert look(state, 9 * HOUR) == SignInNeeded("corp", NOON + 8 * HOUR, about)


def test_keys_of_a_role_that_nobody_has_tried_are_fetched_first() -> None:
    assert look(state_with(life=None), HOUR) == FetchNeeded(NOON + HOUR - slack(HOUR))


def test_keys_in_their_tail_are_fetched_first() -> None:
    assert isinstance(look(state_with(), HOUR, 45 * MINUTE), FetchNeeded)
    assert isinstance(look(state_with(), HOUR, 44 * MINUTE), ValidUntil)


def test_keys_count_beyond_the_end_of_the_sign_in_until_they_are_no_more_handed_out() -> None:
    state = after(state_with(end=HOUR), RefreshFailed("corp", TokenRefused().problem), now=NOON + MINUTE)

    assert look(state, 40 * MINUTE, MINUTE) == ValidUntil(NOON + 45 * MINUTE)
    assert look(state, 50 * MINUTE, MINUTE) == SignInNeeded("corp", NOON + 45 * MINUTE)
    assert look(state, MINUTE, 45 * MINUTE) == SignInNeeded("corp", None)


def test_keys_of_a_long_life_are_fetched_to_reach_beyond_the_end() -> None:
    state = state_with(life=12 * HOUR, end=2 * HOUR)
    wanted = 11 * HOUR
    tail = servable_window(12 * HOUR)

    assert look(state, wanted, HOUR) == FetchNeeded(NOON + HOUR + wanted - slack(wanted) + tail)
    assert look(state, 12 * HOUR, HOUR) == SignInNeeded("corp", NOON + 12 * HOUR - tail)


def test_an_estimate_that_the_token_disproves_is_no_end() -> None:
    state = state_with(end=HOUR)
    late = replace(state.sessions["corp"], sign_in=SignIn(NOON, NOON + MINUTE, EndProof.SETTING))

    assert look(state.with_session(late), HOUR) == ValidUntil(
        NOON + HOUR, about=True, known_by=EndProof.SETTING, sure_until=NOON + HOUR
    )


@pytest.mark.parametrize("of_keys", [False, True])
def test_signed_out_only_a_person_can_help(*, of_keys: bool) -> None:
    assert look(started("dev"), MINUTE, of_keys=of_keys) == SignInNeeded("corp", None)


# --- the keys have to last ---------------------------------------------------------------------------


def test_keys_last_until_their_own_end_whatever_the_sign_in_does() -> None:
    state = after(state_with(), RefreshFailed("corp", TokenRefused().problem))

    assert look(state, 55 * MINUTE, 5 * MINUTE, of_keys=True) == ValidUntil(NOON + HOUR)
    assert look(state, 56 * MINUTE, 5 * MINUTE, of_keys=True) == SignInNeeded("corp", NOON + HOUR)


def test_keys_that_end_too_early_are_fetched_where_new_ones_would_last() -> None:
    wanted = 50 * MINUTE

    assert look(state_with(), wanted, 20 * MINUTE, of_keys=True) == FetchNeeded(
        NOON + 20 * MINUTE + wanted - slack(wanted)
    )


def test_what_the_role_never_gives_is_told_also_signed_out() -> None:
    ended = after(state_with(), RefreshFailed("corp", TokenRefused().problem))

    assert look(state_with(), 61 * MINUTE, of_keys=True) == Never(HOUR)
    assert look(ended, 61 * MINUTE, of_keys=True) == Never(HOUR)


def test_keys_of_an_hour_count_as_lasting_an_hour() -> None:
    assert look(state_with(), HOUR, 9 * SECOND, of_keys=True) == ValidUntil(NOON + HOUR)
    assert isinstance(look(state_with(), HOUR, 11 * SECOND, of_keys=True), FetchNeeded)


@given(
    at=st.integers(-70, 70),
    wanted=st.integers(1, 9 * 60),
    life=st.sampled_from([15 * MINUTE, HOUR, 12 * HOUR]),
    end=st.sampled_from([30 * MINUTE, HOUR, 8 * HOUR]),
    of_keys=st.booleans(),
)
def test_no_answer_promises_more_than_is_there(
    at: int, wanted: int, life: timedelta, end: timedelta, *, of_keys: bool
) -> None:
    state, moment = state_with(life=life, end=end), max(timedelta(), life * 3 / 4 + at * MINUTE)
    if moment >= end:  # the one refresh at the end was refused
        state = after(state, RefreshFailed("corp", TokenRefused().problem), now=NOON + moment)
    found = look(state, wanted * MINUTE, moment, of_keys=of_keys)

    match found:
        case ValidUntil(until):
            assert until >= NOON + moment + wanted * MINUTE - slack(wanted * MINUTE)
            assert until <= NOON + (life if of_keys else max(life, end))
        case FetchNeeded(until):
            fresh = keys(NOON + moment, life)
            ready = after(state, fetching("dev"), Fetched("dev", fresh), now=NOON + moment)
            assert until > NOON + moment
            assert not isinstance(look(ready, wanted * MINUTE, moment, of_keys=of_keys), FetchNeeded)
        case SignInNeeded(_, until):
            assert until is None or until < NOON + moment + wanted * MINUTE
        case Never(lives):
            assert of_keys
            assert lives < wanted * MINUTE


# --- a need, and the fetch that answers it -----------------------------------------------------------


def needing(until: timedelta, *, life: timedelta | None = HOUR) -> State:
    return after(state_with(life=life), Needed("dev", NOON + until))


def test_needed_keys_are_fetched_before_their_usual_time_and_also_of_an_inactive_profile() -> None:
    assert fetches(state_with(), 20 * MINUTE) == []
    assert fetches(needing(70 * MINUTE), 20 * MINUTE) == ["dev"]


def test_keys_that_last_long_enough_are_not_fetched_again() -> None:
    assert fetches(needing(60 * MINUTE), 20 * MINUTE) == []


def test_keys_that_could_not_reach_are_not_fetched_before_they_can() -> None:
    state = needing(90 * MINUTE)

    assert fetches(state, 29 * MINUTE) == []
    assert next_look(state, NOON + 29 * MINUTE) == NOON + 30 * MINUTE
    assert fetches(state, 30 * MINUTE) == ["dev"]


def test_a_need_keeps_the_distance_between_two_fetches() -> None:
    state = needing(60 * MINUTE + 30 * SECOND)

    assert fetches(state, 59 * SECOND) == []
    assert next_look(state, NOON + 30 * SECOND) == NOON + FETCH_FLOOR
    assert fetches(state, FETCH_FLOOR) == ["dev"]


def test_a_need_respects_trouble() -> None:
    state = after(state_with(), fetching("dev"), FetchFailed("dev", Offline().problem))
    state = after(state, Needed("dev", NOON + HOUR + SECOND))
    trouble = state.sessions["corp"].trouble
    assert trouble is not None

    assert fetches(state, SECOND) == []
    assert fetches(state, trouble.retry_at - NOON) == ["dev"]


@pytest.mark.parametrize(
    "event",
    [Fetched("dev", keys(name="new")), FetchFailed("dev", RoleRefused().problem), SignedOut("corp")],
)
def test_a_need_is_answered_once_however_the_fetch_ends(event: Fetched | FetchFailed | SignedOut) -> None:
    state = after(needing(70 * MINUTE), fetching("dev"), event)

    assert state.profiles["dev"].needed_until is None


def test_the_longest_need_counts() -> None:
    state = after(needing(70 * MINUTE), Needed("dev", NOON + 50 * MINUTE))

    assert state.profiles["dev"].needed_until == NOON + 70 * MINUTE


def test_a_need_that_has_passed_fetches_nothing() -> None:
    assert fetches(needing(70 * MINUTE), 70 * MINUTE) == []
    assert fetches(needing(5 * MINUTE, life=None), 5 * MINUTE) == []


def test_a_need_moves_with_the_clock() -> None:
    state = after(needing(70 * MINUTE), ClockChanged(HOUR), now=NOON + HOUR)

    assert state.profiles["dev"].needed_until == NOON + 130 * MINUTE


def test_during_a_sign_in_a_need_waits_and_is_answered_by_the_new_token() -> None:
    state = after(needing(70 * MINUTE), SignInStarted("corp"), EarlierEnded("corp"))
    signed = after(state, SignedIn("corp", token(NOON + 20 * MINUTE)), now=NOON + 20 * MINUTE)
    untouched = after(needing(70 * MINUTE), SignInStarted("corp"))

    assert fetches(state, 20 * MINUTE) == []
    assert fetches(signed, 20 * MINUTE) == ["dev"]
    assert fetches(untouched, 20 * MINUTE) == ["dev"]


@given(
    life=st.sampled_from([30 * SECOND, 15 * MINUTE, HOUR, 12 * HOUR]),
    needs=st.lists(st.tuples(st.integers(0, 3600), st.integers(1, 7200)), min_size=1, max_size=12),
)
def test_no_need_makes_a_storm(life: timedelta, needs: list[tuple[int, int]]) -> None:
    """Needs of any length at any time: never two fetches within the floor, and no more than needs."""
    state, fetched = state_with(life=life), [NOON]
    for second, lasting in sorted(needs):
        now = NOON + second * SECOND
        state = after(state, Needed("dev", now + lasting * SECOND), now=now)
        state, begun = _fetched_as_decided(state, now, life)
        fetched += begun

    assert all(later - earlier >= FETCH_FLOOR for earlier, later in pairwise(fetched))
    assert len(fetched) <= 1 + len(needs)


def _fetched_as_decided(state: State, now: datetime, life: timedelta) -> tuple[State, list[datetime]]:
    if not fetches(state, now - NOON):
        return state, []
    state = after(state, fetching("dev"), Fetched("dev", keys(now, life)), now=now)
    assert fetches(state, now - NOON) == []
    return state, [now]
