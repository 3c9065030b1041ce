"""Notices go when they are moot, and come again when a person asks or when nobody could be told at first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credtray.core.errors import PortalFailed, SectionNotOurs, SignInCancelled, TokenRefused
from credtray.core.events import (
    ClockChanged,
    ConfigLoaded,
    Event,
    Fetched,
    MarksRead,
    NoticeUnseen,
    PartChanged,
    PresenceChanged,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignedOut,
    SignInFailed,
    SignInStarted,
    Snoozed,
    Synced,
    TokenFound,
    TokenVanished,
)
from credtray.core.notices import NEWS_LASTS, Subject
from credtray.core.policy import next_look
from credtray.core.ports import DesktopPart, Part, Presence
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    keys,
    profile,
    session,
    signed_in,
    token,
    writing,
)
from tests.core.screen import Screen, cut, warned

HERE, LOCKED = Presence(), Presence(locked=True)
SOON, ENDED = Subject.ENDS_SOON, Subject.ENDED
REFUSED = RefreshFailed("corp", TokenRefused().problem)


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
        ConfigLoaded(config(profile("dev"), sessions=(replace(session(), region="eu-west-1"),))),
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

    assert told == screen.standing() == [Subject.SIGN_IN_FAILED]
    assert list(screen.there) == ["corp:end"]


def test_end_that_did_not_move_replaces_the_warning_and_covers_it() -> None:
    screen = warned()
    joined = token(NOON + 81 * MINUTE, 9 * MINUTE, name="t9")

    assert screen.at(81, SignedIn("corp", joined)) == [Subject.END_UNMOVED]
    assert screen.at(82) == []
    assert screen.standing() == [Subject.END_UNMOVED]


def test_trouble_that_passed_is_taken_back() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    screen = Screen(after(state, RefreshFailed("corp", PortalFailed().problem), now=NOON + 41 * MINUTE))

    assert screen.at(46) == [Subject.CANNOT_REFRESH]
    assert screen.at(47, Refreshed("corp", token(NOON + 47 * MINUTE))) == screen.standing() == []


def test_clock_that_was_set_right_is_no_trouble_any_more() -> None:
    screen = Screen(after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(), 7 * MINUTE)))

    assert screen.at(6) == [Subject.CLOCK_OFF]
    assert screen.at(14, ClockChanged(7 * MINUTE)) == screen.standing() == []


def test_one_computer_has_one_clock_whatever_the_number_of_sessions() -> None:
    sessions = (session(), session("other"))
    state = after(signed_in("dev"), ConfigLoaded(config(profile("dev"), sessions=sessions)))
    screen = Screen(after(state, fetching("dev"), Fetched("dev", keys(), 7 * MINUTE)))

    assert screen.at(6) == [Subject.CLOCK_OFF]


def test_refused_section_stays_told_while_a_rewrite_finds_out_whether_it_still_is() -> None:
    screen = Screen(after(signed_in("dev"), fetching("dev"), Fetched("dev", keys())))
    refused = Synced((), {"dev": SectionNotOurs("[dev]").problem})
    screen.at(6, writing(), refused)

    assert screen.standing() == [Subject.SECTION_REFUSED]
    assert screen.at(7, MarksRead(()), writing(), refused) == []
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
    return PartChanged(DesktopPart(Part.NOTIFICATIONS, back_end))


def test_what_nobody_could_be_told_is_told_when_somebody_can_be() -> None:
    screen = Screen(cut())
    screen.broken = True
    screen.at(60)
    screen.broken = False

    assert screen.at(61) == []
    assert screen.at(62, part("dbus")) == [SOON]
    assert screen.at(63, part("dbus"), part(None), part("dbus")) == []


def test_notice_that_could_not_be_replaced_is_taken_back_when_it_can_be() -> None:
    screen = warned()
    screen.broken = True
    screen.at(61, part(None), SignInStarted("corp"), SignedIn("corp", token(NOON + 61 * MINUTE, name="n")))
    still_there = screen.standing()
    screen.broken = False

    assert still_there == [SOON]
    assert screen.at(70, part("dbus")) == screen.standing() == []


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


def test_failure_of_an_earlier_notice_does_not_hide_the_later_one() -> None:
    screen = warned()
    screen.at(90, REFUSED)
    screen.at(90.1, NoticeUnseen("corp", "corp:end", frozenset({"soon:1800"})))

    assert list(screen.state.sessions["corp"].showing) == ["corp:end"]


def test_service_that_came_while_it_was_tried_is_tried_at_once() -> None:
    screen = warned()
    failed = NoticeUnseen("corp", "corp:end", frozenset({"soon:1800"}), possible=True)

    assert screen.at(60.1, failed) == [SOON]
    assert screen.state.sessions["corp"].unseen == frozenset()


def test_new_sign_in_forgets_what_nobody_saw_of_the_old_one() -> None:
    screen = Screen(cut())
    screen.broken = True
    screen.at(60)
    screen.broken = False
    screen.at(61, signed_in_elsewhere())

    assert screen.at(62, part("dbus")) == []
