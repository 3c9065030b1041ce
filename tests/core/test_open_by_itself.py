"""The one window that a setting may allow: when it opens, and above all when it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from credtray.core import state_document
from credtray.core.errors import Offline, SignInTimedOut, TokenRefused
from credtray.core.events import (
    Begun,
    ConfigLoaded,
    Event,
    MarksRead,
    NoticesPaused,
    PartChanged,
    PresenceChanged,
    Refreshed,
    RefreshFailed,
    SettingsLoaded,
    SignedIn,
    SignedOut,
    SignInAddressKnown,
    SignInFailed,
    SignInStarted,
    StateSaved,
    TokenFound,
    WindowUnopened,
)
from credtray.core.notices import AGAIN
from credtray.core.policy import OpenSignIn, decide, next_look
from credtray.core.ports import DesktopPart, Part, Presence
from credtray.core.settings import SessionSettings, Settings
from credtray.core.state import State
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    after,
    config,
    profile,
    refreshing,
    session,
    signed_in,
    token,
)

ALLOWED = Settings(sessions={"corp": SessionSettings(open_by_itself=True)})
LATER = NOON + HOUR
WATCHED = PartChanged(DesktopPart(Part.PRESENCE, "logind"))
ENDED = (refreshing("corp"), RefreshFailed("corp", TokenRefused().problem))


def ended(*events: Event, settings: Settings = ALLOWED) -> State:
    """Signed in at noon; an hour later the sign-in has ended."""
    return after(after(signed_in("dev", settings=settings), WATCHED), *events, *ENDED, now=LATER)


def windows(state: State, minutes: float = 0) -> int:
    return sum(isinstance(action, OpenSignIn) for action in decide(state, LATER + minutes * MINUTE))


def test_one_window_opens_when_a_sign_in_has_ended() -> None:
    state = ended()

    assert windows(state) == 1
    assert windows(after(state, Begun(OpenSignIn("corp")), now=LATER), 600) == 0


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(sessions={"other": SessionSettings(open_by_itself=True)}),
        Settings(sessions={"corp": SessionSettings(open_by_itself=True, device_flow=True)}),
    ],
    ids=["by default", "for another session", "with a code on another device"],
)
def test_no_window_opens_that_was_not_allowed(settings: Settings) -> None:
    assert windows(ended(settings=settings)) == 0


def test_no_window_opens_for_a_legacy_session_whose_only_way_is_a_code() -> None:
    state = ended()
    legacy = replace(state.sessions["corp"], session=session(legacy=True))

    assert windows(state.with_session(legacy)) == 0


@pytest.mark.parametrize(
    "event",
    [
        PresenceChanged(Presence(locked=True)),
        PresenceChanged(Presence(idle=True)),
        PresenceChanged(Presence(asleep=True)),
        PartChanged(DesktopPart(Part.PRESENCE, None, "no logind")),
        NoticesPaused(LATER + HOUR),
        StateSaved(TokenRefused().problem),
    ],
    ids=["locked", "idle", "asleep", "presence unknown", "quiet wanted", "cannot be remembered"],
)
def test_no_window_opens_while_nobody_is_known_to_be_there(event: Event) -> None:
    assert windows(ended(event)) == 0


def test_it_opens_when_somebody_has_come_back() -> None:
    away = ended(PresenceChanged(Presence(locked=True)))

    assert windows(after(away, PresenceChanged(Presence()), now=LATER + 8 * HOUR), 480) == 1


def test_no_window_opens_while_signed_in_or_after_signing_out() -> None:
    present = after(signed_in("dev", settings=ALLOWED), WATCHED)

    assert windows(present) == 0
    assert windows(after(present, SignedOut("corp"), now=LATER)) == 0


def test_a_person_who_gave_a_sign_in_up_is_not_asked_again() -> None:
    shown = (
        SignInStarted("corp"),
        SignInAddressKnown("corp", "https://example.com/", None),
        SignInFailed("corp", SignInTimedOut().problem),
    )

    assert windows(after(ended(), *shown, now=LATER), 60) == 0


def test_a_fresh_sign_in_that_was_cancelled_brings_no_window() -> None:
    present = after(signed_in("dev", settings=ALLOWED), WATCHED)
    cancelled = SignInFailed("corp", SignInTimedOut().problem, dropped=True)

    assert windows(after(present, SignInStarted("corp"), cancelled, now=LATER)) == 0


def test_an_address_shown_while_signed_in_says_nothing_of_the_next_end() -> None:
    begun = (
        SignInStarted("corp"),
        SignInAddressKnown("corp", "https://example.com/", None),
        SignInFailed("corp", SignInTimedOut().problem),
    )

    assert windows(ended(*begun)) == 1


def test_a_try_that_found_no_portal_is_made_again_later() -> None:
    tried = after(
        ended(),
        Begun(OpenSignIn("corp")),
        SignInStarted("corp"),
        SignInFailed("corp", Offline().problem),
        WindowUnopened("corp"),
        now=LATER,
    )

    assert windows(tried) == 0
    assert next_look(tried, LATER + AGAIN - SECOND) == LATER + AGAIN
    assert windows(tried, AGAIN / MINUTE) == 1
    assert tried.sessions["corp"].problem is None


def test_the_next_ended_sign_in_has_a_window_of_its_own() -> None:
    state = after(ended(), Begun(OpenSignIn("corp")), now=LATER)
    again = after(state, SignedIn("corp", token(LATER, name="t1")), *ENDED, now=LATER + HOUR)

    assert windows(again, 60) == 1


def restarted(state: State, *events: Event, now: datetime = LATER + MINUTE) -> State:
    fresh = after(
        state_document.decode(state_document.encode(state)),
        SettingsLoaded(ALLOWED),
        ConfigLoaded(config(profile("dev"))),
        MarksRead(()),
        WATCHED,
        now=now,
    )
    return after(fresh, *events, now=now)


def test_a_restart_brings_no_second_window_for_the_same_end() -> None:
    state = after(ended(), Begun(OpenSignIn("corp")), now=LATER)
    left = TokenFound("corp", token(NOON))

    assert windows(restarted(state, left, *ENDED), 60) == 0


@pytest.mark.parametrize("refreshable", [True, False])
def test_what_ended_while_the_agent_was_away_brings_no_window(refreshable: bool) -> None:  # noqa: FBT001 - a table
    state = after(signed_in("dev", settings=ALLOWED), WATCHED)
    left = TokenFound("corp", token(NOON, refreshable=refreshable))
    morning = restarted(state, left, *(ENDED if refreshable else ()), now=NOON + 20 * HOUR)

    assert windows(morning, 20 * 60) == 0


def test_a_sign_in_that_ends_after_a_restart_brings_one() -> None:
    state = after(signed_in("dev", settings=ALLOWED), WATCHED)
    renewed = token(LATER, name="t1")
    running = restarted(
        state, TokenFound("corp", token(NOON)), refreshing("corp"), Refreshed("corp", renewed)
    )

    assert windows(running) == 0
    assert windows(after(running, *ENDED, now=LATER + HOUR), 60) == 1
