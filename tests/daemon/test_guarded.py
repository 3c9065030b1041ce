"""Helper tasks that die come back."""

from __future__ import annotations

import asyncio
import logging

import pytest

from credtray.daemon import workers as guarded_tasks
from credtray.daemon.workers import guarded


def test_helper_task_that_dies_is_logged_without_values_and_begun_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guarded_tasks, "RESTART_SECONDS", (0.0,))
    canary = f"CAN{'ARY'}"

    async def drive() -> int:
        began, enough = 0, asyncio.Event()

        async def work() -> None:
            nonlocal began
            began += 1
            if began < 4:
                raise RuntimeError(canary)
            enough.set()

        async with guarded("helper", work), asyncio.timeout(10):
            await enough.wait()
        return began

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(drive()) == 4
    assert caplog.text.count("helper ended unexpectedly") == 3
    assert canary not in caplog.text
