"""The real agent and a panel without pixels: menu, clicks, and a bus that hangs, dies and comes back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from credtray.desktop.bus.session import SessionBus
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.panel_fakes import Entry, FakeWatcher, MenuHost
from tests.end_to_end.house import House, until

CROWD = """
[profile crowd-{0}]
sso_session = synderys
sso_account_id = {1}
sso_role_name = ReadOnly
"""


def processor_seconds(pid: int) -> float:
    """Return how long a process has kept a processor busy (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def panel(daemon: DbusDaemon) -> AsyncIterator[FakeWatcher]:
    ours = SessionBus(address=daemon.address)
    watcher = FakeWatcher(await ours.connection())
    await watcher.start()
    try:
        yield watcher
    finally:
        await ours.close()


async def shown_by(watcher: FakeWatcher, count: int = 1) -> MenuHost:
    return MenuHost(watcher.connection, await watcher.item(count))


async def opened(host: MenuHost, holds: Callable[[list[str]], bool]) -> tuple[Entry, ...]:
    """Open the menu again and again until its labels are as they should be."""
    async with asyncio.timeout(20):
        while True:
            entries = await host.open()
            if holds([entry.label for entry in entries]):
                return entries
            await asyncio.sleep(0.05)


async def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    await asyncio.to_thread(until, true, seconds)


def drive(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_daily_work_is_done_from_the_menu(house: House, bus: DbusDaemon) -> None:
    house.configure()

    async def work() -> None:
        async with panel(bus) as watcher:
            with house.agent() as process:
                host = await shown_by(watcher)
                await opened(host, lambda labels: labels[1].rstrip() == "synderys: signed out")
                await host.click("Sign in")
                await opened(host, lambda labels: "signed in until about" in labels[1])
                await host.click(*way_to(host, "Default profile", "synderys-dns"))
                await eventually(lambda: "[default]" in house.written())
                await opened(host, lambda labels: "Default profile: synderys-dns" in labels)
                await host.click(*way_to(host, "Keys kept", "synderys-readonly"))
                await eventually(lambda: "[synderys-readonly]" in house.written())
                await opened(host, lambda labels: "Keys kept in credentials file (1)" in labels)
                await host.click(*way_to(host, "Sign out", "Yes, sign out of synderys"))
                await opened(host, lambda labels: labels[1].rstrip() == "synderys: signed out")
                await eventually(lambda: house.written().strip() == "")
                await host.click(*way_to(host, "Quit", "Yes, quit"))
                await eventually(lambda: process.poll() is not None)

                assert process.returncode == 0
                assert len(house.visits()) == 1

    drive(work())


def way_to(host: MenuHost, menu: str, item: str) -> tuple[str, ...]:
    """Return the labels that lead to the item; both words are beginnings."""
    ways = (way for way in host.seen.numbers() if way[0].startswith(menu))
    return next(way for way in ways if way[-1].startswith(item))


def test_bus_that_dies_takes_the_icon_and_nothing_else(house: House, bus: DbusDaemon) -> None:
    house.configure()

    async def work() -> None:
        async with panel(bus) as watcher:
            with house.agent():
                await watcher.item()
                bus.kill()
                await eventually(lambda: house.status()["desktop"]["tray"]["back_end"] is None)

                assert house.status()["desktop"]["tray"]["reason"]
                await asyncio.to_thread(house.run, "login")
                await asyncio.to_thread(house.run, "activate", "synderys-dns")
                assert "[synderys-dns]" in house.written()
                bus.start()
                async with panel(bus) as again:
                    async with asyncio.timeout(60):
                        host = await shown_by(again)
                    await opened(host, lambda labels: "signed in" in labels[1])

    drive(work())


def test_bus_that_hangs_holds_up_neither_commands_nor_the_end(house: House, bus: DbusDaemon) -> None:
    house.configure()

    async def work() -> None:
        async with panel(bus) as watcher:
            with house.agent() as process:
                await watcher.item()
                bus.freeze()
                try:
                    await asyncio.to_thread(house.run, "login")
                    await asyncio.to_thread(house.run, "status")
                    process.terminate()
                    await eventually(lambda: process.poll() is not None)
                finally:
                    bus.thaw()

                assert process.returncode == 0

    drive(work())


def test_panel_that_asks_without_a_pause_is_not_answered_anew_each_time(
    house: House, bus: DbusDaemon
) -> None:
    house.configure(more="".join(CROWD.format(number, f"{number:012}") for number in range(500)))

    async def work() -> None:
        async with panel(bus) as watcher:
            with house.agent() as process:
                host = await shown_by(watcher)
                await opened(host, lambda labels: labels[1].rstrip() == "synderys: signed out")

                async def cost(asked: int, pause: float) -> float:
                    before = processor_seconds(process.pid)
                    for _ in range(asked):
                        await host.ask("AboutToShow", "i", 0)
                        await asyncio.sleep(pause)
                    return (processor_seconds(process.pid) - before) / asked

                slowly = await cost(40, 0.06)
                quickly = await cost(200, 0)

                assert quickly < slowly * 0.55

    drive(work())


def test_without_any_desktop_the_agent_works_and_says_what_is_missing(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        until(lambda: all(part["reason"] for part in house.status()["desktop"].values()))
        desktop = house.status()["desktop"]

        assert {name: part["back_end"] for name, part in desktop.items()} == {
            "tray": None,
            "notifications": None,
            "presence": None,
        }
        assert "[synderys-dns]" in house.written()


def test_agent_without_a_tray_leaves_the_bus_alone(house: House, bus: DbusDaemon) -> None:
    house.configure()

    async def work() -> None:
        async with panel(bus) as watcher:
            process = house.start("run", "--no-tray")
            try:
                await eventually((house.home / "run" / "credtray" / "agent.sock").exists)
                await asyncio.to_thread(house.run, "login")

                assert watcher.items == []
            finally:
                process.terminate()
                process.communicate(timeout=60)

    drive(work())
