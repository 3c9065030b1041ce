"""Notices wait while nobody would see them, come once, with the truth of that moment, and go when moot."""

from __future__ import annotations

import pytest

from agent.core.errors import Offline, PortalFailed, SectionNotOurs, SignInCancelled, TokenRefused
from agent.core.events import (
    ClockChanged,
    ConfigLoaded,
    Event,
    Fetched,
    FetchStarted,
    MarksRead,
    NetworkChanged,
    NoticesPaused,
    PartChanged,
    PresenceChanged,
    Refreshed,
    RefreshFailed,
    RefreshStarted,
    SignedIn,
    SignedOut,
    SignInFailed,
    SignInStarted,
    Snoozed,
    Synced,
    SyncStarted,
    TokenFound,
    TokenVanished,
    Woke,
)
from agent.core.notices import NEWS_LASTS, Subject
from agent.core.policy import FetchRoleCredentials, RefreshToken, decide, next_look
from agent.core.ports import DesktopPart, Presence
from agent.core.state import State
from tests.core.making import HOUR, MINUTE, NOON, after, config, keys, profile, session, signed_in, token
from tests.core.screen import Screen

HERE, LOCKED, IDLE, ASLEEP = Presence(), Presence(locked=True), Presence(idle=True), Presence(asleep=True)
SOON, ENDED = Subject.ENDS_SOON, Subject.ENDED
REFUSED = RefreshFailed("corp", TokenRefused().problem)
NO_NETWORK = RefreshFailed("corp", Offline().problem)


def cut(name: str = "t0") -> State:
    """Signed in at noon until 13:30, which is proven: the token refreshed at 12:40 was cut there."""
    state = after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys(life=3 * HOUR)))
    cut_token = token(NOON + 40 * MINUTE, 50 * MINUTE, name=name)
    return after(state, Refreshed("corp", cut_token), now=NOON + 40 * MINUTE)


def warned() -> Screen:
    """The first warning stands on the screen."""
    screen = Screen(cut())

    assert screen.at(60) == [SOON]
    return screen


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
    told = screen.at(770, Woke(), PresenceChanged(LOCKED), RefreshStarted("corp"), NO_NETWORK)
    told += screen.at(771, NetworkChanged(), RefreshStarted("corp"), REFUSED)

    assert told == []
    assert screen.at(772, PresenceChanged(HERE)) == [ENDED]
    assert screen.at(773, NetworkChanged(), Woke()) == []


def test_nothing_about_the_end_is_shown_between_wake_and_network() -> None:
    screen = Screen(cut())
    screen.at(50, PresenceChanged(ASLEEP))
    told = screen.at(770, Woke(), PresenceChanged(HERE), RefreshStarted("corp"), NO_NETWORK)

    assert told == []
    assert screen.at(771, NetworkChanged(), RefreshStarted("corp"), REFUSED) == [ENDED]


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
    state = after(signed_in("dev"), PresenceChanged(before), RefreshStarted("corp"), NO_NETWORK)
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
    screen.at(59, RefreshStarted("corp"), NO_NETWORK)
    return screen


def test_end_is_not_spoken_of_while_nobody_could_sign_in() -> None:
    screen = offline()

    assert screen.at(60, RefreshStarted("corp"), NO_NETWORK) == []
    assert screen.at(61, RefreshStarted("corp"), Refreshed("corp", token(NOON + HOUR, 30 * MINUTE))) == [SOON]


def test_trouble_that_nobody_looks_into_any_more_holds_nothing() -> None:
    assert offline().at(62) == [SOON]


def test_offline_too_long_is_told_once_with_the_keys_that_fail() -> None:
    state = after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys()))
    screen = Screen(state)
    told = [screen.at(minute, RefreshStarted("corp"), NO_NETWORK) for minute in (41, 44.9, 46, 55.9)]

    assert told == [[], [], [], []]
    assert screen.at(56, RefreshStarted("corp"), NO_NETWORK) == [Subject.OFFLINE]
    assert screen.there["corp:portal"].names == ("dev",)
    assert screen.at(70, RefreshStarted("corp"), NO_NETWORK) == []


def test_offline_is_not_told_while_keys_in_the_file_are_good() -> None:
    screen = Screen(cut())

    assert screen.at(41, RefreshStarted("corp"), NO_NETWORK) + screen.at(58, NO_NETWORK) == []
    assert Subject.OFFLINE not in screen.standing()


def test_offline_is_taken_back_with_the_network_and_told_again_the_next_time() -> None:
    screen = Screen(after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, RefreshStarted("corp"), NO_NETWORK)

    assert screen.at(22, RefreshStarted("corp"), NO_NETWORK) == [Subject.OFFLINE]
    assert screen.at(23, RefreshStarted("corp"), Refreshed("corp", token(NOON + 23 * MINUTE))) == []
    assert screen.standing() == []
    screen.at(24, RefreshStarted("corp"), NO_NETWORK)
    assert screen.at(40, RefreshStarted("corp"), NO_NETWORK) == [Subject.OFFLINE]


def test_network_that_comes_and_goes_does_not_hide_how_long_nothing_worked() -> None:
    screen = Screen(after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, RefreshStarted("corp"), NO_NETWORK)
    screen.at(14, NetworkChanged(), RefreshStarted("corp"), NO_NETWORK)

    assert screen.at(21, NetworkChanged()) == []
    assert screen.at(21.1, RefreshStarted("corp"), NO_NETWORK) == [Subject.OFFLINE]


def test_time_asleep_is_not_time_without_network() -> None:
    screen = Screen(after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys(life=20 * MINUTE))))
    screen.at(6, RefreshStarted("corp"), NO_NETWORK)

    assert screen.at(300, Woke(), RefreshStarted("corp"), NO_NETWORK) == []
    assert screen.at(316, RefreshStarted("corp"), NO_NETWORK) == [Subject.OFFLINE]


# --- moot --------------------------------------------------------------------------------------------


def signed_in_elsewhere() -> Event:
    return TokenFound("corp", token(NOON + 61 * MINUTE, 3 * HOUR, name="cli"))


@pytest.mark.parametrize(
    "event",
    [
        signed_in_elsewhere(),
        SignedIn("corp", token(NOON + 61 * MINUTE, name="cli"), joined=True),
        SignedOut("corp"),
        TokenVanished("corp"),
        Refreshed("corp", token(NOON + 61 * MINUTE, 2 * HOUR, name="longer")),
        ConfigLoaded(config(sessions=())),
        ConfigLoaded(config(profile("x", of="other"), sessions=(session("other"),))),
        Snoozed("corp", NOON + 71 * MINUTE),
    ],
    ids=lambda event: type(event).__name__,
)
def test_warning_goes_when_it_is_moot(event: Event) -> None:
    screen = warned()

    assert screen.at(61, event) == []
    assert screen.standing() == []


def test_warning_stays_while_somebody_signs_in_and_nothing_is_added() -> None:
    screen = warned()

    assert screen.at(81, SignInStarted("corp")) + screen.at(82) == []
    assert screen.standing() == [SOON]


def test_warning_gives_way_to_the_good_news_and_that_goes_by_itself() -> None:
    screen = warned()
    told = screen.at(61, SignInStarted("corp"), SignedIn("corp", token(NOON + 61 * MINUTE, name="n")))

    assert told == screen.standing() == [Subject.SIGNED_IN]
    assert next_look(screen.state, NOON + 65 * MINUTE) == NOON + 61 * MINUTE + NEWS_LASTS
    assert screen.at(66) == screen.standing() == []


def test_good_news_that_nobody_saw_in_time_is_no_news() -> None:
    screen = warned()
    screen.at(61, PresenceChanged(LOCKED), SignedIn("corp", token(NOON + 61 * MINUTE, name="n")))

    assert screen.standing() == []
    assert screen.at(66, PresenceChanged(HERE)) == []


def test_end_replaces_the_warning() -> None:
    screen = warned()

    assert screen.at(90, REFUSED) == [ENDED]
    assert list(screen.there) == ["corp:end"]


def test_warning_of_a_sign_in_given_up_for_a_new_one_does_not_stay() -> None:
    screen = warned()
    screen.at(61, SignInStarted("corp"))
    told = screen.at(62, SignInFailed("corp", SignInCancelled().problem, dropped=True))

    assert told == screen.standing() == []


def test_end_that_did_not_move_replaces_the_warning_and_covers_it() -> None:
    screen = warned()
    joined = token(NOON + 81 * MINUTE, 9 * MINUTE, name="t9")

    assert screen.at(81, SignedIn("corp", joined)) == [Subject.END_UNMOVED]
    assert screen.at(82) == []
    assert screen.standing() == [Subject.END_UNMOVED]


def test_trouble_that_passed_is_taken_back() -> None:
    state = after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys()))
    screen = Screen(after(state, RefreshFailed("corp", PortalFailed().problem), now=NOON + 41 * MINUTE))

    assert screen.at(46) == [Subject.CANNOT_REFRESH]
    assert screen.at(47, Refreshed("corp", token(NOON + 47 * MINUTE))) == screen.standing() == []


def test_clock_that_was_set_right_is_no_trouble_any_more() -> None:
    screen = Screen(after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys(), 7 * MINUTE)))

    assert screen.at(6) == [Subject.CLOCK_OFF]
    assert screen.at(14, ClockChanged(7 * MINUTE)) == screen.standing() == []


def test_refused_section_stays_told_while_a_rewrite_finds_out_whether_it_still_is() -> None:
    screen = Screen(after(signed_in("dev"), FetchStarted("dev"), Fetched("dev", keys())))
    refused = Synced((), {"dev": SectionNotOurs("[dev]").problem})
    screen.at(6, SyncStarted(), refused)

    assert screen.standing() == [Subject.SECTION_REFUSED]
    assert screen.at(7, MarksRead(()), SyncStarted(), refused) == []
    assert screen.standing() == [Subject.SECTION_REFUSED]


# --- reminders ---------------------------------------------------------------------------------------


def test_remind_me_brings_the_truth_of_that_moment() -> None:
    screen = warned()

    assert screen.at(61, Snoozed("corp", NOON + 71 * MINUTE)) + screen.at(70.9) == []
    assert screen.at(71) == [SOON]
    assert screen.at(72) == []


def test_remind_me_after_the_end_says_that_it_ended() -> None:
    screen = warned()
    screen.at(84, Snoozed("corp", NOON + 94 * MINUTE))

    assert screen.at(85) == []
    assert screen.at(90, REFUSED) + screen.at(94) == [ENDED]


def test_nobody_is_reminded_who_has_signed_in() -> None:
    screen = warned()
    screen.at(61, Snoozed("corp", NOON + 71 * MINUTE), signed_in_elsewhere())

    assert screen.at(71) + screen.at(90) == []


# --- nobody can be told ------------------------------------------------------------------------------


def part(back_end: str | None) -> PartChanged:
    return PartChanged(DesktopPart("notifications", back_end))


def test_what_nobody_could_be_told_is_told_when_somebody_can_be() -> None:
    screen = Screen(cut())
    screen.broken = True
    screen.at(60)
    screen.broken = False

    assert screen.at(61) == []
    assert screen.at(62, part("dbus")) == [SOON]
    assert screen.at(63, part("dbus"), part(None), part("dbus")) == []


def test_truth_of_that_moment_is_told_then() -> None:
    screen = Screen(cut())
    screen.broken = True
    screen.at(60)
    screen.at(80)
    screen.at(91, REFUSED)
    screen.broken = False

    assert screen.at(92, part("dbus")) == [ENDED]


def test_each_service_is_tried_once_however_often_it_fails() -> None:
    screen = Screen(cut())
    screen.broken = True
    shown = [screen.state.sessions["corp"].said]
    for minute in (60, 61, 62):
        screen.at(minute, part("dbus"))
        shown.append(screen.state.sessions["corp"].said)

    assert shown[1:] == [shown[1]] * 3
    assert screen.state.sessions["corp"].unseen == {"soon:1800"}


def test_new_sign_in_forgets_what_nobody_saw_of_the_old_one() -> None:
    screen = Screen(cut())
    screen.broken = True
    screen.at(60)
    screen.broken = False
    screen.at(61, signed_in_elsewhere())

    assert screen.at(62, part("dbus")) == []
