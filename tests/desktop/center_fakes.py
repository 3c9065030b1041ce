"""desktop-notifier and plyer as they behave, without their systems; and a notifier that uses them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import types
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from credtray.core.clicks import Click
from credtray.core.ports import DesktopPart, Notification
from credtray.desktop.balloons import BalloonBoard
from credtray.desktop.notifications.native import NativeNotifier
from credtray.desktop.notifications.windows import ThisWindows, WindowsNotifier
from tests.desktop.until import until

ACCEPTS = 5
"""QUNS_ACCEPTS_NOTIFICATIONS."""


@dataclass(frozen=True)
class FakeButton:
    """desktop_notifier.Button."""

    title: str
    identifier: str
    on_pressed: Callable[[], None] | None = None


@dataclass(frozen=True)
class FakeNotification:
    """desktop_notifier.Notification."""

    title: str
    message: str
    urgency: Enum
    buttons: tuple[FakeButton, ...]
    on_dispatched: Callable[[], None]
    identifier: str
    on_clicked: Callable[[], None] | None = None
    icon: Path | None = None
    attachment: Path | None = None


class FakeUrgency(Enum):
    """desktop_notifier.Urgency."""

    Critical = "critical"
    Normal = "normal"
    Low = "low"


@dataclass
class FakeCenter:
    """desktop_notifier, module and DesktopNotifier in one: it never raises, as that does not."""

    capable: bool = True
    allowed: bool = True
    fails: bool = False
    hangs: bool = False
    missing: bool = False
    name: str = ""
    """The AppUserModelID, on Windows."""
    on_screen: dict[str, FakeNotification] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    """Identifiers of what the system has moved to its notification center."""
    on_clicked: Callable[[str], None] | None = None
    on_button_pressed: Callable[[str, str], None] | None = None
    sent: list[FakeNotification] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def load(self, name: str) -> Any:
        assert name == "desktop_notifier"
        if self.missing:
            raise ImportError(name)
        return types.SimpleNamespace(
            DesktopNotifier=self._made,
            Icon=lambda path: path,
            Attachment=lambda path: path,
            Button=FakeButton,
            Notification=FakeNotification,
            Urgency=FakeUrgency,
        )

    def _made(self, name: str, _icon: object) -> FakeCenter:
        self.name = name
        return self

    def click(self, notification: FakeNotification) -> None:
        """Click on it as a person does, with what desktop-notifier makes of that."""
        if notification.on_clicked is not None and notification.identifier not in self.forgotten:
            notification.on_clicked()
        elif self.on_clicked is not None:
            self.on_clicked(notification.identifier)

    def press(self, notification: FakeNotification, number: int) -> None:
        button = notification.buttons[number]
        if button.on_pressed is not None and notification.identifier not in self.forgotten:
            button.on_pressed()
        elif self.on_button_pressed is not None:
            self.on_button_pressed(notification.identifier, button.identifier)

    async def get_capabilities(self) -> frozenset[str]:
        return frozenset({"buttons"} if self.capable else ())

    async def request_authorisation(self) -> bool:
        return self.allowed

    async def send_notification(self, notification: FakeNotification) -> str:
        self.threads.add(threading.current_thread().name)
        if self.hangs:
            await asyncio.sleep(60)
        if not self.fails:
            self.sent.append(notification)
            self.on_screen[notification.identifier] = notification
            notification.on_dispatched()
        return notification.identifier

    async def has_authorisation(self) -> bool:
        return self.allowed

    async def clear_all(self) -> None:
        if self.fails:
            raise OSError("the system is not in the mood")
        self.on_screen.clear()

    async def clear(self, identifier: str) -> None:
        if self.fails:
            raise OSError("the system is not in the mood")
        self.on_screen.pop(identifier, None)


@dataclass
class Running:
    """A running notifier and what it told."""

    notifier: NativeNotifier
    clicks: list[Click]
    parts: list[DesktopPart]

    async def show(self, notification: Notification) -> None:
        await asyncio.to_thread(self.notifier.show, notification)

    async def settled(self) -> DesktopPart:
        await until(lambda: len(self.parts) > 1)
        return self.parts[-1]


@dataclass
class FakeWindows(ThisWindows):
    """What Windows says of the person before it."""

    now: int = ACCEPTS
    taskbar: bool = True
    look_seconds: float = 0.01

    def state(self) -> int:
        return self.now

    def has_taskbar(self) -> bool:
        return self.taskbar


@contextlib.asynccontextmanager
async def running(
    center: FakeCenter,
    platform: str = "darwin",
    programs: str = "/nowhere",
    *,
    balloons: BalloonBoard | None = None,
    system: FakeWindows | None = None,
) -> AsyncIterator[Running]:
    clicks: list[Click] = []
    parts: list[DesktopPart] = []
    notifier: NativeNotifier
    if platform == "win32":
        system = system or FakeWindows()
        notifier = WindowsNotifier(
            balloons or BalloonBoard(), clicks.append, parts.append, center.load, system
        )
    else:
        notifier = NativeNotifier(platform, clicks.append, parts.append, center.load, programs)
    task = asyncio.create_task(notifier.run())
    try:
        yield Running(notifier, clicks, parts)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert "notifications" not in {thread.name for thread in threading.enumerate()}


@dataclass
class FakePlyer:
    """plyer.notification."""

    fails: bool = False
    hold: threading.Event = field(default_factory=threading.Event)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hold.set()

    def notify(self, **what: Any) -> None:
        self.hold.wait(10)
        if self.fails:
            raise NotImplementedError("No usable implementation found!")
        self.shown.append(what)
