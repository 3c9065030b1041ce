from __future__ import annotations

import asyncio
import os
import queue
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.desktop.clock_watch import (
    AddressWatch,
    KernelWatch,
    NoNetworkWatch,
    network_watch,
    tells_of_address,
    tells_of_route,
)
from tests.systems import is_root

ROOT = Path(__file__).parents[2]
MAIN, LOCAL = 254, 255
NEW_ROUTE, DELETED_ROUTE, NEW_LINK = 24, 25, 16


def message(kind: int, table: int) -> bytes:
    body = bytes([2, 24, 0, 0, table, 3, 0, 1]) + b"\0" * 4
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def test_new_route_of_the_main_table_is_a_hint() -> None:
    assert tells_of_route(message(NEW_ROUTE, MAIN))
    assert tells_of_route(message(NEW_LINK, MAIN) + message(NEW_ROUTE, LOCAL) + message(NEW_ROUTE, MAIN))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 16,
        b"\xff" * 40,
        message(NEW_ROUTE, LOCAL),
        message(DELETED_ROUTE, MAIN),
        message(NEW_LINK, MAIN),
        message(NEW_ROUTE, MAIN)[:18],
    ],
)
def test_anything_else_is_not(data: bytes) -> None:
    assert not tells_of_route(data)


def bsd_message(kind: int, version: int = 5) -> bytes:
    """A message of macOS's routing socket: struct ifa_msghdr (net/if.h) and a socket address behind it."""
    body = struct.pack("=iiHi", 0x20, 0, 4, 0) + bytes(16)
    return struct.pack("=HBB", 4 + len(body), version, kind) + body


NEW_ADDRESS, DELETED_ADDRESS, ADDED_ROUTE, INTERFACE = 12, 13, 1, 14


@pytest.mark.parametrize(
    ("data", "news"),
    [
        (bsd_message(NEW_ADDRESS), True),
        (bsd_message(INTERFACE) + bsd_message(NEW_ADDRESS), True),
        (bsd_message(ADDED_ROUTE), False),
        (bsd_message(DELETED_ADDRESS), False),
        (bsd_message(NEW_ADDRESS, version=6), False),
        (bytes(40), False),
        (b"\xff" * 40, False),
        (b"", False),
    ],
)
def test_new_address_is_a_hint_on_macos(data: bytes, news: object) -> None:
    assert tells_of_address(data) is news


@pytest.mark.posix("sockets in pairs")
def test_burst_of_addresses_gives_one_hint_on_macos() -> None:
    kernel, listener = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    async def scene() -> None:
        hints: asyncio.Queue[None] = asyncio.Queue()
        watch = KernelWatch(lambda: listener, tells_of_address)
        running = asyncio.create_task(watch.run(lambda: hints.put_nowait(None)))
        for kind in (INTERFACE, NEW_ADDRESS, ADDED_ROUTE, NEW_ADDRESS):
            kernel.send(bsd_message(kind))
        async with asyncio.timeout(60):
            await hints.get()
        assert hints.empty()

        kernel.send(bsd_message(NEW_ADDRESS))
        async with asyncio.timeout(60):
            await hints.get()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with kernel:
        asyncio.run(scene())


WATCHER = """
import asyncio, subprocess
from credtray.desktop.clock_watch import network_watch

def ip(words):
    subprocess.run(["ip", *words.split()], check=True)

async def main():
    hints = []
    watch = network_watch()
    running = asyncio.create_task(watch.run(lambda: hints.append(1)))
    await asyncio.sleep(0)
    ip("link add lan0 type bridge")
    ip("addr add 10.99.0.1/24 dev lan0")
    ip("addr add 10.98.0.1/24 dev lan0")
    await asyncio.sleep(1)
    print(len(hints))
    ip("link set lan0 up")
    await asyncio.sleep(1)
    print(len(hints))
    ip("link set lan0 down")
    await asyncio.sleep(1)
    print(len(hints))
    ip("link set lan0 up")
    await asyncio.sleep(1)
    print(len(hints))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

asyncio.run(main())
"""


def can_make_links() -> bool:
    if not is_root() or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--net", "ip", "link", "add", "lan0", "type", "bridge"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.posix("the kernel of Linux")
@pytest.mark.skipif(not can_make_links(), reason="needs root, ip and unshare")
def test_link_that_comes_back_gives_one_hint_each_time() -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", WATCHER],
        env={**os.environ, "PYTHONPATH": str(ROOT / "agent")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.stdout.split(), done.stderr) == (["0", "1", "1", "2"], "")


def test_system_without_such_messages_says_so_and_ends() -> None:
    watch = NoNetworkWatch("Nothing to listen to.")
    asyncio.run(watch.run(pytest.fail))

    assert watch.reason == "Nothing to listen to."


def test_this_system_can_be_listened_to() -> None:
    watch = network_watch()
    assert watch.reason is None

    async def listen() -> None:
        running = asyncio.create_task(watch.run(lambda: None))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(listen())

    assert watch.reason is None


def test_windows_tells_of_addresses_until_it_refuses() -> None:
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()

    async def drive() -> tuple[int, str | None]:
        watch, changes = AddressWatch(answers.get), 0

        def changed() -> None:
            nonlocal changes
            changes += 1
            answers.put(50)  # ERROR_NOT_SUPPORTED

        for _ in range(3):  # a burst
            answers.put(0)
        await watch.run(changed)
        return changes, watch.reason

    assert asyncio.run(drive()) == (1, "Network changes cannot be watched: error 50 of Windows.")
