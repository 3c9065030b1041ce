"""A notification daemon that does what it is told, also wrongly, and an agent's side that talks to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Message, MessageType, NameFlag
from dbus_fast.aio import MessageBus
from dbus_fast.unpack import unpack_variants

from credtray.core.clicks import Click
from credtray.core.ports import DesktopPart, Notification
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.notifications.freedesktop import DesktopNotifier
from tests.desktop.until import until

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


@dataclass(frozen=True, slots=True)
class Notified:
    """One call of Notify."""

    app_name: str
    replaces: int
    icon: str
    title: str
    body: str
    actions: list[str]
    hints: dict[str, Any]
    expires: int

    @property
    def labels(self) -> dict[str, str]:
        return dict(zip(self.actions[::2], self.actions[1::2], strict=True))


@dataclass
class FakeDaemon:
    """org.freedesktop.Notifications in this process, on a connection of its own."""

    address: str
    capabilities: Sequence[str] = ("actions", "body", "body-markup")
    server: str = "fake"
    version: str = "1.2"
    """Of the specification."""
    refuses: str | None = None
    """The text of the error that answers Notify."""
    slot: int | None = None
    """The one number it has for all its notifications."""
    owns: bool = True
    """False: it only pretends to be the daemon."""
    rubbish: tuple[str, list[Any]] | None = None
    """Signature and body that answer everything."""
    notified: list[Notified] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_screen: dict[int, Notified] = field(default_factory=dict)
    hangs: bool = False

    def __post_init__(self) -> None:
        self._bus: MessageBus | None = None
        self._unanswered: list[Message] = []
        self._last = 0

    async def start(self) -> FakeDaemon:
        self._last = 0  # as real ones do
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.add_message_handler(self._received)
        if self.owns:
            await self._bus.request_name(NAME, NameFlag.REPLACE_EXISTING | NameFlag.ALLOW_REPLACEMENT)
        return self

    async def die(self) -> None:
        """Vanish, with everything on the screen."""
        self.on_screen.clear()
        self._unanswered.clear()
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()
            with contextlib.suppress(EOFError, OSError):  # the bus itself may be gone
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast forgot the types

    def wake(self) -> None:
        """Hang no longer, and take what waited."""
        self.hangs = False
        waiting, self._unanswered = self._unanswered, []
        for message in waiting:
            assert self._bus is not None
            self._bus.send(self._answer(message))

    def click(self, number: int, action: Any, signature: str = "us") -> None:
        self.emit("ActionInvoked", signature, [number, action])

    def expire(self, number: int) -> None:
        self.on_screen.pop(number, None)
        self.emit("NotificationClosed", "uu", [number, 1])

    def emit(self, member: str, signature: str, body: list[Any]) -> None:
        assert self._bus is not None
        self._bus.send(Message.new_signal(PATH, NAME, member, signature, body))

    def _received(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != NAME:
            return None
        self.asked.append(message.member or "")
        if self.hangs:
            self._unanswered.append(message)
            return True
        return self._answer(message)

    def _answer(self, message: Message) -> Message:
        if self.rubbish is not None:
            return Message.new_method_return(message, *self.rubbish)
        match message.member:
            case "GetCapabilities":
                return Message.new_method_return(message, "as", [list(self.capabilities)])
            case "GetServerInformation":
                return Message.new_method_return(message, "ssss", [self.server, "tests", "1", self.version])
            case "CloseNotification":
                [number] = message.body
                self.closed.append(number)
                self.on_screen.pop(number, None)
                return Message.new_method_return(message)
            case _:
                return self._notify(message)

    def _notify(self, message: Message) -> Message:
        if self.refuses is not None:
            return Message.new_error(message, f"{NAME}.Error.Refused", self.refuses)
        notified = Notified(*unpack_variants(message.body))
        self.notified.append(notified)
        if notified.replaces in self.on_screen:
            number = notified.replaces
        else:
            self._last = self.slot or self._last + 1
            number = self._last
        self.on_screen[number] = notified
        return Message.new_method_return(message, "u", [number])


@dataclass
class Callbacks:
    """A running notifier, and what it told the agent."""

    notifier: DesktopNotifier
    clicks: list[Click]
    parts: list[DesktopPart]

    @property
    def part(self) -> DesktopPart | None:
        return self.parts[-1] if self.parts else None

    async def show(self, notification: Notification) -> None:
        await asyncio.to_thread(self.notifier.show, notification)

    async def withdraw(self, key: str) -> None:
        await asyncio.to_thread(self.notifier.withdraw, key)

    async def served(self) -> None:
        """Wait until somebody shows notices."""
        await until(lambda: self.part is not None and self.part.back_end is not None)

    async def unserved(self) -> None:
        await until(lambda: self.part is not None and self.part.back_end is None)


@contextlib.asynccontextmanager
async def told(address: str | None = None) -> AsyncIterator[Callbacks]:
    """Run a notifier as the agent does; at the end nothing of it is left."""
    bus = SessionBus(address=address)
    clicks: list[Click] = []
    parts: list[DesktopPart] = []
    notifier = DesktopNotifier(bus, clicks.append, parts.append)
    running = asyncio.create_task(notifier.run())
    try:
        yield Callbacks(notifier, clicks, parts)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()
        assert {task for task in asyncio.all_tasks() if task.get_name() == "notification"} == set()


@contextlib.asynccontextmanager
async def daemon_on(address: str, **traits: Any) -> AsyncIterator[FakeDaemon]:
    daemon = await FakeDaemon(address, **traits).start()
    try:
        yield daemon
    finally:
        await daemon.die()


@contextlib.asynccontextmanager
async def shown_by(address: str, **traits: Any) -> AsyncIterator[tuple[FakeDaemon, Callbacks]]:
    """Give a daemon and a notifier that has found it."""
    async with daemon_on(address, **traits) as daemon, told(address) as agent:
        await agent.served()
        yield daemon, agent
