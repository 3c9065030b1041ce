from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from credtray.core import events
from credtray.core.apply import apply
from credtray.core.errors import Offline, TokenRefused
from credtray.core.models import EndProof
from credtray.core.policy import decide, next_look
from credtray.core.state import State
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    after,
    config,
    fetching,
    keys,
    profile,
    refreshing,
    signed_in,
    started,
    token,
    writing,
)


def test_events_about_unknown_names_change_nothing() -> None:
    state = started("dev")

    assert after(state, events.SignedIn("nobody", token())) == state
    assert after(state, events.Fetched("nothing", keys())) == state


def test_a_sign_in_found_at_start_is_an_estimate_that_teaches_no_length() -> None:
    state = after(started("dev"), events.TokenFound("corp", token(NOON - 30 * MINUTE)))
    sign_in = state.sessions["corp"].sign_in

    assert sign_in is not None
    assert not sign_in.observed
    assert not sign_in.proof.proven


def test_our_own_write_of_the_token_file_changes_nothing() -> None:
    state = signed_in("dev")
    found = after(state, events.TokenFound("corp", token()), now=NOON + 5 * SECOND)

    assert found.sessions["corp"] == state.sessions["corp"]


def test_a_token_of_unknown_age_never_proves_an_end() -> None:
    old = replace(token(NOON + 10 * MINUTE, 20 * MINUTE, name="cli"), issued_at=None)
    state = after(signed_in("dev"), events.TokenFound("corp", old), now=NOON + 30 * MINUTE)

    assert not state.sessions["corp"].sign_in.proof.proven  # type: ignore[union-attr]  # signed in


def test_the_length_of_a_sign_in_is_learned_and_used_for_the_next_one() -> None:
    state = signed_in("dev")
    state = after(
        state, events.Refreshed("corp", token(NOON + 40 * MINUTE, 50 * MINUTE)), now=NOON + 40 * MINUTE
    )
    state = after(state, events.RefreshFailed("corp", TokenRefused().problem), now=NOON + 90 * MINUTE)
    state = after(state, events.SignedIn("corp", token(NOON + 5 * HOUR)), now=NOON + 5 * HOUR)
    sign_in = state.sessions["corp"].sign_in

    assert sign_in is not None
    assert (sign_in.ends_at, sign_in.proof) == (NOON + 6.5 * HOUR, EndProof.LAST_LENGTH)


def test_a_broken_config_file_keeps_the_last_good_state() -> None:
    state = after(signed_in("dev"), events.ConfigBroken(Offline("line 3").problem))

    assert list(state.profiles) == ["dev"]
    assert state.config_problem is not None
    assert after(state, events.ConfigLoaded(config(profile("dev")))).config_problem is None


def test_a_profile_that_means_another_role_now_loses_its_keys() -> None:
    state = after(signed_in("dev"), events.Fetched("dev", keys()))
    same = after(state, events.ConfigLoaded(config(profile("dev"))))
    other = after(state, events.ConfigLoaded(config(profile("dev", role="ReadOnly"))))

    assert same.profiles["dev"].credentials == keys()
    assert other.profiles["dev"].credentials is None


def test_signing_out_forgets_the_token_and_keeps_the_learned_length() -> None:
    state = after(signed_in("dev"), events.SignedOut("corp"))

    assert state.sessions["corp"].token is None
    assert state.sessions["corp"].memory.token_life == HOUR


def test_signing_out_of_ten_thousand_profiles_is_one_step_for_all_of_them() -> None:
    many = tuple(profile(f"p{number}") for number in range(10_000))
    state = after(State(), events.ConfigLoaded(config(*many)), events.Fetched("p7", keys()))
    state = after(state, events.SignedOut("corp"))

    assert all(item.credentials is None for item in state.profiles.values())


_EVENTS = st.sampled_from(
    [
        events.Tick(),
        events.Woke(),
        events.TokenFound("corp", token()),
        events.TokenFound("corp", token(life=MINUTE, name="x", refreshable=False)),
        events.TokenVanished("corp"),
        events.SignInStarted("corp"),
        events.SignedIn("corp", token(name="s")),
        events.SignInFailed("corp", Offline().problem),
        events.SignInFailed("corp", Offline().problem, dropped=True),
        events.SignedOut("corp"),
        refreshing("corp"),
        events.Refreshed("corp", token(name="r", life=20 * MINUTE)),
        events.RefreshFailed("corp", Offline().problem),
        events.RefreshFailed("corp", TokenRefused().problem),
        fetching("dev"),
        events.Fetched("dev", keys()),
        events.FetchFailed("dev", Offline().problem),
        events.Asked("dev"),
        events.Activated(("dev",)),
        events.Deactivated(("dev",)),
        events.Switched("dev"),
        writing(),
        events.Synced(()),
        events.SyncFailed(Offline().problem),
        events.MarksRead(()),
        events.StopAsked(NOON + HOUR),
        events.Stopping(),
        events.ConfigLoaded(config()),
        events.ConfigLoaded(config(profile("dev"))),
    ]
)


@given(st.lists(st.tuples(_EVENTS, st.integers(-3600, 4 * 3600)), max_size=25))
def test_no_sequence_of_events_confuses_it(steps: list[tuple[events.Event, int]]) -> None:
    """Any order, and clocks that jump both ways: it never raises, and never asks twice for the same thing."""
    state: State = started("dev")
    now = NOON
    for event, seconds in steps:
        now += seconds * SECOND
        state = apply(state, event, now)
        actions = decide(state, now)
        look = next_look(state, now)

        assert len({repr(action) for action in actions}) == len(actions)
        assert look is None or look > now


def test_sign_in_that_ended_in_the_night_teaches_no_wrong_length() -> None:
    state = signed_in("dev")
    morning = NOON + 12 * HOUR
    state = after(state, events.RefreshFailed("corp", TokenRefused("InvalidGrant").problem), now=morning)

    found = state.sessions["corp"]
    assert found.ended
    assert found.memory.length is None
    assert found.sign_in is not None
    assert found.sign_in.ends_at == NOON + 8 * HOUR
