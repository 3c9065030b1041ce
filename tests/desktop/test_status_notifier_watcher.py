"""Panels that drop the icon and keep their name: it comes back, and what is told of it is true."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from credtray.desktop.bus.session import SessionBus
from credtray.desktop.tray import status_notifier
from credtray.desktop.tray.status_notifier import DROPPED, NO_HOST, REFUSED, Registration
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.panel_fakes import DAEMON, FakeWatcher, until, watching

pytestmark = pytest.mark.linux_desktop("D-Bus")

NAME = "org.kde.StatusNotifierItem-1-1"


class Icon:
    """A registration, and what it tells."""

    def __init__(self, registration: Registration, told: list[str | None]) -> None:
        self.registration = registration
        self.told = told

    async def until_told(self, *wanted: str | None) -> None:
        async def told() -> bool:
            return tuple(self.told[-len(wanted) :]) == wanted

        await until(told)


@contextlib.asynccontextmanager
async def registered() -> AsyncIterator[tuple[FakeWatcher, Icon]]:
    """An icon that a panel has taken."""
    bus = SessionBus()
    told: list[str | None] = []
    async with watching() as watcher:
        connection = await bus.connection()
        await connection.call(*DAEMON, "RequestName", "su", [NAME, 0])
        registration = Registration(connection, NAME, told.append)
        keeping = asyncio.create_task(registration.keep())
        icon = Icon(registration, told)
        await watcher.item()
        await icon.until_told(None)
        try:
            yield watcher, icon
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await bus.close()


def run(scenario: Callable[[FakeWatcher, Icon], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        async with registered() as (watcher, icon):
            return await scenario(watcher, icon)

    return asyncio.run(inside())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch, bus: DbusDaemon) -> None:
    monkeypatch.setattr(status_notifier, "DROPPED_SECONDS", (0.0, 0.0, 0.0, 3600.0))
    monkeypatch.setattr(status_notifier, "AGAIN_SECONDS", (0.0,))


@pytest.mark.met("F20")
def test_an_icon_that_was_dropped_registers_again_while_the_panel_keeps_its_name() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.drop()
        watcher.host(there=True)
        await watcher.item(2)
        await icon.until_told(DROPPED, None)

        assert watcher.items == [NAME, NAME]

    run(scenario)


@pytest.mark.met("F20")
def test_a_host_that_starts_anew_and_forgot_the_icon_without_a_word_gets_it_again() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.drop(silently=True)
        watcher.host(there=True)
        await watcher.item(2)
        await icon.until_told(DROPPED, None)

    run(scenario)


@pytest.mark.met("F20")
def test_after_a_sleep_an_icon_that_is_missing_registers_again() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.drop(silently=True)
        icon.registration.doubt()
        await watcher.item(2)
        await icon.until_told(DROPPED, None)

    run(scenario)


@pytest.mark.met("F20")
def test_an_icon_that_is_dropped_twice_comes_back_twice() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        for count in (2, 3):
            watcher.drop()
            await watcher.item(count)
            await icon.until_told(None)

    run(scenario)


@pytest.mark.met("F20")
def test_a_panel_that_throws_the_icon_out_each_time_is_not_fought_with() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.drops = True
        watcher.drop()
        await watcher.item(4)
        await icon.until_told(DROPPED)
        watcher.host(there=True)
        watcher.drop()
        await asyncio.sleep(0.2)

        assert len(watcher.items) == 4
        assert icon.told[-1] == DROPPED
        watcher.drops = False
        icon.registration.doubt()  # the machine has slept: the panel may be another one
        await watcher.item(5)
        await icon.until_told(None)

    run(scenario)


@pytest.mark.met("F20")
def test_without_the_part_that_draws_icons_it_says_so_and_does_not_register_again() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.host(there=False)
        await icon.until_told(NO_HOST)
        watcher.host(there=True)
        await icon.until_told(None)

        assert watcher.items == [NAME]

    run(scenario)


@pytest.mark.met("F20")
def test_a_watcher_that_answers_with_an_error_is_asked_again_and_its_refusal_told() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.refusing = 3
        watcher.drop()
        await watcher.item(2)
        await icon.until_told(REFUSED, None)

    run(scenario)


def test_a_watcher_without_properties_is_believed_when_it_says_that_the_icon_is_gone() -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.has_properties = False
        watcher.tell("StatusNotifierItemUnregistered", "s", [icon.registration._connection.unique_name])
        await watcher.item(2)

    run(scenario)


@pytest.mark.parametrize("other", ["org.kde.StatusNotifierItem-1-11/StatusNotifierItem", ":1.9999/x", ""])
def test_what_happens_to_other_icons_changes_nothing(other: str) -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.has_properties = False
        watcher.tell("StatusNotifierItemUnregistered", "s", [other])
        icon.registration.doubt()
        await asyncio.sleep(0.1)

        assert watcher.items == [NAME]
        assert icon.told[-1] is None

    run(scenario)


@pytest.mark.parametrize(
    "form", ["{name}", "{name}/StatusNotifierItem", "{unique}/StatusNotifierItem", "{unique}@/x"]
)
def test_the_icon_is_known_however_the_watcher_writes_it(form: str) -> None:
    async def scenario(watcher: FakeWatcher, icon: Icon) -> None:
        watcher.shown = [form.format(name=NAME, unique=icon.registration._connection.unique_name)]
        icon.registration.doubt()
        await asyncio.sleep(0.1)

        assert watcher.items == [NAME]

    run(scenario)
