"""How the icon looks, what its tooltip says, and what it costs. The menu is in test_menu.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import FileContended, Offline
from credtray.core.events import (
    Activated,
    ConfigLoaded,
    MarksRead,
    RefreshFailed,
    SignedIn,
    SignedOut,
    SignInStarted,
    Switched,
    SyncFailed,
)
from credtray.core.expiry import SignInMemory
from credtray.core.icon_state import STEPS, IconState, Shape, ring_steps
from credtray.core.settings import Settings
from credtray.core.state import State
from credtray.menu.tray_menu import Extras
from credtray.menu.tray_view import TrayView, face
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    calls_of,
    config,
    profile,
    refreshing,
    session,
    signed_in,
    token,
)
from tests.core.menu_states import crowd, cut_at, moments, started, two_sessions, working
from tests.core.menu_text import every

EXTRAS = Extras(autostart=False, version="0.1.0")


def seen(state: State, now: datetime = NOON) -> TrayView:
    return face(state, now, UTC, EXTRAS)


# --- the ring ----------------------------------------------------------------------------------------


def test_ring_is_full_after_a_sign_in_and_gone_at_its_end() -> None:
    state = signed_in("dev", settings=Settings(warn_before=()))
    steps = [seen(state, NOON + hours * HOUR).look.steps for hours in (0, 2, 4, 6, 7.99, 8)]

    assert steps == [STEPS, 18, 12, 6, 1, 0]


def test_learned_length_counts_for_more_than_the_setting() -> None:
    state = signed_in("dev")
    learned = replace(state.sessions["corp"], memory=SignInMemory(length=32 * HOUR))

    assert seen(state.with_session(learned)).look == IconState(Shape.FRESH, STEPS // 4)


@given(st.timedeltas(), st.timedeltas(min_value=timedelta(seconds=1)))
def test_ring_never_leaves_its_range_and_is_empty_only_at_the_end(left: timedelta, length: timedelta) -> None:
    steps = ring_steps(left, length)

    assert 0 <= steps <= STEPS
    assert (steps == 0) == (left <= timedelta())


def test_ring_shows_the_session_that_ends_first() -> None:
    late = after(
        two_sessions(SignedIn("lab", token())), SignedIn("corp", token(NOON + 2 * HOUR)), now=NOON + 2 * HOUR
    )

    assert seen(late, NOON + 2 * HOUR).look == IconState(Shape.FRESH, 18)


def test_look_stays_equal_while_nothing_visible_changes() -> None:
    state = signed_in("dev")
    looks = {seen(state, NOON + minutes * MINUTE).look for minutes in range(21, 40)}

    assert len(looks) == 1


# --- the shape ---------------------------------------------------------------------------------------


def test_session_in_use_decides_and_one_nobody_uses_does_not() -> None:
    idle = two_sessions(SignedIn("corp", token()))
    used = after(idle, Activated(("lab-ro",)))

    assert [seen(idle).look.shape, seen(used).look.shape] == [Shape.FRESH, Shape.SIGNED_OUT]


def test_deliberate_sign_out_of_one_session_leaves_the_other_in_charge() -> None:
    both = two_sessions(SignedIn("corp", token()), SignedIn("lab", token()), Activated(("dev",)))

    assert seen(after(both, SignedOut("lab"))).look == IconState(Shape.FRESH, STEPS)
    assert seen(after(both, SignedOut("corp"))).look == IconState(Shape.SIGNED_OUT)


def test_mirrored_default_makes_its_session_one_in_use() -> None:
    state = two_sessions(SignedIn("corp", token()), Switched("lab-ro"))

    assert seen(state).look.shape is Shape.SIGNED_OUT


def test_sign_in_under_way_answers_the_click_whatever_else_is_urgent() -> None:
    state = two_sessions(SignedIn("corp", token()), Activated(("lab-ro",)), SignInStarted("corp"))

    assert seen(state).look == IconState(Shape.SIGNING_IN)


def test_ended_is_more_urgent_than_ending_soon() -> None:
    short = token(NOON - HOUR, 2 * HOUR, refreshable=False)
    state = two_sessions(SignedIn("corp", short), SignedIn("lab", token(NOON, HOUR / 2, refreshable=False)))

    assert seen(state, NOON + 31 * MINUTE).look == IconState(Shape.ENDED)


@pytest.mark.parametrize(("minutes", "shape"), [(209, Shape.FRESH), (210, Shape.SOON), (239, Shape.SOON)])
def test_soon_begins_with_the_earliest_warning(minutes: int, shape: Shape) -> None:
    assert shape is seen(cut_at(240), NOON + minutes * MINUTE).look.shape


def test_nobody_who_wants_no_warning_is_warned_by_the_icon() -> None:
    state = replace(cut_at(240), settings=Settings(warn_before=()))

    assert seen(state, NOON + 239 * MINUTE).look.shape is Shape.FRESH


def test_file_that_is_contended_for_a_moment_is_no_trouble() -> None:
    state = after(working(), SyncFailed(FileContended("locked").problem))

    assert [seen(state, NOON + minutes * MINUTE).look.shape for minutes in (1, 6)] == [
        Shape.FRESH,
        Shape.TROUBLE,
    ]


def test_offline_that_nobody_has_looked_at_for_long_is_no_news() -> None:
    failed = (refreshing("corp"), RefreshFailed("corp", Offline().problem))
    state = after(working(), *failed)

    assert [seen(state, NOON + minutes * MINUTE).look.shape for minutes in (0, 25)] == [
        Shape.OFFLINE,
        Shape.FRESH,
    ]


def test_a_token_that_is_over_and_not_renewed_is_never_fresh() -> None:
    failed = (refreshing("corp"), RefreshFailed("corp", Offline().problem))

    assert seen(after(working(), *failed), NOON + HOUR).look.shape is Shape.TROUBLE


@pytest.mark.parametrize(
    ("moment", "shape"),
    [
        ("nothing is set up", Shape.SIGNED_OUT),
        ("signed out, nothing chosen", Shape.SIGNED_OUT),
        ("signed in, estimated", Shape.FRESH),
        ("ends soon", Shape.SOON),
        ("longer than expected", Shape.SOON),
        ("ended", Shape.ENDED),
        ("offline", Shape.OFFLINE),
        ("signing in again on another device", Shape.SIGNING_IN),
        ("clock off", Shape.TROUBLE),
        ("role refused", Shape.TROUBLE),
        ("section not ours", Shape.TROUBLE),
        ("credentials file broken", Shape.TROUBLE),
        ("token file unreadable", Shape.TROUBLE),
        ("config file broken at the start", Shape.TROUBLE),
        ("portal failing for ten minutes", Shape.TROUBLE),
        ("config file with warnings", Shape.FRESH),
    ],
)
def test_every_kind_of_moment_has_its_shape(moment: str, shape: Shape) -> None:
    found = moments()[moment]

    assert shape is seen(found.state, found.now).look.shape


# --- the tooltip -------------------------------------------------------------------------------------


def test_tooltip_has_the_words_of_the_menu() -> None:
    for name, moment in moments().items():
        shown = seen(moment.state, moment.now)
        if moment.state.sessions:
            menu = {item.label for item in every(shown.menu)}

            assert set(shown.tooltip.splitlines()) <= menu, name


@pytest.mark.met("L")
@pytest.mark.parametrize(
    ("default", "line"), [("dev", "Default profile: dev"), ("prod", "Default profile: prod  ·  PRODUCTION")]
)
def test_tooltip_names_the_default_profile(default: str, line: str) -> None:
    assert seen(after(working(), Switched(default))).tooltip.splitlines()[-1] == line


def test_tooltip_without_a_default_profile_does_not_speak_of_it() -> None:
    assert "Default" not in seen(started("dev")).tooltip


def test_tooltip_of_many_sessions_tells_the_urgent_ones_and_counts_the_others() -> None:
    names = [f"s{number}" for number in range(7)]
    many = config(profile("dev", of="s0"), sessions=tuple(session(name) for name in names))
    state = after(State(), ConfigLoaded(many), MarksRead(()), *(SignedIn(name, token()) for name in names))
    state = after(state, SignInStarted("s5"))

    assert seen(state).tooltip.splitlines() == [
        "s5: signing in: finish it in the browser",
        "s0: signed in until about 20:00 (8 h)",
        "s1: signed in until about 20:00 (8 h)",
        "s2: signed in until about 20:00 (8 h)",
        "and 3 more",
    ]


# --- what it costs -----------------------------------------------------------------------------------


def cost(state: State) -> int:
    """What it takes to see the state a minute after it was seen."""
    seen(state, NOON)
    return calls_of(lambda: seen(state, NOON + MINUTE))


def test_cost_grows_with_the_number_of_profiles_and_not_with_its_square() -> None:
    few, many = (after(state, Activated(tuple(state.profiles))) for state in (crowd(500), crowd(4000)))

    assert cost(many) < 12 * cost(few)


def test_submenus_that_did_not_change_are_the_same_values() -> None:
    state = crowd(100)
    one, other = (
        {item.key: item for item in seen(state, NOON + minutes * MINUTE).menu} for minutes in (0, 1)
    )

    assert one["copy"].children is other["copy"].children
    assert one["default"].children is other["default"].children
