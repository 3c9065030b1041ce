"""Notices wait while nobody would see them, and come once, with the truth of that moment."""

from __future__ import annotations

import pytest

from credtray.core.errors import Offline, TokenRefused
from credtray.core.events import (
    Activated,
    ClockChanged,
    Fetched,
    FetchFailed,
    NetworkChanged,
    NoticesPaused,
    PresenceChanged,
    Refreshed,
    RefreshFailed,
    SignedIn,
    Woke,
)
from credtray.core.notices import Subject
from credtray.core.policy import FetchRoleCredentials, RefreshToken, decide, next_look
from credtray.core.ports import Presence
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    fetching,
    keys,
    refreshing,
    signed_in,
    started,
    token,
)
from tests.core.screen import Screen, cut, warned

HERE, LOCKED, IDLE, ASLEEP = Presence(), Presence(locked=True), Presence(idle=True), Presence(asleep=True)
SOON, ENDED = Subject.ENDS_SOON, Subject.ENDED
REFUSED = RefreshFailed("corp", TokenRefused().problem)
NO_NETWORK = RefreshFailed("corp", Offline().problem)


# --- away --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", [LOCKED, IDLE, ASLEEP])
def test_nothing_is_shown_while_nobody_would_see_it_and_afterwards_the_truth_once(away: Presence) -> None:
    screen = Screen(cut())
    held = screen.at(50, PresenceChanged(away)) + screen.at(60) + screen.at(80) + screen.at(85)

    assert held == []
    assert screen.at(86, PresenceChanged(HERE)) == [SOON]
    assert screen.at(87) == []


def test_after_twelve_hours_of_sleep_one_notice_says_that_it_ended() -> None:
    screen = Screen(cut())
    screen.at(50, PresenceChanged(Presence(locked=True, asleep=True)))
    told = screen.at(770, Woke(), PresenceChanged(LOCKED), refreshing("corp"), NO_NETWORK)
    told += screen.at(771, NetworkChanged(), refreshing("corp"), REFUSED)

    assert told == []
    assert screen.at(772, PresenceChanged(HERE)) == [ENDED]
    assert screen.at(773, NetworkChanged(), Woke()) == []


def test_nothing_about_the_end_is_shown_between_wake_and_network() -> None:
    screen = Screen(cut())
    screen.at(50, PresenceChanged(ASLEEP))
    told = screen.at(770, Woke(), PresenceChanged(HERE), refreshing("corp"), NO_NETWORK)

    assert told == []
    assert screen.at(771, NetworkChanged(), refreshing("corp"), REFUSED) == [ENDED]


def test_an_old_warning_does_not_stay_on_the_locked_screen() -> None:
    screen = warned()
    screen.at(61, PresenceChanged(LOCKED))

    assert screen.standing() == [SOON]
    assert screen.at(80) == []
    assert screen.standing() == []
    assert screen.at(83, PresenceChanged(HERE)) == [SOON]


def test_waking_ends_the_sleep_even_if_the_desktop_forgets_to_say_so() -> None:
    screen = Screen(cut())
    screen.at(50, PresenceChanged(ASLEEP))

    assert screen.at(85, Woke()) == [SOON]


def test_silent_refresh_goes_on_while_nobody_is_there() -> None:
    state = after(signed_in("dev"), PresenceChanged(LOCKED), NoticesPaused(NOON + 10 * HOUR))

    assert decide(state, NOON) == (FetchRoleCredentials("dev"),)
    assert RefreshToken("corp") in decide(state, NOON + 45 * MINUTE)


@pytest.mark.parametrize("before", [LOCKED, ASLEEP])
def test_what_failed_for_want_of_a_network_is_tried_at_once_after_unlock_and_sleep(before: Presence) -> None:
    state = after(signed_in("dev"), PresenceChanged(before), refreshing("corp"), NO_NETWORK)
    here = after(state, PresenceChanged(HERE))

    assert FetchRoleCredentials("dev") not in decide(state, NOON)
    assert FetchRoleCredentials("dev") in decide(here, NOON)


# --- paused ------------------------------------------------------------------------------------------


def test_paused_notices_come_when_the_pause_is_over() -> None:
    screen = Screen(cut())
    told = screen.at(50, NoticesPaused(NOON + 95 * MINUTE)) + screen.at(60) + screen.at(91, REFUSED)

    assert told == []
    assert next_look(screen.state, NOON + 94 * MINUTE) == NOON + 95 * MINUTE
    assert screen.at(95) == [ENDED]


def test_pause_can_be_ended_and_one_in_the_past_is_none() -> None:
    screen = Screen(cut())
    screen.at(50, NoticesPaused(NOON + 10 * HOUR))

    assert screen.at(61, NoticesPaused(None)) == [SOON]
    assert after(cut(), NoticesPaused(NOON - MINUTE)).paused_until is None


def test_pause_lasts_as_long_as_was_asked_for_when_the_clock_is_set() -> None:
    state = after(cut(), NoticesPaused(NOON + HOUR))

    assert after(state, ClockChanged(5 * HOUR), now=NOON + 5 * HOUR).paused_until == NOON + 6 * HOUR


# --- offline -----------------------------------------------------------------------------------------


def offline() -> Screen:
    screen = Screen(cut())
    screen.at(59, refreshing("corp"), NO_NETWORK)
    return screen


def test_end_is_not_spoken_of_while_nobody_could_sign_in() -> None:
    screen = offline()

    assert screen.at(60, refreshing("corp"), NO_NETWORK) == []
    assert screen.at(61, refreshing("corp"), Refreshed("corp", token(NOON + HOUR, 30 * MINUTE))) == [SOON]


def test_trouble_that_nobody_looks_into_any_more_holds_nothing() -> None:
    assert offline().at(62) == [SOON]


def test_end_of_a_token_that_nothing_renews_waits_for_the_network_as_well() -> None:
    legacy = token(NOON, 100 * MINUTE, refreshable=False)
    screen = Screen(after(started("dev"), SignedIn("corp", legacy), Activated(("dev",))))
    screen.at(10)
    screen.at(61, fetching("dev"), FetchFailed("dev", Offline().problem))
    screen.at(99.5, fetching("dev"), FetchFailed("dev", Offline().problem))

    assert screen.at(100) == []
    assert screen.at(110) == [ENDED]


def test_offline_too_long_is_told_once_with_the_keys_that_fail() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    screen = Screen(state)
    told = [screen.at(minute, refreshing("corp"), NO_NETWORK) for minute in (41, 44.9, 46, 55.9)]

    assert told == [[], [], [], []]
    assert screen.at(56, refreshing("corp"), NO_NETWORK) == [Subject.OFFLINE]
    assert screen.there["corp:portal"].names == ("dev",)
    assert screen.at(70, refreshing("corp"), NO_NETWORK) == []


def test_offline_is_not_told_while_keys_in_the_file_are_good() -> None:
    screen = Screen(cut())

    assert screen.at(41, refreshing("corp"), NO_NETWORK) + screen.at(58, NO_NETWORK) == []
    assert Subject.OFFLINE not in screen.standing()


def test_offline_is_taken_back_with_the_network_and_told_again_the_next_time() -> None:
    screen = Screen(after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, refreshing("corp"), NO_NETWORK)

    assert screen.at(22, refreshing("corp"), NO_NETWORK) == [Subject.OFFLINE]
    assert screen.at(23, refreshing("corp"), Refreshed("corp", token(NOON + 23 * MINUTE))) == []
    assert screen.standing() == []
    screen.at(24, refreshing("corp"), NO_NETWORK)
    assert screen.at(40, refreshing("corp"), NO_NETWORK) == [Subject.OFFLINE]


def test_offline_after_a_sleep_is_told_anew() -> None:
    screen = Screen(after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, refreshing("corp"), NO_NETWORK)
    screen.at(22, refreshing("corp"), NO_NETWORK)

    assert screen.standing() == [Subject.OFFLINE]
    assert screen.at(300, Woke(), refreshing("corp"), NO_NETWORK) == screen.standing() == []
    assert screen.at(316, refreshing("corp"), NO_NETWORK) == [Subject.OFFLINE]


def test_network_that_comes_and_goes_does_not_hide_how_long_nothing_worked() -> None:
    screen = Screen(after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, refreshing("corp"), NO_NETWORK)
    screen.at(14, NetworkChanged(), refreshing("corp"), NO_NETWORK)

    assert screen.at(21, NetworkChanged()) == []
    assert screen.at(21.1, refreshing("corp"), NO_NETWORK) == [Subject.OFFLINE]


def test_time_asleep_is_not_time_without_network() -> None:
    screen = Screen(after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, refreshing("corp"), NO_NETWORK)

    assert screen.at(300, Woke(), refreshing("corp"), NO_NETWORK) == []
    assert screen.at(316, refreshing("corp"), NO_NETWORK) == [Subject.OFFLINE]
