"""The icon on a real bus, with a panel that comes late, restarts, hangs, clicks and reads slowly."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from credtray.core.errors import BusCallFailed, BusUnavailable, CredtrayError
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.tray._sni import Icon
from credtray.desktop.tray.painting import load_pystray
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.keyed_items import KeyedItem
from tests.desktop.panel_fakes import (
    ITEM,
    ITEM_PATH,
    MENU,
    Entry,
    FakeWatcher,
    MenuHost,
    menu_entries,
    until,
    watching,
)

pytestmark = pytest.mark.linux_desktop("D-Bus")

pystray = load_pystray()
Menu, MenuItem = pystray.Menu, pystray.MenuItem

RED = Image.new("RGBA", (64, 64), (255, 0, 0, 128))
RED_PIXEL = bytes((128, 255, 0, 0))


@contextlib.asynccontextmanager
async def showing(menu: Any = None, **options: Any) -> AsyncIterator[tuple[Any, FakeWatcher, MenuHost]]:
    """An icon that a panel shows."""
    async with watching() as watcher:
        icon = Icon("credtray", RED, "credtray: signed in", menu, **options)
        icon.run_detached()
        try:
            yield icon, watcher, MenuHost(watcher.connection, await watcher.item())
        finally:
            icon.stop()
            await icon.gone()


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run it; at its end nothing of the icon may be left: no task, no thread."""

    async def and_look() -> Any:
        result = await scenario
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert [task.get_name() for task in others] == []
        return result

    threads = threading.active_count()
    result = asyncio.run(and_look())
    assert threading.active_count() <= threads
    return result


# --- what a panel sees -------------------------------------------------------------------------------


def test_a_panel_finds_all_it_needs(bus: DbusDaemon) -> None:
    async def scenario() -> dict[str, Any]:
        async with showing() as (_, _, host):
            return await host.properties()

    found = run(scenario())

    assert [pixmap[:2] for pixmap in found["IconPixmap"]] == [(22, 22), (32, 32), (48, 48)]
    assert all(bytes(data) == RED_PIXEL * width * height for width, height, data in found["IconPixmap"])
    assert found["ToolTip"] == ("", [], "credtray: signed in", "")
    assert found["Menu"] == "/MenuBar"
    assert {
        "Id": "credtray",
        "Title": "credtray",
        "Status": "Active",
        "Category": "ApplicationStatus",
    }.items() <= (found.items())
    assert found["ItemIsMenu"] is True


@pytest.mark.parametrize(("path", "interface"), [(ITEM_PATH, ITEM), ("/MenuBar", MENU)])
def test_what_is_offered_is_described(bus: DbusDaemon, path: str, interface: str) -> None:
    async def scenario() -> str:
        async with showing() as (_, watcher, _):
            asked = (watcher.items[-1], path, "org.freedesktop.DBus.Introspectable", "Introspect")
            [text] = await watcher.connection.call(*asked)
            return str(text)

    tree = ET.fromstring(run(scenario()))  # noqa: S314 - our own text
    [described] = [found for found in tree if found.get("name") == interface]
    members = {member.get("name") for member in described}

    assert {"Activate", "NewIcon", "IconPixmap"} <= members or {"GetLayout", "LayoutUpdated"} <= members


def test_each_size_is_shown_as_it_was_drawn(bus: DbusDaemon) -> None:
    images = {size: Image.new("RGBA", (size, size), (0, 0, size, 255)) for size in (22, 32, 48)}

    async def scenario() -> dict[str, Any]:
        async with showing() as (icon, _, host):
            async with host.listening():
                icon.images = images
                await host.until_heard("NewIcon")
            return await host.properties()

    drawn = {width: bytes(data)[:4] for width, _, data in run(scenario())["IconPixmap"]}

    assert {size: bytes((255, 0, 0, size)) for size in images} == drawn


def test_a_tooltip_has_a_heading_and_no_markup(bus: DbusDaemon) -> None:
    async def scenario() -> Any:
        async with showing() as (icon, _, host):
            async with host.listening():
                icon.title = "corp: <b>R&D</b>\n\nends in 9 min\nnul \0"
                await host.until_heard("NewToolTip")
            return (await host.properties())["ToolTip"]

    *_, heading, rest = run(scenario())

    assert rest.splitlines()[0] == "ends in 9 min"
    assert not set("<>&\0") & set(heading + rest)


def test_what_did_not_change_is_not_told(bus: DbusDaemon) -> None:
    async def scenario() -> list[str]:
        async with showing(Menu(MenuItem("a", None))) as (icon, _, host), host.listening():
            icon.icon = RED.copy()
            icon.menu = Menu(MenuItem("a", None))
            icon.update_menu()
            await asyncio.sleep(0.06)  # so that the next change is told by itself
            icon.title = "other"
            await host.until_heard("NewToolTip")
            return host.heard

    assert run(scenario()) == ["NewToolTip"]


# --- panels come and go ------------------------------------------------------------------------------


def test_a_panel_that_comes_later_gets_the_icon(bus: DbusDaemon) -> None:
    async def scenario() -> str:
        icon = Icon("credtray", RED)
        icon.run_detached()
        async with watching() as watcher:
            item = await watcher.item()
        icon.stop()
        await icon.gone()
        return item

    assert run(scenario()).startswith("org.kde.StatusNotifierItem-")


def test_a_panel_that_starts_anew_gets_the_icon_again(bus: DbusDaemon) -> None:
    async def scenario() -> list[str]:
        async with showing() as (_, watcher, _):
            first = watcher.items[-1]
            await watcher.stop()
            await watcher.start()
            return [first, await watcher.item()]

    first, second = run(scenario())

    assert first == second


def test_a_panel_that_refuses_at_first_is_asked_again(bus: DbusDaemon) -> None:
    async def scenario() -> str:
        async with watching() as watcher:
            watcher.refusing = 1
            icon = Icon("credtray", RED)
            icon.run_detached()
            item = await watcher.item()
            icon.stop()
            await icon.gone()
            return item

    assert run(scenario())


def test_a_hidden_icon_is_gone_from_the_bus_and_comes_back(bus: DbusDaemon) -> None:
    async def scenario() -> tuple[bool, bool]:
        async with showing() as (icon, watcher, _):
            name = watcher.items[-1]

            async def gone() -> bool:
                return await watcher.connection.owner(name) is None

            icon.visible = False
            await until(gone)
            icon.visible = True
            await watcher.item(2)
            return icon.visible, await gone()

    assert run(scenario()) == (True, False)


def test_a_stopped_icon_leaves_no_name_and_no_reason(bus: DbusDaemon) -> None:
    async def scenario() -> CredtrayError | None:
        async with showing() as (icon, watcher, _):

            async def left() -> bool:
                return await watcher.connection.owner(watcher.items[-1]) is None

            icon.stop()
            reason: CredtrayError | None = await icon.gone()
            await until(left)  # the bus hears of it in its own time
            return reason

    assert run(scenario()) is None


def test_two_icons_of_one_process_have_two_names(bus: DbusDaemon) -> None:
    async def scenario() -> set[str]:
        async with showing() as (_, watcher, _):
            second = Icon("second", RED)
            second.run_detached()
            await watcher.item(2)
            second.stop()
            await second.gone()
            return set(watcher.items)

    assert len(run(scenario())) == 2


def test_the_end_of_the_bus_is_told_with_its_reason(bus: DbusDaemon) -> None:
    async def scenario() -> CredtrayError | None:
        async with showing() as (icon, _, _):
            bus.kill()
            async with asyncio.timeout(60):
                return await icon.gone()  # type: ignore[no-any-return]  # pystray has no types

    assert isinstance(run(scenario()), BusUnavailable)


def test_without_a_bus_the_reason_is_told() -> None:
    async def scenario() -> CredtrayError | None:
        icon = Icon("credtray", RED)
        icon.run_detached()
        reason: CredtrayError | None = await icon.gone()
        icon.stop()
        return reason

    assert "is not set" in str(asyncio.run(scenario()))


def test_stopping_does_not_wait_for_a_bus_that_hangs(bus: DbusDaemon) -> None:
    async def scenario() -> None:
        async with showing() as (icon, _, _):
            bus.freeze()
            icon.title = "other"
            icon.stop()
            await icon.gone()  # the bus answers only afterwards
            bus.thaw()

    run(scenario())


def test_an_icon_outlasts_a_bus_that_hung(bus: DbusDaemon) -> None:
    async def scenario() -> tuple[Entry, ...]:
        async with showing() as (icon, _, host):
            bus.freeze()
            for number in range(50):
                icon.menu = Menu(MenuItem(f"item {number}", None))
                icon.icon = Image.new("RGBA", (48, 48), (number, 0, 0, 255))
                await asyncio.sleep(0.01)
            bus.thaw()

            async def shown() -> bool:
                return await host.open() == (Entry("item 49"),)

            await until(shown)
            return await host.open()

    assert run(scenario()) == (Entry("item 49"),)


# --- clicks ------------------------------------------------------------------------------------------


def test_a_click_calls_the_item_on_the_loop(bus: DbusDaemon) -> None:
    clicked: list[tuple[str, bool]] = []

    def note(icon: Any, item: Any) -> None:
        clicked.append((item.text, threading.current_thread() is threading.main_thread()))

    menu = Menu(MenuItem("other_one", None), MenuItem("more", Menu(MenuItem("sign in", note))))

    async def scenario() -> tuple[Entry, ...]:
        async with showing(menu) as (_, _, host):
            entries = await host.open()
            await host.click("more", "sign in")
            return entries

    assert run(scenario()) == tuple(menu_entries(menu))
    assert clicked == [("sign in", True)]


def test_a_click_that_fails_harms_neither_panel_nor_icon(bus: DbusDaemon) -> None:
    raised: list[str] = []

    def fail() -> None:
        raise RuntimeError("what the item does")

    async def scenario() -> tuple[Entry, ...]:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, what: raised.append(str(what["exception"]))
        )
        async with showing(Menu(MenuItem("bad", fail))) as (_, _, host):
            await host.open()
            await host.click("bad")
            return await host.open()

    assert run(scenario()) == (Entry("bad"),)
    assert raised == ["what the item does"]


def test_a_click_on_the_icon_is_left_to_the_panel(bus: DbusDaemon) -> None:
    async def scenario() -> str:
        async with showing(Menu(MenuItem("a", None, default=True))) as (_, _, host):
            await host.call_item("Scroll", "is", (1, "vertical"))
            with pytest.raises(BusCallFailed) as refused:
                await host.call_item("Activate")
            return refused.value.error_name

    assert run(scenario()) == "org.freedesktop.DBus.Error.UnknownMethod"


def test_a_click_on_the_icon_means_the_default_where_that_is_wanted(bus: DbusDaemon) -> None:
    clicked: list[str] = []
    menu = Menu(MenuItem("a", lambda: clicked.append("a"), default=True))

    async def scenario() -> bool:
        async with showing(menu, sni_item_is_menu=False) as (_, _, host):
            await host.call_item("Activate")
            return bool((await host.properties())["ItemIsMenu"])

    assert run(scenario()) is False
    assert clicked == ["a"]


def test_before_it_is_shown_the_menu_is_brought_up_to_date(bus: DbusDaemon) -> None:
    async def scenario() -> tuple[Entry, ...]:
        async with showing(Menu(MenuItem("9 min left", None))) as (icon, _, host):

            def tick() -> None:
                icon.menu = Menu(MenuItem("8 min left", None))

            icon.before_show = tick
            return await host.open()

    assert run(scenario()) == (Entry("8 min left"),)


# --- many changes ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def slow_reader(bus: DbusDaemon) -> AsyncIterator[Connection]:
    """Somebody who asked for every signal and reads none: the bus has to keep them."""
    shared = SessionBus()
    connection = await shared.connection()
    daemon = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    await connection.call(*daemon, "AddMatch", "s", ["type='signal'"])
    descriptor = connection._wire._bus._fd
    assert descriptor is not None
    asyncio.get_running_loop().remove_reader(descriptor)
    try:
        yield connection
    finally:
        connection._wire._bus._finalize(None)
        await shared.close()


def test_six_hundred_quick_updates_do_not_lose_the_icon(bus: DbusDaemon) -> None:
    async def scenario() -> tuple[Entry, ...]:
        menu = Menu(KeyedItem("left", "before", None))
        async with slow_reader(bus), showing(menu) as (icon, watcher, host), host.listening():
            for number in range(600):
                icon.icon = Image.new("RGBA", (48, 48), (number % 256, number // 256, 0, 255))
                icon.title = f"{number} min left"
                icon.menu = Menu(KeyedItem("left", f"{number} min left", None))
                if number % 20 == 0:
                    await asyncio.sleep(0.06)
            last = (Entry("599 min left"),)

            async def shown() -> bool:
                return await host.open() == last

            await until(shown)
            assert host.heard.count("NewIcon") >= 20
            assert watcher.items == watcher.items[:1]
            return await host.open()

    assert run(scenario()) == (Entry("599 min left"),)


def test_quick_changes_are_told_together(bus: DbusDaemon) -> None:
    async def scenario() -> list[str]:
        async with showing(Menu(KeyedItem("k", "before", None))) as (icon, _, host), host.listening():
            for number in range(200):
                icon.menu = Menu(KeyedItem("k", str(number), None))
                await asyncio.sleep(0)  # each in a turn of the loop of its own
            icon.title = "end"
            await host.until_heard("NewToolTip")
            return host.heard

    assert len(run(scenario())) < 20


def test_a_bus_that_takes_nothing_is_not_sent_more_and_more(bus: DbusDaemon) -> None:
    def large(number: int) -> Any:
        """Much more than a socket holds when it changes."""
        return Menu(*(KeyedItem(f"k{line}", f"{number} {'x' * 400}", None) for line in range(1000)))

    async def scenario() -> tuple[int, tuple[Entry, ...]]:
        async with showing(large(0)) as (icon, _, host), host.listening():
            bus.freeze()
            for number in range(1, 9):
                icon.menu = large(number)
                await asyncio.sleep(0.06)
            icon.title = "end"
            bus.thaw()
            await host.until_heard("NewToolTip")
            return host.heard.count("ItemsPropertiesUpdated"), await host.open()

    told, entries = run(scenario())

    assert told < 5
    assert entries[0].label.startswith("8 ")


# --- as pystray documents it -------------------------------------------------------------------------


def test_run_serves_by_itself_until_stop(bus: DbusDaemon) -> None:
    async def scenario() -> list[bool]:
        async with watching() as watcher:
            icon = Icon("credtray", RED, menu=Menu(MenuItem("a", None)))
            thread = threading.Thread(target=icon.run)
            thread.start()
            host = MenuHost(watcher.connection, await watcher.item())
            entries = await host.open()
            await asyncio.to_thread(icon.stop)
            await asyncio.to_thread(thread.join, 5)
            return [entries == (Entry("a"),), thread.is_alive()]

    assert asyncio.run(scenario()) == [True, False]


def test_run_comes_back_after_the_bus_does(bus: DbusDaemon) -> None:
    icon = Icon("credtray", RED)
    thread = threading.Thread(target=icon.run)

    async def once(*, then_kill: bool) -> str:
        async with watching() as watcher:
            if not thread.is_alive():
                thread.start()
            item = await watcher.item()
            if then_kill:
                bus.kill()
            return item

    asyncio.run(once(then_kill=True))
    bus.start()
    item = asyncio.run(once(then_kill=False))
    icon.stop()
    thread.join(5)

    assert item
    assert not thread.is_alive()


def test_setup_is_called_with_the_icon_and_shows_it_when_it_wants(bus: DbusDaemon) -> None:
    async def scenario() -> str:
        async with watching() as watcher:
            icon = Icon("credtray", RED)
            icon.run_detached(lambda given: setattr(given, "visible", True))
            item = await watcher.item()
            icon.stop()
            await icon.gone()
            return item

    assert run(scenario())


def test_detached_it_needs_a_running_loop() -> None:
    with pytest.raises(NotImplementedError, match="asyncio"):
        Icon("credtray", RED).run_detached(lambda _: None)


def test_stopped_before_it_began_it_never_shows(bus: DbusDaemon) -> None:
    async def scenario() -> list[str]:
        async with watching() as watcher:
            icon = Icon("credtray", RED)
            icon.run_detached()
            icon.stop()
            await icon.gone()
            return watcher.items

    assert run(scenario()) == []
