from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core.errors import PortalFailed, ProfileRefused, RoleRefused, SectionNotOurs, TokenRefused
from credtray.core.events import (
    Begun,
    Fetched,
    FetchFailed,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignInStarted,
    Snoozed,
    Synced,
    TokenFound,
)
from credtray.core.notices import Notice, Subject, due
from credtray.core.policy import RefreshToken, ShowNotice, decide
from credtray.core.settings import SessionSettings, Settings
from credtray.core.state import State
from tests.core.making import HOUR, MINUTE, NOON, after, fetching, keys, refreshing, signed_in, started, token

FOUR_HOURS = Settings(sessions={"corp": SessionSettings(4 * HOUR)})


def told(state: State, minutes: float) -> list[Notice]:
    return list(due(state, state.sessions["corp"], NOON + timedelta(minutes=minutes)))


def subjects(state: State, minutes: float) -> list[Subject]:
    return [notice.subject for notice in told(state, minutes)]


def shown(state: State, minutes: float) -> State:
    for notice in told(state, minutes):
        state = after(state, Begun(ShowNotice(notice)), now=NOON + timedelta(minutes=minutes))
    return state


def cut() -> State:
    """Signed in at noon for one hour and a half: the token refreshed at 12:40 was cut at 13:30."""
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(life=3 * HOUR)))
    return after(state, Refreshed("corp", token(NOON + 40 * MINUTE, 50 * MINUTE)), now=NOON + 40 * MINUTE)


def test_nothing_is_told_while_the_end_is_far() -> None:
    assert subjects(cut(), 59.9) == []


def test_each_threshold_is_told_once() -> None:
    state = shown(cut(), 60)

    assert subjects(cut(), 60) == [Subject.ENDS_SOON]
    assert subjects(state, 79.9) == []
    assert subjects(state, 80) == [Subject.ENDS_SOON]
    assert subjects(shown(state, 80), 89) == []


def test_after_a_sleep_over_both_thresholds_one_notice_says_it_all() -> None:
    [notice] = told(cut(), 85)

    assert notice.says == {"soon:1800", "soon:600"}
    assert subjects(shown(cut(), 85), 86) == []


def test_an_unproven_end_asks_for_a_proof_instead_of_warning() -> None:
    state = signed_in("dev", settings=replace(FOUR_HOURS, warn_before=(3 * HOUR,)))
    proving = after(state, refreshing("corp"), now=NOON + HOUR)

    assert subjects(state, 60) == []
    assert RefreshToken("corp") in decide(state, NOON + HOUR)
    assert subjects(proving, 60.1) == []


def test_an_end_that_stays_an_estimate_is_told_with_about() -> None:
    state = signed_in("dev", settings=replace(FOUR_HOURS, warn_before=(3 * HOUR,)))
    state = after(state, refreshing("corp"), Refreshed("corp", token(NOON + HOUR)), now=NOON + HOUR)
    [notice] = told(state, 60.1)

    assert (notice.subject, notice.about) == (Subject.ENDS_SOON, True)


def test_the_end_is_told_once_and_replaces_the_warning() -> None:
    state = after(cut(), RefreshFailed("corp", TokenRefused().problem), now=NOON + 90 * MINUTE)
    [notice] = told(state, 90)

    assert (notice.subject, notice.key) == (Subject.ENDED, told(cut(), 60)[0].key)
    assert subjects(shown(state, 90), 91) == []


def test_an_end_that_came_before_we_ever_looked_is_no_news() -> None:
    state = after(started("dev"), TokenFound("corp", token(NOON - 9 * HOUR, refreshable=False)))

    assert subjects(state, 0) == []


def test_signing_in_makes_the_warnings_fresh_again() -> None:
    state = after(shown(cut(), 85), SignedIn("corp", token(NOON + 86 * MINUTE)), now=NOON + 86 * MINUTE)

    assert subjects(state, 86) == [Subject.SIGNED_IN]
    assert state.sessions["corp"].said == frozenset()


def test_nothing_is_told_while_somebody_signs_in() -> None:
    assert subjects(after(cut(), SignInStarted("corp"), now=NOON + HOUR), 85) == []


def test_snooze_keeps_quiet_and_then_says_it_again() -> None:
    state = after(shown(cut(), 60), Snoozed("corp", NOON + 70 * MINUTE), now=NOON + 61 * MINUTE)

    assert subjects(state, 69) == []
    assert subjects(state, 70) == [Subject.ENDS_SOON]


def test_a_fresh_sign_in_that_joined_the_old_one_is_told_as_such_once() -> None:
    joined = token(NOON + 50 * MINUTE, 40 * MINUTE, name="t9")
    state = after(cut(), SignedIn("corp", joined), now=NOON + 50 * MINUTE)

    assert subjects(state, 50) == [Subject.END_UNMOVED]
    assert subjects(shown(state, 50), 51) == []


def test_a_fresh_sign_in_that_moved_the_end_is_told_as_any_other() -> None:
    state = after(cut(), SignedIn("corp", token(NOON + 50 * MINUTE, name="t9")), now=NOON + 50 * MINUTE)

    assert subjects(state, 50) == [Subject.SIGNED_IN]
    assert state.sessions["corp"].before is None


def test_trouble_is_told_when_it_lasts_and_keys_are_about_to_fail() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    state = after(state, RefreshFailed("corp", PortalFailed().problem), now=NOON + 41 * MINUTE)

    assert subjects(state, 44) == []
    assert subjects(state, 46) == [Subject.CANNOT_REFRESH]
    assert subjects(shown(state, 46), 50) == []


def test_refused_roles_are_told_together_once() -> None:
    problem = RoleRefused().problem
    state = after(
        signed_in("dev", "ro"),
        fetching("dev"),
        FetchFailed("dev", problem),
        fetching("ro"),
        FetchFailed("ro", problem),
    )
    [notice] = told(state, 6)

    assert (notice.subject, notice.names) == (Subject.ROLE_REFUSED, ("dev", "ro"))
    assert subjects(shown(state, 6), 7) == []


@pytest.mark.met("F15")
def test_a_setting_that_aws_does_not_take_is_not_told_as_a_role_without_access() -> None:
    state = after(
        signed_in("dev", "ro"),
        fetching("dev"),
        FetchFailed("dev", RoleRefused().problem),
        fetching("ro"),
        FetchFailed("ro", ProfileRefused("duration_seconds is 43200").problem),
    )

    assert [(item.key, item.names) for item in told(state, 6)] == [
        ("corp:roles", ("dev",)),
        ("corp:profile_refused", ("ro",)),
    ]
    assert subjects(shown(state, 6), 7) == []


def test_a_refused_section_is_told_once() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    state = after(state, Synced((), {"dev": SectionNotOurs("[dev]").problem}))

    assert subjects(state, 6) == [Subject.SECTION_REFUSED]
    assert subjects(shown(state, 6), 7) == []


def test_a_wrong_clock_is_told_beyond_five_minutes() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys(), 5 * MINUTE))
    worse = after(state, Fetched("dev", keys(), -7 * MINUTE))

    assert subjects(state, 6) == []
    assert subjects(worse, 6) == [Subject.CLOCK_OFF]
