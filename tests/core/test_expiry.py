from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.expiry import (
    CUT_TOLERANCE,
    Moved,
    SignInMemory,
    begin_sign_in,
    compare_ends,
    freshness,
    learn_from_refresh,
    learn_from_refusal,
    remember,
    servable_window,
    windows_for,
)
from credtray.core.models import CredentialStatus, EndProof, SignIn
from tests.core.making import HOUR, MINUTE, NOON, SECOND

KNOWN = SignInMemory(token_life=HOUR)
# Drawn near the edges: random moments of a year never fall into a ten-minute window.
NEAR = st.integers(-22 * 60, 3 * 60).map(lambda seconds: timedelta(seconds=seconds))
WINDOWS = windows_for(HOUR)


@pytest.mark.parametrize(
    ("left", "just_before", "then"),
    [
        (WINDOWS.advisory, CredentialStatus.FRESH, CredentialStatus.ADVISORY),
        (WINDOWS.mandatory, CredentialStatus.ADVISORY, CredentialStatus.MANDATORY),
        (timedelta(), CredentialStatus.MANDATORY, CredentialStatus.EXPIRED),
    ],
)
def test_both_edges_of_a_window_belong_to_the_more_urgent_side(
    left: timedelta, just_before: CredentialStatus, then: CredentialStatus
) -> None:
    edge = NOON - left

    assert freshness(NOON, edge - timedelta(microseconds=1), WINDOWS) is just_before
    assert freshness(NOON, edge, WINDOWS) is then


@given(NEAR, st.integers(0, 30 * 60))
def test_time_never_makes_a_credential_fresher(offset: timedelta, later: int) -> None:
    order = list(CredentialStatus)
    now = NOON + offset

    assert order.index(freshness(NOON, now, WINDOWS)) <= order.index(
        freshness(NOON, now + later * SECOND, WINDOWS)
    )


def test_an_hour_is_refreshed_with_20_minutes_left_and_a_quarter_with_a_third() -> None:
    assert windows_for(HOUR).advisory == 20 * MINUTE
    assert windows_for(12 * HOUR).advisory == 20 * MINUTE
    assert windows_for(15 * MINUTE).advisory == 5 * MINUTE


def test_keys_are_handed_out_with_more_than_15_minutes_left_however_long_they_live() -> None:
    assert servable_window(HOUR) == 15 * MINUTE
    assert servable_window(12 * HOUR) == 15 * MINUTE


def test_refreshing_begins_before_keys_stop_being_handed_out() -> None:
    for minutes in range(1, 24 * 60):
        life = minutes * MINUTE
        assert windows_for(life).advisory > servable_window(life)


def test_the_first_sign_in_lasts_as_long_as_the_setting_says_until_something_is_learned() -> None:
    sign_in = begin_sign_in(NOON, NOON + HOUR, SignInMemory(), 4 * HOUR, None)

    assert sign_in == SignIn(NOON, NOON + 4 * HOUR, EndProof.SETTING)


def test_the_next_sign_in_lasts_as_long_as_the_last_one_did() -> None:
    sign_in = begin_sign_in(NOON, NOON + HOUR, SignInMemory(7 * HOUR, HOUR), 4 * HOUR, None)

    assert sign_in == SignIn(NOON, NOON + 7 * HOUR, EndProof.LAST_LENGTH)


def test_an_estimate_is_never_before_the_end_of_the_token_in_hand() -> None:
    sign_in = begin_sign_in(NOON, NOON + HOUR, SignInMemory(30 * MINUTE, HOUR), 4 * HOUR, None)

    assert sign_in.ends_at == NOON + HOUR


def test_a_first_token_that_is_cut_proves_that_the_old_sign_in_was_joined() -> None:
    sign_in = begin_sign_in(NOON, NOON + 20 * MINUTE, KNOWN, 4 * HOUR, None)

    assert sign_in == SignIn(NOON, NOON + 20 * MINUTE, EndProof.CUT)


def test_a_refreshed_token_shorter_than_usual_proves_the_end() -> None:
    guess = SignIn(NOON - 3 * HOUR, NOON + HOUR, EndProof.SETTING)
    learned = learn_from_refresh(guess, 40 * MINUTE, NOON + 40 * MINUTE, KNOWN, 31 * MINUTE)

    assert learned == SignIn(NOON - 3 * HOUR, NOON + 40 * MINUTE, EndProof.CUT)


def test_a_token_within_the_tolerance_was_not_cut() -> None:
    guess = SignIn(NOON - HOUR, NOON + 3 * HOUR, EndProof.SETTING)

    assert (
        learn_from_refresh(guess, HOUR - CUT_TOLERANCE, NOON + HOUR - CUT_TOLERANCE, KNOWN, MINUTE) == guess
    )
    assert (
        learn_from_refresh(
            guess, HOUR - CUT_TOLERANCE - SECOND, NOON + HOUR - CUT_TOLERANCE, KNOWN, MINUTE
        ).proof
        is EndProof.CUT
    )


def test_the_end_is_learned_from_tokens_that_live_only_seconds_too() -> None:
    guess = SignIn(NOON, NOON + 4 * HOUR, EndProof.SETTING)
    memory = SignInMemory(token_life=25 * SECOND)

    assert learn_from_refresh(guess, 20 * SECOND, NOON + 60 * SECOND, memory, MINUTE).proof is EndProof.CUT
    assert learn_from_refresh(guess, 24 * SECOND, NOON + 60 * SECOND, memory, MINUTE) == guess


def test_an_uncut_token_that_outlives_the_estimate_disproves_it() -> None:
    guess = SignIn(NOON - 3 * HOUR, NOON + 30 * MINUTE, EndProof.SETTING)
    learned = learn_from_refresh(guess, HOUR, NOON + HOUR, KNOWN, 31 * MINUTE)

    assert not learned.proof.proven
    assert learned.ends_at == NOON + 91 * MINUTE


def test_an_uncut_token_disproves_even_a_proof() -> None:
    proven = SignIn(NOON - 3 * HOUR, NOON + 5 * MINUTE, EndProof.CUT)

    assert not learn_from_refresh(proven, HOUR, NOON + HOUR, KNOWN, MINUTE).proof.proven


def test_a_token_of_unknown_age_teaches_nothing() -> None:
    guess = SignIn(NOON - HOUR, NOON + 3 * HOUR, EndProof.SETTING)

    assert learn_from_refresh(guess, 5 * MINUTE, NOON + 5 * MINUTE, SignInMemory(), MINUTE) == guess


def test_a_refusal_ends_the_sign_in_now_but_keeps_a_proven_earlier_end() -> None:
    guess = SignIn(NOON - 4 * HOUR, NOON + HOUR, EndProof.SETTING)
    cut = SignIn(NOON - 4 * HOUR, NOON - MINUTE, EndProof.CUT)

    refused = learn_from_refusal(guess, NOON, NOON - 40 * MINUTE)
    assert refused == SignIn(NOON - 4 * HOUR, NOON, EndProof.REFUSED)
    assert learn_from_refusal(cut, NOON, NOON - MINUTE).ends_at == NOON - MINUTE


@pytest.mark.parametrize(
    ("believed", "kept"),
    [(-8 * HOUR, -8 * HOUR), (-11 * HOUR, -10 * HOUR), (HOUR, timedelta())],
)
def test_a_refusal_after_a_nights_sleep_proves_no_length(believed: timedelta, kept: timedelta) -> None:
    guess = SignIn(NOON - 12 * HOUR, NOON + believed, EndProof.LAST_LENGTH)
    refused = learn_from_refusal(guess, NOON, alive_at=NOON - 10 * HOUR)

    assert refused == replace(guess, ends_at=NOON + kept)
    assert remember(refused, SignInMemory(length=4 * HOUR)).length == 4 * HOUR


def test_only_a_proven_length_that_was_seen_from_the_beginning_is_remembered() -> None:
    cut = SignIn(NOON - 4 * HOUR, NOON, EndProof.CUT)

    assert remember(cut, KNOWN).length == 4 * HOUR
    assert remember(replace(cut, proof=EndProof.SETTING), KNOWN).length is None
    assert remember(replace(cut, observed=False), KNOWN).length is None
    assert remember(replace(cut, started_at=NOON - 5 * MINUTE), KNOWN).length is None


def test_comparing_ends_tells_the_truth() -> None:
    before = SignIn(NOON - 3 * HOUR, NOON + HOUR, EndProof.CUT)
    joined = SignIn(NOON, NOON + HOUR, EndProof.CUT)
    guess = SignIn(NOON, NOON + 4 * HOUR, EndProof.LAST_LENGTH)

    assert compare_ends(None, guess, NOON + HOUR) is Moved.LATER
    assert compare_ends(before, guess, NOON + HOUR + 3 * MINUTE) is Moved.LATER
    assert compare_ends(before, joined, NOON + HOUR) is Moved.SAME
    assert compare_ends(before, guess, NOON + HOUR) is Moved.UNKNOWN
