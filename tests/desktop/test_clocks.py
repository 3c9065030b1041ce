from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credtray.core.events import Woke
from credtray.daemon.scheduler import Hint, Reading
from credtray.desktop.clock_watch import ClockWatch, SystemClock
from tests.systems import is_root


def test_wall_clock_is_aware_and_right() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_clock_that_goes_on_in_sleep_is_never_behind_the_one_that_does_not() -> None:
    clock = SystemClock()

    assert clock.running() >= clock.awake() - 0.001


class MacTime:
    """The module ``time`` on macOS: its names, Apple's numbers, and what clock_gettime(3) says of each."""

    CLOCK_REALTIME, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC, CLOCK_UPTIME_RAW = 0, 4, 6, 8

    def __init__(self) -> None:
        self.up, self.slept = 1000.0, 0.0

    def monotonic(self) -> float:
        return self.up

    def clock_gettime(self, clock: int) -> float:
        return self.up if clock == self.CLOCK_UPTIME_RAW else self.up + self.slept


@pytest.mark.posix("clock_gettime")
@pytest.mark.parametrize(("slept", "hints"), [(3600.0, [Woke()]), (0.0, [])])
def test_macos_tells_sleep_from_a_clock_that_was_set(slept: float, hints: list[Hint]) -> None:
    system, wall = MacTime(), datetime(2026, 11, 29, 12, tzinfo=UTC)
    clock = SystemClock(system)
    before = Reading(wall, clock.awake(), clock.running())
    system.up, system.slept = 1030.0, slept
    after = Reading(wall + timedelta(seconds=30 + slept), clock.awake(), clock.running())

    assert after.hints_since(before) == hints


def test_negative_wait_returns_at_once() -> None:
    SystemClock().wait(-10_000)  # as long the other way would outlast the limit of every test


def can_set_the_clock() -> bool:
    """Set it to what it is: nobody notices but those who watch it."""
    try:
        time.clock_settime_ns(time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_REALTIME))
    except PermissionError:
        return False
    return True


@pytest.mark.posix("the kernel of Linux")
@pytest.mark.skipif(not is_root() or not can_set_the_clock(), reason="needs the right to set the clock")
def test_set_clock_is_noticed_at_once_and_every_time() -> None:
    async def noticed() -> list[int]:
        rung = asyncio.Event()
        counts = []
        watch = ClockWatch(rung.set)
        assert watch.start() is None
        for _ in range(3):
            can_set_the_clock()
            async with asyncio.timeout(60):
                await rung.wait()
            rung.clear()
            counts.append(1)
        watch.close()
        watch.close()
        return counts

    assert asyncio.run(noticed()) == [1, 1, 1]


def test_untouched_clock_is_silent() -> None:
    async def rung() -> bool:
        event = asyncio.Event()
        watch = ClockWatch(event.set)
        watch.start()
        try:
            async with asyncio.timeout(0.3):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            watch.close()
        return True

    # Another test may set the clock meanwhile; twice in a row would be a timer that rings by itself.
    assert not (asyncio.run(rung()) and asyncio.run(rung()))


class FakeKernel32:
    """kernel32.dll of a machine that has slept for an hour."""

    def GetTickCount64(self) -> int:  # noqa: N802 - theirs
        return 7_200_500

    def QueryUnbiasedInterruptTime(self, awake: Any) -> int:  # noqa: N802 - theirs
        awake._obj.value = 36_005_000_000  # what byref() points to
        return 1


def test_windows_tells_sleep_from_being_awake() -> None:
    clock = SystemClock(kernel32=FakeKernel32())

    assert (clock.running(), clock.awake()) == (7200.5, 3600.5)
