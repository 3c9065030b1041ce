"""Threads for what blocks: nothing is lost, no portal delays another, nothing keeps a process alive."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

import pytest

from credtray.core.errors import CredtrayError, Offline, Problem
from credtray.daemon.workers import PORTAL_CALLS, Workers


def nothing(_result: object) -> None:
    return None


async def settled(workers: Workers) -> None:
    async with asyncio.timeout(20):
        with workers.resting() as rested:
            while workers.busy:
                rested.clear()
                await rested.wait()


def test_results_and_problems_come_back_on_the_loops_thread() -> None:
    async def drive() -> list[object]:
        workers, came = Workers(), list[object]()
        workers.start()

        def fail() -> None:
            raise Offline("no route")

        def come(result: object) -> None:
            assert threading.current_thread() is threading.main_thread()
            came.append(result)

        workers.files(lambda: 7, come, come)
        workers.files(fail, come, come)
        await settled(workers)
        return came

    assert asyncio.run(drive()) == [7, Offline("no route").problem]


def test_an_unknown_error_becomes_a_problem_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    canary = f"CAN{'ARY'}"

    async def drive() -> list[Problem]:
        workers, came = Workers(), list[Problem]()
        workers.start()

        def fail() -> None:
            raise ValueError(canary)

        workers.portal("corp", fail, nothing, came.append)
        await settled(workers)
        return came

    with caplog.at_level(logging.DEBUG):
        came = asyncio.run(drive())
    assert [problem.code for problem in came] == [CredtrayError.code]
    assert canary not in caplog.text + repr(came)


def test_file_work_is_done_in_order() -> None:
    async def drive() -> list[int]:
        workers, came = Workers(), list[int]()
        workers.start()
        for number in range(50):
            workers.files(lambda number=number: number, came.append, nothing)  # type: ignore[misc]  # bound now
        await settled(workers)
        return came

    assert asyncio.run(drive()) == list(range(50))


def test_a_portal_that_hangs_does_not_delay_another_session() -> None:
    async def drive() -> None:
        workers, release, other = Workers(), threading.Event(), asyncio.Event()
        workers.start()
        for _ in range(PORTAL_CALLS + 5):
            workers.portal("hangs", release.wait, nothing, nothing)
        workers.portal("other", lambda: None, lambda _: other.set(), nothing)
        try:
            async with asyncio.timeout(10):
                await other.wait()
            assert workers.busy
            assert not workers.filing
        finally:
            release.set()
        await settled(workers)

    asyncio.run(drive())


def test_a_result_that_cannot_be_taken_still_counts_as_back() -> None:
    async def drive() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        workers = Workers()
        workers.start()

        def explode(_result: object) -> None:
            raise RuntimeError

        workers.files(lambda: None, explode, explode)
        await settled(workers)

    asyncio.run(drive())


def test_work_is_done_when_the_system_allows_threads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """pids.max reached: what was asked for waits, it is not lost."""
    start = threading.Thread.start
    refused: list[str] = []

    def scarce(thread: threading.Thread) -> None:
        if len(refused) < 2:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    async def drive() -> list[int]:
        workers, came = Workers(), list[int]()
        workers.start()
        workers.files(lambda: 1, came.append, nothing)
        workers.files(lambda: 2, came.append, nothing)
        await settled(workers)
        return came

    monkeypatch.setattr("credtray.daemon.workers.STAFF_SECONDS", 0.01)
    monkeypatch.setattr(threading.Thread, "start", scarce)

    assert asyncio.run(drive()) == [1, 2]
    assert len(refused) == 2


def test_result_of_raises_the_error_of_its_own_class_and_outlives_an_impatient_asker() -> None:
    async def drive() -> None:
        workers, release = Workers(), threading.Event()
        workers.start()

        def fail() -> None:
            raise Offline("no route")

        with pytest.raises(Offline, match="no route"):
            await workers.result_of(fail)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(workers.result_of(release.wait), 0.01)
        release.set()
        assert await workers.result_of(lambda: 3) == 3

    asyncio.run(drive())


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    program = """
import asyncio, threading
from credtray.daemon.workers import Workers
async def main():
    workers = Workers()
    workers.start()
    began = threading.Event()
    def hang():
        began.set()
        threading.Event().wait()
    for pool in (workers.files, workers.sign_in, workers.notices):
        pool(hang, print, print)
    workers.portal("corp", hang, print, print)
    began.wait(10)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=20, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


def test_results_after_the_loop_was_closed_are_dropped_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    release, back = threading.Event(), threading.Event()
    workers = Workers()

    async def drive() -> None:
        workers.start()
        workers.files(release.wait, nothing, nothing)

    def finish() -> None:
        release.wait()
        workers.call_soon(lambda: None)
        back.set()

    asyncio.run(drive())
    thread = threading.Thread(target=finish)
    thread.start()
    release.set()
    thread.join(10)

    assert back.is_set()
    assert capfd.readouterr().err == ""
