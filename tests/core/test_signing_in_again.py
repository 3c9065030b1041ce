"""What a sign-in leaves valid while it waits for a person, and afterwards: state, status and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from credtray.core import state_document
from credtray.core.apply import apply
from credtray.core.errors import SignInCancelled, SignInDenied, SignInTimedOut
from credtray.core.events import (
    ConfigLoaded,
    EarlierEnded,
    Fetched,
    MarksRead,
    SignedIn,
    SignInAddressKnown,
    SignInFailed,
    SignInStarted,
    Synced,
    TokenFound,
    TokenVanished,
)
from credtray.core.policy import SyncCredentialsFile, decide
from credtray.core.ports import Mark
from credtray.core.protocol.results import AgentStatus
from credtray.core.section_mark import key_digest
from credtray.core.session_status import sign_in_status
from credtray.core.settings import Settings
from credtray.core.state import SignInStatus, State
from credtray.core.state_words import pending_words, price_of, price_words, still_valid
from credtray.core.summary import pending_of, status_document
from tests.as_json import as_json
from tests.core.making import HOUR, MINUTE, NOON, after, config, keys, profile, signed_in, started, token

MARK = Mark("dev", "dev", NOON + HOUR, key_digest("ASIA0"))
LATER = NOON + 2 * MINUTE
PENDING = "signing in: waiting for the browser"


def working() -> State:
    """Signed in at noon for about eight hours, keys of one profile in use."""
    return after(signed_in("dev"), Fetched("dev", keys()), Synced((MARK,)))


def asking() -> State:
    return after(working(), SignInStarted("corp"), now=NOON + MINUTE)


def waiting() -> State:
    return after(asking(), SignInAddressKnown("corp", "http://127.0.0.1:4711/"), now=NOON + MINUTE)


def ended() -> State:
    return after(waiting(), EarlierEnded("corp"), now=LATER)


def told(state: State) -> dict[str, object]:
    found: dict[str, object] = as_json(status_document(state, AgentStatus(True, 1, "0"), LATER))["sessions"][
        0
    ]
    return found


def words(state: State) -> str:
    pending = pending_of(state, state.sessions["corp"], LATER)
    return "" if pending is None else pending_words(pending, LATER, UTC)


# --- while it waits --------------------------------------------------------------------------------------


@pytest.mark.met("H1")
def test_before_anything_is_given_up_it_is_said_that_the_present_sign_in_is_untouched() -> None:
    state = waiting()

    assert words(state) == f"{PENDING}. Your current sign-in is not affected (until about 20:00)"
    assert told(state)["access_token_expires_at"] == "2026-11-22T13:00:00Z"
    assert told(state)["pending"] == {
        "since": "2026-11-22T12:01:00Z",
        "present_until": "2026-11-22T20:00:00Z",
        "present_is_estimate": True,
        "earlier_ended_at": None,
        "keys_until": "2026-11-22T13:00:00Z",
    }


@pytest.mark.met("H1")
def test_nobody_is_sent_to_a_browser_while_aws_has_not_answered_yet() -> None:
    rest = "Your current sign-in is not affected (until about 20:00)"

    assert words(asking()) == f"signing in: contacting AWS. {rest}"
    assert told(asking())["sign_in_url"] is None


@pytest.mark.met("H1")
def test_after_the_present_sign_in_was_ended_it_is_said_until_when_keys_work() -> None:
    state = ended()

    assert words(state) == f"{PENDING}. Your earlier sign-in was ended at 12:02; keys in use work until 13:00"
    assert told(state)["state"] == "signing_in"
    assert told(state)["access_token_expires_at"] is None
    assert told(state)["signed_in_until"] == "2026-11-22T12:02:00Z"


def test_without_keys_in_use_that_is_said() -> None:
    state = after(signed_in("dev"), SignInStarted("corp"), EarlierEnded("corp"), now=LATER)

    assert words(state).endswith("was ended at 12:02; no keys are in use")


def test_a_first_sign_in_has_nothing_to_tell_of_an_earlier_one() -> None:
    state = after(started("dev"), SignInStarted("corp"))

    assert words(state) == "signing in: finish it in the browser"
    assert told(state)["pending"] == {
        "since": "2026-11-22T12:00:00Z",
        "present_until": None,
        "present_is_estimate": None,
        "earlier_ended_at": None,
        "keys_until": None,
    }


def test_token_dropped_by_another_program_while_the_page_waits_is_a_sign_out_and_still_pending() -> None:
    state = after(waiting(), TokenVanished("corp"), now=LATER)

    assert state.sessions["corp"].pending is not None
    assert sign_in_status(state.sessions["corp"], LATER) is SignInStatus.SIGNED_OUT
    assert words(state) == "signing in: finish it in the browser"


# --- how it ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SignInTimedOut(), SignInCancelled(), SignInDenied("access_denied")])
def test_failure_before_the_end_leaves_everything_as_it_was(error: SignInTimedOut) -> None:
    state = after(waiting(), SignInFailed("corp", error.problem), now=LATER)
    session = state.sessions["corp"]

    assert (sign_in_status(session, LATER), session.token) == (
        SignInStatus.SIGNED_IN,
        working().sessions["corp"].token,
    )
    assert still_valid(state, session, LATER, UTC) == (
        "you are signed in until about 20:00 (8 h); keys already issued stay valid until 13:00 (dev)"
    )


@pytest.mark.parametrize("event", [SignInFailed("corp", SignInTimedOut().problem), TokenVanished("corp")])
def test_keys_in_use_outlive_the_end_of_the_earlier_sign_in(event: SignInFailed | TokenVanished) -> None:
    state = after(ended(), event, now=LATER)

    assert state.profiles["dev"].credentials == keys()
    assert sign_in_status(state.sessions["corp"], LATER) is SignInStatus.ENDED
    assert not [each for each in decide(state, LATER) if isinstance(each, SyncCredentialsFile)]


@pytest.mark.met("H1")
def test_after_a_restart_in_the_middle_the_state_is_still_true_and_keys_stay_in_the_file() -> None:
    state = state_document.decode(state_document.encode(ended()))
    state = after(state, ConfigLoaded(config(profile("dev"))), MarksRead((MARK,)), TokenVanished("corp"))
    session = state.sessions["corp"]

    assert sign_in_status(session, LATER) is SignInStatus.ENDED
    assert told(state)["signed_in_until"] == "2026-11-22T12:02:00Z"
    assert still_valid(state, session, LATER, UTC) == "keys already issued stay valid until 13:00 (dev)"
    assert not [each for each in decide(state, LATER) if isinstance(each, SyncCredentialsFile)]


def test_sign_in_found_after_such_a_restart_is_taken() -> None:
    state = state_document.decode(state_document.encode(ended()))
    state = after(state, ConfigLoaded(config(profile("dev"))), TokenFound("corp", token(LATER)), now=LATER)

    assert sign_in_status(state.sessions["corp"], LATER) is SignInStatus.SIGNED_IN


def test_signing_out_on_purpose_is_not_kept_as_given_up() -> None:
    state = apply(working(), TokenVanished("corp"), LATER)

    assert b'"given_up": true' not in state_document.encode(state)


def test_new_sign_in_is_compared_with_the_one_that_was_ended_for_it() -> None:
    state = after(ended(), SignedIn("corp", token(LATER, name="new")), now=LATER)
    session = state.sessions["corp"]

    assert session.before is not None
    assert session.before.ends_at == NOON + 8 * HOUR
    assert (session.pending, session.failed, session.ended) == (None, None, False)


# --- the price -------------------------------------------------------------------------------------------


@pytest.mark.met("H1")
def test_the_price_names_what_ends_and_what_goes_on() -> None:
    price = price_of(working(), "corp", LATER)

    assert price is not None
    assert price_words(price, LATER, UTC) == (
        "This ends your current sign-in, about 7 h 58 min left. Programs keep the keys they have until 13:00."
    )


@pytest.mark.parametrize(
    ("left", "asked"), [(31 * MINUTE, True), (30 * MINUTE, False), (10 * MINUTE, False), (-HOUR, False)]
)
def test_a_sign_in_that_ends_soon_or_has_ended_costs_nothing(left: timedelta, *, asked: bool) -> None:
    assert (price_of(working(), "corp", NOON + 8 * HOUR - left) is not None) is asked


def test_without_warnings_every_active_sign_in_has_its_price() -> None:
    state = replace(working(), settings=Settings(warn_before=()))

    assert price_of(state, "corp", NOON + 8 * HOUR - MINUTE) is not None


@pytest.mark.parametrize("state", [started("dev"), ended(), State()])
def test_where_nobody_is_signed_in_nothing_is_lost(state: State) -> None:
    assert price_of(state, "corp", LATER) is None
