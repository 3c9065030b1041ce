from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import schedule

from credtray.core.events import ClockChanged, Tick, Woke
from credtray.daemon.scheduler import Hint, Scheduler

HOUR = 3600.0


class FakeClocks:
    """The three clocks of a computer, moved by hand."""

    def __init__(self) -> None:
        self.wall = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
        self.awake_for = 100.0
        self.running_for = 100.0

    def now(self) -> dt.datetime:
        return self.wall

    def awake(self) -> float:
        return self.awake_for

    def running(self) -> float:
        return self.running_for

    def pass_by(self, seconds: float) -> None:
        self.awake_for += seconds
        self.running_for += seconds
        self.set_by(seconds)

    def sleep(self, seconds: float) -> None:
        self.running_for += seconds
        self.set_by(seconds)

    def set_by(self, seconds: float) -> None:
        self.wall += dt.timedelta(seconds=seconds)


def hints_after(change: Callable[[FakeClocks], None], expected: int) -> list[Hint]:
    """What is posted at the next look after a change of the clocks; a tick is 30 s away."""

    async def drive() -> list[Hint]:
        clocks, posted = FakeClocks(), asyncio.Queue[Hint]()
        scheduler = Scheduler(posted.put_nowait, clocks)
        running = asyncio.create_task(scheduler.run())
        await asyncio.sleep(0)
        change(clocks)
        scheduler.look()
        async with asyncio.timeout(60):
            hints = [await posted.get() for _ in range(expected)]
        for _ in range(5):
            await asyncio.sleep(0)
        hints += [posted.get_nowait() for _ in range(posted.qsize())]
        running.cancel()
        return hints

    return asyncio.run(drive())


def test_sleep_is_told_with_a_tick() -> None:
    assert hints_after(lambda clocks: clocks.sleep(12 * HOUR), 2) == [Woke(), Tick()]


@pytest.mark.parametrize("seconds", [5 * HOUR, -5 * HOUR, 3.0, -3.0])
def test_set_clock_is_told_with_a_tick(seconds: float) -> None:
    expected = [ClockChanged(dt.timedelta(seconds=seconds)), Tick()]

    assert hints_after(lambda clocks: clocks.set_by(seconds), 2) == expected


def test_sleep_and_set_clock_are_both_told() -> None:
    def change(clocks: FakeClocks) -> None:
        clocks.sleep(HOUR)
        clocks.set_by(-HOUR)

    assert hints_after(change, 3) == [Woke(), ClockChanged(dt.timedelta(hours=-1)), Tick()]


def test_time_that_just_passes_is_no_news() -> None:
    assert hints_after(lambda clocks: clocks.pass_by(29.9), 0) == []


def test_slewed_clock_is_no_news() -> None:
    assert hints_after(lambda clocks: clocks.set_by(1.5), 0) == []


def ticks(post: Callable[[list[Hint], Hint], None], wanted: int, every: int = 1) -> tuple[int, float]:
    """Run on the real clocks until so many hints came; how many, and after how many seconds."""

    async def drive() -> tuple[int, float]:
        posted: list[Hint] = []
        enough = asyncio.Event()

        def take(hint: Hint) -> None:
            try:
                post(posted, hint)
            finally:
                if len(posted) >= wanted:
                    enough.set()

        running = asyncio.create_task(Scheduler(take, FakeClocks(), every).run())
        started = asyncio.get_running_loop().time()
        async with asyncio.timeout(60):
            await enough.wait()
        running.cancel()
        return len(posted), asyncio.get_running_loop().time() - started

    return asyncio.run(drive())


def test_ticks_come_regularly_and_by_themselves() -> None:
    count, took = ticks(list.append, 2)

    assert count == 2
    assert took > 1.9


def test_listener_that_raises_gets_the_next_tick_all_the_same() -> None:
    def post(posted: list[Hint], hint: Hint) -> None:
        posted.append(hint)
        raise RuntimeError("not my day")

    assert ticks(post, 3)[0] == 3


@pytest.mark.parametrize("reading", [2, 3, 7])
def test_clock_set_back_under_the_library_does_not_stop_the_ticks(
    monkeypatch: pytest.MonkeyPatch, reading: int
) -> None:
    """The library compares naive local times: set back by five hours, it would be silent for five hours.

    The clock is set just before the library reads it: to say how long it will be idle (2, 7), or what is due.
    """
    readings = 0

    class Wall(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            nonlocal readings
            readings += 1
            if readings == reading:
                clocks.set_by(-5 * HOUR)
            return dt.datetime.now(tz) - dt.timedelta(hours=5 if readings >= reading else 0)

    monkeypatch.setattr(schedule, "datetime", SimpleNamespace(datetime=Wall, timedelta=dt.timedelta))
    clocks = FakeClocks()

    async def drive() -> list[Hint]:
        posted = asyncio.Queue[Hint]()
        running = asyncio.create_task(Scheduler(posted.put_nowait, clocks, 1).run())
        async with asyncio.timeout(60):
            hints = [await posted.get() for _ in range(4)]  # and nobody calls look()
        running.cancel()
        return hints

    hints = asyncio.run(drive())

    assert [type(hint) for hint in hints].count(ClockChanged) == 1
    assert hints.count(Tick()) == 3
