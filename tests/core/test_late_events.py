"""Results that arrive late: of a sign-in, a profile or a config file that is not the present one any more."""

from __future__ import annotations

from dataclasses import replace

from credtray.core.answers import answer
from credtray.core.apply import apply
from credtray.core.errors import PortalUnauthorized, Problem, SignInCancelled, TokenRefused, TokenUnreadable
from credtray.core.events import (
    Asked,
    ConfigLoaded,
    Event,
    Fetched,
    FetchFailed,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignedOut,
    SignInFailed,
    SignInStarted,
    TokenDoubtful,
    TokenVanished,
)
from credtray.core.policy import RefreshToken, decide
from credtray.core.session_status import sign_in_status
from credtray.core.state import SignInStatus, State
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    held,
    keys,
    profile,
    refreshing,
    session,
    signed_in,
    started,
    token,
)

ELSEWHERE = replace(session(), start_url="https://d-9067000009.awsapps.com/start")


def with_token(state: State, event: Event, minutes: float) -> str | None:
    found = apply(state, event, NOON + minutes * MINUTE).sessions["corp"].token
    return found.value.reveal() if found else None


# --- sign-ins ----------------------------------------------------------------------------------------


def test_refused_refresh_of_the_old_token_does_not_end_the_new_sign_in() -> None:
    state = after(signed_in("dev"), refreshing("corp"), now=NOON + 40 * MINUTE)
    state = after(state, SignInStarted("corp"), SignedIn("corp", token(name="new")), now=NOON + 41 * MINUTE)
    state = after(state, RefreshFailed("corp", TokenRefused().problem), now=NOON + 42 * MINUTE)

    assert sign_in_status(state.sessions["corp"], NOON + 42 * MINUTE) is SignInStatus.SIGNED_IN
    assert not state.sessions["corp"].refreshing


def test_late_refresh_of_the_old_token_does_not_replace_the_new_sign_in() -> None:
    state = after(signed_in("dev"), refreshing("corp"), SignInStarted("corp"))
    state = after(state, SignedIn("corp", token(name="new")))

    assert with_token(state, Refreshed("corp", token(name="late")), 1) == "a-new"


def test_refresh_that_ends_after_signing_out_does_not_sign_in_again() -> None:
    state = after(signed_in("dev"), refreshing("corp"), SignedOut("corp"))

    assert with_token(state, Refreshed("corp", token(name="late")), 1) is None


def test_401_to_the_token_before_does_not_end_a_legacy_sign_in() -> None:
    state = after(signed_in("dev"), fetching("dev"), SignInStarted("corp"))
    state = after(state, SignedIn("corp", token(life=8 * HOUR, refreshable=False)), now=NOON + MINUTE)
    state = after(state, FetchFailed("dev", PortalUnauthorized().problem), now=NOON + 2 * MINUTE)

    assert not state.sessions["corp"].ended


# --- signing out -------------------------------------------------------------------------------------


def test_keys_are_not_handed_out_after_signing_out() -> None:
    for event in (SignedOut("corp"), TokenVanished("corp")):
        state = after(held(), event)
        found = answer(state, state.profiles["dev"], NOON)

        assert isinstance(found, Problem)
        assert found.code == "sign_in_required"


def test_keys_that_arrive_after_signing_out_are_not_kept() -> None:
    state = after(signed_in("dev"), fetching("dev"), SignedOut("corp"), Fetched("dev", keys()))

    assert state.profiles["dev"].credentials is None
    assert not state.profiles["dev"].fetching


def test_keys_outlive_a_sign_in_that_ended_by_itself_or_for_a_new_one() -> None:
    cancelled = SignInFailed("corp", SignInCancelled().problem, dropped=True)
    given_up = after(held(), SignInStarted("corp"), cancelled, TokenVanished("corp"))
    ended = after(held(), refreshing("corp"), RefreshFailed("corp", TokenRefused().problem))

    assert given_up.profiles["dev"].credentials == keys()
    assert ended.profiles["dev"].credentials == keys()


# --- the config file ---------------------------------------------------------------------------------


def test_refresh_that_ends_while_the_config_file_is_gone_does_not_block_the_session_for_ever() -> None:
    state = after(signed_in("dev"), refreshing("corp"), ConfigLoaded(config(sessions=())))
    state = after(state, Refreshed("corp", token(NOON + 40 * MINUTE, name="new")), now=NOON + 40 * MINUTE)
    state = after(state, ConfigLoaded(config(profile("dev"))), now=NOON + 41 * MINUTE)

    assert not state.sessions["corp"].refreshing
    assert state.sessions["corp"].token == token(NOON + 40 * MINUTE, name="new")


def test_sign_in_that_fails_while_the_config_file_is_gone_is_not_pending_for_ever() -> None:
    state = after(signed_in("dev"), SignInStarted("corp"), ConfigLoaded(config(sessions=())))
    state = after(
        state, SignInFailed("corp", SignInCancelled().problem), ConfigLoaded(config(profile("dev")))
    )

    assert state.sessions["corp"].pending is None


def test_keys_of_another_portal_are_not_kept_under_the_same_session_name() -> None:
    state = after(held(), ConfigLoaded(config(profile("dev"), sessions=(ELSEWHERE,))))

    assert state.profiles["dev"].credentials is None


def test_token_file_that_cannot_be_read_is_the_answer_instead_of_a_long_wait() -> None:
    state = after(started("dev"), TokenDoubtful("corp", TokenUnreadable("torn").problem), Asked("dev"))
    found = answer(state, state.profiles["dev"], NOON)

    assert isinstance(found, Problem)
    assert found.code == "token_unreadable"


def test_refresh_is_asked_for_once_after_all_that() -> None:
    state = after(signed_in("dev"), refreshing("corp"), SignedIn("corp", token(name="new")))
    state = after(state, RefreshFailed("corp", TokenRefused().problem))
    later = NOON + 45 * MINUTE

    assert [each for each in decide(state, later) if isinstance(each, RefreshToken)] == [RefreshToken("corp")]
