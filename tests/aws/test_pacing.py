"""Never faster than the rate, patient with 429, and fair to every thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.aws.role_credentials import Pacer, TokenBucket
from credtray.core.errors import PortalUnauthorized, Throttled
from tests.fakes_identity_center import NOON, FakeClock


def test_burst_goes_at_once_and_then_the_rate_holds() -> None:
    clock = FakeClock()
    bucket = TokenBucket(10, 3, clock)
    for _ in range(13):
        bucket.take()

    assert timedelta(seconds=1) == clock.now() - NOON


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60), st.integers(1, 20), st.floats(1, 50))
def test_no_second_sees_more_than_rate_and_burst(gaps: list[float], burst: int, rate: float) -> None:
    clock = FakeClock()
    bucket = TokenBucket(rate, burst, clock)
    taken = []
    for gap in gaps:
        clock.time += timedelta(seconds=gap)
        bucket.take()
        taken.append(clock.now())

    for first in taken:
        in_a_second = sum(first <= other < first + timedelta(seconds=1) for other in taken)
        assert in_a_second <= rate + burst + 1


def test_clock_set_back_gives_nothing_and_blocks_nothing() -> None:
    clock = FakeClock()
    bucket = TokenBucket(10, 1, clock)
    bucket.take()
    clock.time -= timedelta(hours=5)
    bucket.take()

    assert clock.waits == [pytest.approx(0.1)]


def test_threads_together_keep_the_rate() -> None:
    clock = FakeClock()
    bucket = TokenBucket(20, 1, clock)
    threads = [threading.Thread(target=bucket.take) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Each thread reserved a slot of its own before it waited, so no two waits can be the same slot.
    assert len(clock.waits) >= 1
    assert sum(clock.waits) >= 39 / 20


def pacer(clock: FakeClock, jitter: float = 0.0) -> Pacer:
    return Pacer(TokenBucket(1000, 1000, clock), clock, lambda: jitter)


def failing(times: int, error: Exception) -> tuple[Callable[[], str], list[int]]:
    calls: list[int] = []

    def request() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "answer"

    return request, calls


def test_throttled_call_is_made_again_and_waits_grow() -> None:
    clock = FakeClock()
    request, _ = failing(4, Throttled())

    assert pacer(clock, 0.5).run(request) == "answer"
    assert clock.waits == [0.25, 0.5, 1.0, 2.0]


def test_retry_after_is_honoured_and_jitter_comes_on_top() -> None:
    clock = FakeClock()
    request, _ = failing(2, Throttled(retry_after=7))
    pacer(clock, 0.5).run(request)

    assert clock.waits == [7.25, 7.5]


def test_absurd_retry_after_is_cut() -> None:
    clock = FakeClock()
    request, _ = failing(1, Throttled(retry_after=3600))
    pacer(clock).run(request)

    assert clock.waits == [30.0]


def test_endless_throttling_ends_as_throttled_and_nothing_else() -> None:
    request, calls = failing(99, Throttled())
    with pytest.raises(Throttled):
        pacer(FakeClock(), 1.0).run(request)

    assert len(calls) == 8


def test_other_errors_are_not_made_again() -> None:
    request, calls = failing(99, PortalUnauthorized())
    with pytest.raises(PortalUnauthorized):
        pacer(FakeClock()).run(request)

    assert len(calls) == 1
