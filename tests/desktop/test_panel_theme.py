"""What is found out about the panel, with a settings portal on a real bus: new, old, restarted, of no use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from dbus_fast import Message, Variant

from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.icon import Panel
from credtray.desktop.panel_theme import (
    KEY,
    NAMESPACE,
    PORTAL,
    PORTAL_PATH,
    SETTINGS,
    panel_for,
    system_panel,
    wanted_panel,
    watch_theme,
)
from tests.desktop.dbus_daemon import DbusDaemon

pytestmark = pytest.mark.linux_desktop("D-Bus and GTK")

DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class Portal:
    """Answers as xdg-desktop-portal does; ``knows`` says which methods, so how old it is."""

    def __init__(
        self, connection: Connection, scheme: int, knows: tuple[str, ...] = ("ReadOne", "Read")
    ) -> None:
        self._connection = connection
        self._knows = knows
        self.scheme = scheme
        self.asked = asyncio.Event()

    async def start(self) -> None:
        self._connection.export(PORTAL_PATH, self._handle)
        await self._connection.call(*DAEMON, "RequestName", "su", [PORTAL, 0])

    async def stop(self) -> None:
        await self._connection.call(*DAEMON, "ReleaseName", "s", [PORTAL])

    def change(self, scheme: int, namespace: str = NAMESPACE, key: str = KEY) -> None:
        self.scheme = scheme
        body = [namespace, key, Variant("u", scheme)]
        self._connection.emit(PORTAL_PATH, SETTINGS, "SettingChanged", "ssv", body)

    def _handle(self, message: Message) -> Message | None:
        self.asked.set()
        if message.member not in self._knows or message.body != [NAMESPACE, KEY]:
            return None
        value = Variant("u", self.scheme)
        return Message.new_method_return(
            message, "v", [value if message.member == "ReadOne" else Variant("v", value)]
        )


class Heard:
    """What the watch told, in order."""

    def __init__(self) -> None:
        self.panels: list[Panel] = []
        self._more = asyncio.Event()

    def __call__(self, panel: Panel) -> None:
        self.panels.append(panel)
        self._more.set()

    async def until(self, *panels: Panel) -> None:
        async with asyncio.timeout(60):
            while self.panels != list(panels):
                self._more.clear()
                await self._more.wait()


@contextlib.asynccontextmanager
async def watching(desktop: str = "XFCE") -> AsyncIterator[Heard]:
    bus, heard = SessionBus(), Heard()
    task = asyncio.create_task(watch_theme(bus, heard, {"XDG_CURRENT_DESKTOP": desktop}))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait({task})
        await bus.close()


def with_portal(
    scenario: Callable[[Portal, Heard], Awaitable[None]], scheme: int, **parts: Any
) -> list[Panel]:
    """Run the scenario beside a portal that is there from the beginning; return what was heard."""

    async def run() -> list[Panel]:
        theirs = SessionBus()
        try:
            portal = Portal(await theirs.connection(), scheme, **parts)
            await portal.start()
            async with watching() as heard:
                await scenario(portal, heard)
                return heard.panels
        finally:
            await theirs.close()

    return asyncio.run(run())


@pytest.mark.parametrize("knows", [("ReadOne", "Read"), ("Read",)], ids=["new portal", "old portal"])
def test_portal_is_asked_and_then_listened_to(bus: DbusDaemon, knows: tuple[str, ...]) -> None:
    async def scenario(portal: Portal, heard: Heard) -> None:
        await heard.until(Panel.AUTO, Panel.DARK)
        portal.change(2)
        await heard.until(Panel.AUTO, Panel.DARK, Panel.LIGHT)

    assert with_portal(scenario, 1, knows=knows) == [Panel.AUTO, Panel.DARK, Panel.LIGHT]


def test_other_settings_and_the_same_again_say_nothing(bus: DbusDaemon) -> None:
    async def scenario(portal: Portal, heard: Heard) -> None:
        await heard.until(Panel.AUTO, Panel.DARK)
        portal.change(2, key="contrast")
        portal.change(2, namespace="org.gnome.desktop.interface")
        portal.change(1)
        portal.change(2)
        await heard.until(Panel.AUTO, Panel.DARK, Panel.LIGHT)

    assert with_portal(scenario, 1) == [Panel.AUTO, Panel.DARK, Panel.LIGHT]


def test_portal_that_comes_back_is_asked_again(bus: DbusDaemon) -> None:
    async def scenario(portal: Portal, heard: Heard) -> None:
        await heard.until(Panel.AUTO, Panel.DARK)
        await portal.stop()
        portal.scheme = 2
        await portal.start()
        await heard.until(Panel.AUTO, Panel.DARK, Panel.LIGHT)

    assert with_portal(scenario, 1) == [Panel.AUTO, Panel.DARK, Panel.LIGHT]


def test_portal_that_knows_no_settings_leaves_it_open(bus: DbusDaemon) -> None:
    async def scenario(portal: Portal, heard: Heard) -> None:
        await portal.asked.wait()
        portal.change(1)
        await heard.until(Panel.AUTO, Panel.DARK)

    assert with_portal(scenario, 2, knows=()) == [Panel.AUTO, Panel.DARK]


def test_bus_that_comes_back_is_used_again(bus: DbusDaemon) -> None:
    async def run() -> list[Panel]:
        async with watching() as heard:
            await heard.until(Panel.AUTO)
            bus.kill()
            bus.start()
            theirs = SessionBus()
            portal = Portal(await theirs.connection(), 2)
            await portal.start()
            await heard.until(Panel.AUTO, Panel.LIGHT)
            await theirs.close()
            return heard.panels

    assert asyncio.run(run()) == [Panel.AUTO, Panel.LIGHT]


def test_without_a_bus_the_panel_is_unknown() -> None:
    async def run() -> None:
        async with watching() as heard:
            await heard.until(Panel.AUTO)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("scheme", "desktops", "panel"),
    [
        (1, "KDE", Panel.DARK),
        (1, "ubuntu:GNOME", Panel.DARK),
        (2, "KDE", Panel.LIGHT),
        (2, "", Panel.LIGHT),
        (2, "ubuntu:GNOME", Panel.AUTO),
        (0, "XFCE", Panel.AUTO),
        (7, "XFCE", Panel.AUTO),
        ("dark", "XFCE", Panel.AUTO),
        (None, "XFCE", Panel.AUTO),
    ],
)
def test_panel_follows_the_programs_where_that_is_known(scheme: object, desktops: str, panel: Panel) -> None:
    assert panel_for(scheme, desktops) is panel


@pytest.mark.parametrize("found", Panel)
def test_the_setting_wins(found: Panel) -> None:
    assert [wanted_panel(setting, found) for setting in ("auto", "light", "dark")] == [
        found,
        Panel.LIGHT,
        Panel.DARK,
    ]


def test_only_windows_has_a_panel_of_its_own_to_ask_for() -> None:
    assert system_panel() is Panel.AUTO
