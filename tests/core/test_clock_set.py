"""The clock is set while the agent holds credentials: what is left of their life stays the same (T27, C1)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.answers import answer
from credtray.core.errors import Offline
from credtray.core.events import ClockChanged, Fetched, FetchFailed, SignedIn, Synced
from credtray.core.models import RoleCredentials
from credtray.core.policy import FetchRoleCredentials, SyncCredentialsFile, decide
from credtray.core.ports import Mark
from credtray.core.section_mark import key_digest
from credtray.core.state import State
from tests.core.making import HOUR, MINUTE, NOON, SECOND, after, fetching, keys, signed_in, token

FIVE_HOURS = 5 * HOUR


def held() -> State:
    mark = Mark("dev", "dev", NOON + HOUR, key_digest(keys().access_key_id))
    return after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()), Synced((mark,)))


def served(state: State, now: datetime) -> bool:
    return isinstance(answer(state, state.profiles["dev"], now), RoleCredentials)


def set_by(state: State, by: timedelta, at: datetime) -> tuple[State, datetime]:
    """Return the state after the clock was set, and what the clock shows then."""
    return after(state, ClockChanged(by), now=at + by), at + by


@given(st.sampled_from((-FIVE_HOURS, -30 * MINUTE, 30 * MINUTE, FIVE_HOURS)), st.integers(0, 70))
def test_no_expired_keys_are_served_after_the_clock_was_set(by: timedelta, minutes: int) -> None:
    state, _ = set_by(held(), by, NOON + 10 * MINUTE)

    assert served(state, NOON + by + minutes * MINUTE) == (minutes < 45)


def test_clock_set_back_does_not_put_off_the_refresh() -> None:
    state, shown = set_by(held(), -FIVE_HOURS, NOON + 10 * MINUTE)

    assert FetchRoleCredentials("dev") not in decide(state, shown)
    assert FetchRoleCredentials("dev") in decide(state, shown + 31 * MINUTE)


def test_clock_set_back_does_not_put_off_what_waits_for_another_try() -> None:
    state = after(signed_in("dev"), fetching("dev"), FetchFailed("dev", Offline().problem))
    state, shown = set_by(state, -FIVE_HOURS, NOON + SECOND)

    assert FetchRoleCredentials("dev") in decide(state, shown + MINUTE)


@pytest.mark.parametrize("by", [FIVE_HOURS, -FIVE_HOURS])
def test_good_keys_stay_in_the_file_when_the_clock_is_set(by: timedelta) -> None:
    state, shown = set_by(held(), by, NOON + 10 * MINUTE)

    assert not [each for each in decide(state, shown) if isinstance(each, SyncCredentialsFile)]


def test_clock_set_forward_does_not_lengthen_what_came_after_it_was_set() -> None:
    shown = NOON + FIVE_HOURS + 10 * SECOND
    state = after(signed_in("dev"), SignedIn("corp", token(shown)), fetching("dev"), now=shown)
    state = after(state, Fetched("dev", keys(shown)), now=shown)
    state = after(state, ClockChanged(FIVE_HOURS), now=shown + 10 * SECOND)

    assert not served(state, shown + 46 * MINUTE)
    assert state.sessions["corp"].token == token(shown)


def test_end_of_the_sign_in_moves_with_the_clock() -> None:
    state, _ = set_by(held(), FIVE_HOURS, NOON + 10 * MINUTE)
    sign_in = state.sessions["corp"].sign_in

    assert sign_in is not None
    assert (sign_in.started_at, sign_in.ends_at) == (NOON + FIVE_HOURS, NOON + FIVE_HOURS + 8 * HOUR)


def test_clock_change_of_unknown_size_changes_nothing() -> None:
    assert after(held(), ClockChanged()) == held()
