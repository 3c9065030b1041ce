from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from credtray.core.backoff import trouble_after
from credtray.core.errors import (
    CredtrayError,
    FileUnwritable,
    NetworkSettingRefused,
    Offline,
    OwnFault,
    PortalFailed,
    ProfileRefused,
    RoleRefused,
    Throttled,
)
from credtray.core.state import Trouble
from tests.core.making import HOUR, MINUTE, NOON, SECOND


def attempts_within(kind: type[CredtrayError], length: timedelta) -> list[timedelta]:
    """When tries would happen if every one failed."""
    trouble: Trouble | None = None
    now, tried = NOON, []
    while now < NOON + length:
        tried.append(now - NOON)
        trouble = trouble_after(trouble, kind().problem, now, "seed")
        now = trouble.retry_at
    return tried


@pytest.mark.parametrize("kind", [Throttled, PortalFailed])
def test_a_storm_of_an_hour_costs_at_most_12_calls(kind: type[CredtrayError]) -> None:
    tried = attempts_within(kind, 6 * HOUR)

    assert max(sum(1 for each in tried if start <= each < start + HOUR) for start in tried) <= 12


def test_offline_is_tried_every_few_seconds_first_and_every_minute_later() -> None:
    tried = attempts_within(Offline, 30 * MINUTE)
    gaps = [later - earlier for earlier, later in pairwise(tried)]

    assert max(gaps[:30]) <= 18 * SECOND
    assert 60 * SECOND <= gaps[-1] <= 72 * SECOND


@pytest.mark.parametrize("kind", [NetworkSettingRefused, ProfileRefused, OwnFault])
def test_what_no_try_mends_is_not_tried_within_the_hour(kind: type[CredtrayError]) -> None:
    assert len(attempts_within(kind, HOUR)) == 1


def test_a_disk_that_has_room_again_is_noticed_within_a_minute() -> None:
    tried = attempts_within(FileUnwritable, HOUR)

    assert max(later - earlier for earlier, later in pairwise(tried)) <= MINUTE


def test_a_refused_role_is_asked_for_again_after_minutes_then_hours() -> None:
    tried = attempts_within(RoleRefused, 10 * HOUR)

    assert tried[1] >= 5 * MINUTE
    assert len(tried) <= 15


def test_a_failure_of_another_kind_counts_anew() -> None:
    first = trouble_after(None, Throttled().problem, NOON, "seed")
    second = trouble_after(first, Throttled().problem, NOON + MINUTE, "seed")
    other = trouble_after(second, Offline().problem, NOON + 2 * MINUTE, "seed")

    assert (first.attempts, second.attempts, second.since) == (1, 2, NOON)
    assert (other.attempts, other.since) == (1, NOON + 2 * MINUTE)


def test_machines_with_different_seeds_do_not_retry_in_step() -> None:
    instants = {
        trouble_after(None, PortalFailed().problem, NOON, f"machine {number}").retry_at
        for number in range(50)
    }

    assert len(instants) == 50
    assert max(instants) - min(instants) > 5 * SECOND


def test_retry_after_is_honoured_up_to_an_hour() -> None:
    assert trouble_after(None, Throttled(retry_after=900).problem, NOON, "s").retry_at == NOON + 900 * SECOND
    assert trouble_after(None, Throttled(retry_after=10**9).problem, NOON, "s").retry_at == NOON + HOUR
