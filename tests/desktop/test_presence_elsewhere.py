"""Presence on macOS and Windows, with stand-ins of what these systems offer: they are not at hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from credtray.core.ports import DesktopPart, Presence
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.presence import PresenceWatch
from credtray.desktop.presence.macos import follow_macos
from credtray.desktop.presence.sightings import Sightings
from credtray.desktop.presence.windows import (
    WM_POWERBROADCAST,
    WM_WTSSESSION_CHANGE,
    ThisWindows,
    follow_windows,
)
from tests.desktop.presence_fakes import Watched
from tests.desktop.until import until


class FakeCenter:
    """NSNotificationCenter."""

    def __init__(self) -> None:
        self.observers: dict[str, Callable[[object], None]] = {}

    def addObserverForName_object_queue_usingBlock_(  # noqa: N802 - Apple's name
        self, name: str, _object: object, _queue: object, block: Callable[[object], None]
    ) -> str:
        self.observers[name] = block
        return name

    def removeObserver_(self, observer: str) -> None:  # noqa: N802 - Apple's name
        del self.observers[observer]


class FakeMac:
    """Quartz, Foundation and AppKit, as far as they are used."""

    def __init__(self, session: dict[str, Any] | None) -> None:
        self.screen, self.machine = FakeCenter(), FakeCenter()
        workspace = SimpleNamespace(notificationCenter=lambda: self.machine)
        self.CGSessionCopyCurrentDictionary = lambda: session
        self.NSDistributedNotificationCenter = SimpleNamespace(defaultCenter=lambda: self.screen)
        self.NSWorkspace = SimpleNamespace(sharedWorkspace=lambda: workspace)
        self.kCGSessionOnConsoleKey = "kCGSSessionOnConsoleKey"
        for happened in ("WillSleep", "DidWake", "SessionDidResignActive", "SessionDidBecomeActive"):
            name = f"NSWorkspace{happened}Notification"
            setattr(self, name, name)

    def load(self, _name: str) -> Any:
        return self


class FakeWindows(ThisWindows):
    """Windows, as far as it is asked; its messages come from another thread."""

    def __init__(self, *, tells: bool = True) -> None:
        self.locked = False
        self.tells = tells
        self.heard: Callable[[int, int], None] | None = None

    def is_locked(self) -> bool:
        return self.locked

    @contextlib.contextmanager
    def telling(self, heard: Callable[[int, int], None]) -> Iterator[bool]:
        self.heard = heard
        try:
            yield self.tells
        finally:
            self.heard = None

    async def say(self, message: int, wparam: int) -> None:
        assert self.heard is not None
        await asyncio.to_thread(self.heard, message, wparam)


class WindowlessWindows(FakeWindows):
    """A session that makes no windows, as a service's."""

    @contextlib.contextmanager
    def telling(self, heard: Callable[[int, int], None]) -> Iterator[bool]:
        if self.heard is None:
            raise OSError("no window")
        yield False


@contextlib.asynccontextmanager
async def following(follow: Callable[[Sightings], Coroutine[Any, Any, None]]) -> AsyncIterator[Watched]:
    seen = Watched()
    task = asyncio.create_task(follow(Sightings(seen.told.append, seen.parts.append)))
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_macos_tells_lock_and_sleep() -> None:
    async def drive() -> None:
        mac = FakeMac({"CGSSessionScreenIsLocked": True})
        async with following(lambda sightings: follow_macos(sightings, mac.load)) as seen:
            await seen.becomes(locked=True)
            mac.screen.observers["com.apple.screenIsUnlocked"](None)
            await seen.becomes()
            mac.machine.observers["NSWorkspaceWillSleepNotification"](None)
            await seen.becomes(asleep=True)
            mac.screen.observers["com.apple.screenIsLocked"](None)
            await seen.becomes(asleep=True, locked=True)
            mac.machine.observers["NSWorkspaceDidWakeNotification"](None)
            await seen.becomes(locked=True)

            assert seen.sources == "macOS"
        assert mac.screen.observers | mac.machine.observers == {}

    asyncio.run(drive())


def test_macos_tells_when_another_user_has_the_screen() -> None:
    async def drive() -> None:
        mac = FakeMac({"kCGSSessionOnConsoleKey": False})
        async with following(lambda sightings: follow_macos(sightings, mac.load)) as seen:
            await seen.becomes(idle=True)
            mac.machine.observers["NSWorkspaceSessionDidBecomeActiveNotification"](None)
            await seen.becomes()
            mac.machine.observers["NSWorkspaceSessionDidResignActiveNotification"](None)
            await seen.becomes(idle=True)

    asyncio.run(drive())


def test_macos_without_a_session_of_its_own_counts_as_present() -> None:
    async def drive() -> None:
        async with following(lambda sightings: follow_macos(sightings, FakeMac(None).load)) as seen:
            await seen.uses("macOS")

            assert seen.now == Presence()

    asyncio.run(drive())


SESSION, POWER = WM_WTSSESSION_CHANGE, WM_POWERBROADCAST


def test_windows_tells_lock_sleep_and_who_has_the_screen_without_being_asked_again() -> None:
    async def drive() -> None:
        system = FakeWindows()
        system.locked = True
        async with following(lambda sightings: follow_windows(sightings, system)) as seen:
            await seen.becomes(locked=True)
            system.locked = False  # nobody looks: it is told
            for message, wparam, expected in (
                (POWER, 4, {"locked": True, "asleep": True}),
                (POWER, 18, {"locked": True}),
                (SESSION, 8, {}),
                (SESSION, 2, {"idle": True}),
                (SESSION, 1, {}),
                (SESSION, 4, {"idle": True}),
                (SESSION, 3, {}),
                (SESSION, 7, {"locked": True}),
            ):
                await system.say(message, wparam)
                await seen.becomes(**expected)
            await system.say(SESSION, 5)
            await system.say(POWER, 10)

            assert (seen.now, seen.sources) == (Presence(locked=True), "Windows")
        assert system.heard is None

    asyncio.run(drive())


@pytest.mark.parametrize(
    "system", [FakeWindows(tells=False), WindowlessWindows()], ids=["refused", "windowless"]
)
def test_windows_that_does_not_tell_of_a_lock_is_asked_again_and_again(system: FakeWindows) -> None:
    async def drive() -> None:
        async with following(lambda sightings: follow_windows(sightings, system, 0.01)) as seen:
            await seen.uses("Windows")
            system.locked = True
            await seen.becomes(locked=True)
            system.locked = False
            await seen.becomes()

    asyncio.run(drive())


@pytest.mark.linux_desktop("D-Bus")
def test_a_system_that_offers_nothing_keeps_nobody_away_and_is_told() -> None:
    async def drive(platform: str) -> list[DesktopPart]:
        seen = Watched()
        buses = SessionBus(address="unix:path=/nowhere"), SessionBus(address="unix:path=/nowhere")
        watch = PresenceWatch(*buses, seen.told.append, seen.parts.append, platform)
        task = asyncio.create_task(watch.run())
        await until(lambda: seen.parts)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert seen.told == []
        return seen.parts

    for platform in ("darwin", "win32"):
        [part] = asyncio.run(drive(platform))

        assert part.back_end is None
