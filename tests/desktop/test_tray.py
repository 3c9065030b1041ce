"""The tray on a real bus and a real X server, with panels that come, go, restart and crash us."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from credtray.core.clicks import About, Click
from credtray.core.icon_state import IconState, Shape
from credtray.core.ports import DesktopPart, Part
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.tray import Tray
from credtray.desktop.tray import linux as tray_linux
from credtray.menu import Item, Kind
from credtray.menu.tray_view import TrayView
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.panel_fakes import Entry, FakeWatcher, MenuHost, watching
from tests.desktop.x_tray import windows_called, x_tray
from tests.desktop.xvfb import Xvfb, xvfb

pytestmark = pytest.mark.linux_desktop("trays of X11 and D-Bus")

FACE = TrayView(
    IconState(Shape.FRESH, 9),
    "credtray: signed in",
    (Item("about", Kind.COMMAND, "About credtray", About()),),
)
BACK_SECONDS = 60.0
"""So soon the icon is back after a panel has started."""


@pytest.fixture(scope="module")
def screen() -> Iterator[Xvfb]:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    with xvfb() as running:
        yield running


class Stage:
    """A tray that runs, what it reports and what is clicked."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.reports: list[DesktopPart] = []
        self.clicks: list[Click] = []
        self.fresh = FACE
        self.bus = SessionBus()
        self.tray = Tray(self.bus, self.clicks.append, self.reports.append, lambda: self.fresh, environ)

    async def served_by(self, back_end: str | None, seconds: float = 60.0) -> DesktopPart:
        """Wait until the tray is served so; return what was reported."""
        await self.until(lambda: bool(self.reports) and self.reports[-1].back_end == back_end, seconds)
        return self.reports[-1]

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - things other processes do
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def staged(**environ: str) -> AsyncIterator[Stage]:
    """The tray runs while the block does; afterwards nothing of it is left."""
    stage = Stage(environ)
    stage.tray.show(FACE)
    running = asyncio.create_task(stage.tray.run())
    try:
        yield stage
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})
        await stage.bus.close()
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("tray")] == []
    await stage.until(lambda: all(each.name != "tray" for each in threading.enumerate()))


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


async def host_of(watcher: FakeWatcher, count: int = 1) -> MenuHost:
    return MenuHost(watcher.connection, await watcher.item(count))


# --- on the bus ----------------------------------------------------------------------------------------


def test_panel_shows_the_menu_and_a_click_arrives(bus: DbusDaemon) -> None:
    async def story() -> None:
        async with watching() as watcher, staged() as stage:
            host = await host_of(watcher)

            assert await host.open() == (Entry("About credtray"),)
            assert await stage.served_by("status_notifier") == DesktopPart(Part.TRAY, "status_notifier")

            await host.click("About credtray")
            await stage.until(lambda: stage.clicks == [About()])

    play(story())


def test_panel_that_starts_later_gets_the_icon(bus: DbusDaemon) -> None:
    async def story() -> None:
        async with staged() as stage:
            none = await stage.served_by(None)

            assert "no panel" in (none.reason or "")
            assert "DISPLAY" in (none.reason or "")

            async with watching() as watcher:
                await stage.served_by("status_notifier", BACK_SECONDS)
                await watcher.item()
            await stage.served_by(None)

    play(story())


def test_menu_is_the_one_of_the_moment_it_is_opened(bus: DbusDaemon) -> None:
    async def story() -> None:
        async with watching() as watcher, staged() as stage:
            host = await host_of(watcher)
            stage.fresh = replace(FACE, menu=(Item("left", Kind.TEXT, "3 min left"),))

            assert await host.open() == (Entry("3 min left", enabled=False),)

    play(story())


def test_equal_faces_are_not_sent_again_and_the_picture_only_when_it_is_another(bus: DbusDaemon) -> None:
    async def story() -> None:
        async with watching() as watcher, staged() as stage:
            host = await host_of(watcher)
            await host.open()
            async with host.listening():
                stage.tray.show(replace(FACE))
                stage.tray.show(replace(FACE, tooltip="credtray: ends in 9 min"))
                await host.until_heard("NewToolTip")
                stage.tray.show(replace(FACE, look=IconState(Shape.SOON, 2)))
                await host.until_heard("NewIcon")

            assert host.heard.index("NewToolTip") < host.heard.index("NewIcon")
            assert set(host.heard) == {"NewToolTip", "NewIcon"}

    play(story())


def test_bus_that_restarts_gets_the_icon_again(bus: DbusDaemon) -> None:
    async def story() -> None:
        async with staged() as stage:
            async with watching() as watcher:
                await watcher.item()
                bus.kill()
                lost = await stage.served_by(None)
            bus.start()
            async with watching() as watcher:
                await watcher.item()
                await stage.served_by("status_notifier")

            assert lost.reason

    play(story())


def test_crashes_in_a_row_fall_to_the_next_kind_of_tray(
    bus: DbusDaemon, screen: Xvfb, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    began: list[str] = []

    async def crash(*_: object) -> str:
        began.append("status_notifier")
        raise RuntimeError("planted")

    monkeypatch.setattr(tray_linux, "live_as_status_notifier", crash)
    monkeypatch.setattr(tray_linux, "PAUSES", (0.01,))

    async def story() -> None:
        with x_tray(screen.address):
            async with watching(), staged(DISPLAY=screen.address) as stage:
                part = await stage.served_by("xembed")

                assert len(began) == tray_linux.CRASHES
                assert "failed several times" in (part.reason or "")

    play(story())

    # asyncio may tell of a future of an earlier test's bus.
    failures = [record.getMessage() for record in caplog.records if record.name.startswith("credtray")]

    assert failures == ["the tray icon (status_notifier) failed"] * tray_linux.CRASHES


def test_tray_that_cannot_look_for_panels_any_more_ends_instead_of_waiting_for_ever() -> None:
    class Broken(SessionBus):
        async def connection(self) -> Connection:
            raise RuntimeError("planted")

    async def story() -> None:
        tray = Tray(Broken(), lambda _click: None, lambda _part: None, environ={})
        async with asyncio.timeout(60):
            await tray.run()

    with pytest.raises(RuntimeError, match="planted"):
        play(story())


# --- with X ------------------------------------------------------------------------------------------------


def test_x_tray_serves_until_a_better_panel_comes_and_again_when_it_has_gone(
    bus: DbusDaemon, screen: Xvfb
) -> None:
    async def story() -> None:
        with x_tray(screen.address):
            async with staged(DISPLAY=screen.address) as stage:
                await stage.served_by("xembed", BACK_SECONDS)
                async with watching() as watcher:
                    await watcher.item()
                    await stage.served_by("status_notifier", BACK_SECONDS)
                    await stage.until(lambda: windows_called(screen.address, "credtray") == [])
                await stage.served_by("xembed", BACK_SECONDS)

    play(story())

    assert windows_called(screen.address, "credtray") == []


def test_panel_that_restarts_does_not_send_the_icon_to_the_x_tray(bus: DbusDaemon, screen: Xvfb) -> None:
    async def story() -> None:
        with x_tray(screen.address):
            async with watching() as watcher, staged(DISPLAY=screen.address) as stage:
                await watcher.item()
                await watcher.stop()
                await asyncio.sleep(tray_linux.SETTLE_SECONDS / 4)
                await watcher.start()
                await watcher.item()
                await asyncio.sleep(tray_linux.SETTLE_SECONDS * 1.2)

                assert [part.back_end for part in stage.reports] == ["status_notifier"]

    play(story())


def test_x_tray_alone_serves_without_any_bus(screen: Xvfb) -> None:
    async def story() -> None:
        async with staged(DISPLAY=screen.address) as stage:
            none = await stage.served_by(None)

            assert f"the X server {screen.address} has no tray for it" in (none.reason or "")

            with x_tray(screen.address):
                await stage.served_by("xembed", BACK_SECONDS)
            await stage.served_by(None)

    play(story())


def test_x_server_that_dies_is_told_and_tried_again() -> None:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")

    async def story(dying: Xvfb) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(x_tray(dying.address))
            async with staged(DISPLAY=dying.address) as stage:
                await stage.served_by("xembed")
                dying.kill()
                gone = await stage.served_by(None)
                await stage.until(lambda: len(stage.reports) >= 3)

        assert gone.reason == "the icon in the X11 tray ended: the X server has closed the connection"
        assert "no X server listens" in (stage.reports[2].reason or "")

    with xvfb() as dying:
        play(story(dying))


def test_nothing_to_show_an_icon_with_says_why() -> None:
    async def story() -> None:
        async with staged() as stage:
            part = await stage.served_by(None)

            assert "DBUS_SESSION_BUS_ADDRESS is not set" in (part.reason or "")
            assert "DISPLAY is not set" in (part.reason or "")

    play(story())
