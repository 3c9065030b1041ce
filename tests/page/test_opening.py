"""The page of an agent that ends: nothing of it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from credtray.page.opening import Page
from credtray.store.state_files import PageFile
from credtray.web.page_server import Answer, Asked, Site
from tests.daemon.fakes import Daemon, run


async def _no_answer(_asked: Asked) -> Answer:
    raise AssertionError("nobody asks")


async def _no_changes() -> AsyncGenerator[bytes, None]:
    yield b""


def test_agent_that_ends_gives_up_what_its_page_has_under_way(tmp_path: Path) -> None:
    closed = []

    async def close() -> None:
        closed.append(True)

    async def drive() -> None:
        daemon = await Daemon().started()
        site = Site(_no_answer, _no_changes, lambda _base: b"", close)
        page = Page(daemon.loop, PageFile(tmp_path / "page.json"), lambda: site, lambda _secret: None)
        running = asyncio.create_task(page.run())
        await page.address()
        await asyncio.sleep(0)
        assert closed == []
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    run(drive())

    assert closed == [True]
