"""What the agent knows of what is shared: living, dead and silent processes."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credtray.core.clicks import StopSharing
from credtray.daemon.workers import Workers
from credtray.files.directory_safety import private_directory
from credtray.share.shared import Shares, directory

pytestmark = pytest.mark.posix("Unix sockets")

if sys.platform != "win32":
    from credtray.share.hand_out import Doors, HandOut


def door(name: str) -> Path:
    return private_directory(directory()) / f"{name}.sock"


def living(host: str, profile: str = "dns") -> HandOut:
    place = door(f"{host}-{profile}")
    return HandOut(Doors(place.with_suffix(".keys"), place), {"host": host, "profile": profile}, bytes, print)


@contextmanager
def silent(host: str) -> Iterator[None]:
    """Listen and never answer, as a process does that was suspended."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(door(host)))
        listening.listen()
        yield


def with_shares(work: Callable[[Shares], Awaitable[None]]) -> None:
    async def drive() -> None:
        workers = Workers()
        workers.start()
        async with asyncio.timeout(60):
            await work(Shares(workers))

    asyncio.run(drive())


def test_living_ones_are_found_and_a_dead_one_is_cleared_away() -> None:
    with silent("dead"):
        pass  # its socket stays, and nobody listens there

    async def look(shares: Shares) -> None:
        async with living("a").serving(), living("b", "billing").serving():
            await shares.look()
            assert shares.found == (StopSharing("a", "dns"), StopSharing("b", "billing"))

    with_shares(look)

    assert not door("dead").exists()


def test_a_view_does_not_wait_for_one_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credtray.share.shared._ASK_SECONDS", 3600.0)

    async def look(shares: Shares) -> None:
        with silent("suspended"):
            await shares.look_briefly()
            assert shares.found == ()

    with_shares(look)


def test_only_what_was_clicked_ends_and_one_that_does_not_answer_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("credtray.share.shared._ASK_SECONDS", 0.2)

    async def stop(shares: Shares) -> None:
        one, other = living("a"), living("a", "billing")
        async with one.serving(), other.serving():
            assert await shares.stop(StopSharing("a", "billing"))
            assert (one.stopping.is_set(), other.stopping.is_set()) == (False, True)
            with silent("suspended"):
                assert not await shares.stop(StopSharing("suspended", "dns"))
                assert await shares.stop(StopSharing("a", "dns"))
        assert await shares.stop(StopSharing("long", "gone"))

    with_shares(stop)


def test_a_listener_hears_of_a_change_and_of_nothing_else() -> None:
    heard: list[tuple[StopSharing, ...]] = []

    async def change(shares: Shares) -> None:
        shares.heard_by(lambda: heard.append(shares.found))
        async with living("a").serving():
            await shares.look()
            await shares.look()
        await shares.look()

    with_shares(change)

    assert heard == [(StopSharing("a", "dns"),), ()]


def test_what_is_no_sharing_process_is_no_share() -> None:
    async def strange(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(["no", "share"]).encode())
        writer.close()

    async def look(shares: Shares) -> None:
        (door("text").parent / "text.sock").write_text("no socket")
        async with await asyncio.start_unix_server(strange, door("strange")):
            await shares.look()
        assert shares.found == ()

    with_shares(look)
