"""Presence on macOS and Windows, with stand-ins of what these systems offer: they are not at hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from types import SimpleNamespace
from typing import Any

from credtray.core.ports import DesktopPart, Presence
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.presence import PresenceWatch
from credtray.desktop.presence.macos import follow_macos
from credtray.desktop.presence.sightings import Sightings
from credtray.desktop.presence.windows import follow_windows
from tests.desktop.notification_fakes import until
from tests.desktop.presence_fakes import Watched


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


class FakeUser32:
    """user32.dll."""

    def __init__(self) -> None:
        self.locked = False
        self.open = 0

    def OpenInputDesktop(self, _flags: int, _inherit: object, _access: int) -> int:  # noqa: N802 - theirs
        self.open += not self.locked
        return 0 if self.locked else 77

    def CloseDesktop(self, desktop: int) -> None:  # noqa: N802 - theirs
        assert desktop == 77
        self.open -= 1


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


def test_windows_tells_a_locked_desktop_and_leaves_none_open() -> None:
    async def drive() -> None:
        user32 = FakeUser32()
        async with following(lambda sightings: follow_windows(sightings, lambda: user32, 0.01)) as seen:
            await seen.uses("Windows")
            user32.locked = True
            await seen.becomes(locked=True)
            user32.locked = False
            await seen.becomes()

            assert seen.told == [Presence(locked=True), Presence()]
        assert user32.open == 0

    asyncio.run(drive())


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
