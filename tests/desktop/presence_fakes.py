"""Screen savers, a session service and logind that say what they are told, and a watch that listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from credtray.core.ports import DesktopPart, Presence
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.presence import PresenceWatch
from tests.desktop.until import until

if sys.platform == "linux":
    from dbus_fast import Message, MessageType, Variant
    from dbus_fast.aio import MessageBus

LOGIN = "org.freedesktop.login1"
LOGIN_PATH = "/org/freedesktop/login1"
OURS = f"{LOGIN_PATH}/session/_32"
THEIRS = f"{LOGIN_PATH}/session/_33"
PROPERTIES = "org.freedesktop.DBus.Properties"


@dataclass
class FakeService:
    """A service on the bus that answers what it was told to, by (path, member)."""

    address: str
    name: str
    answers: dict[tuple[str, str], tuple[str, list[Any]]] = field(default_factory=dict)
    hangs: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, member) of each call."""

    def __post_init__(self) -> None:
        self._bus: MessageBus | None = None

    async def start(self) -> None:
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.add_message_handler(self._received)
        await self._bus.request_name(self.name)

    async def die(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()
            with contextlib.suppress(EOFError, OSError):  # the bus itself may be gone
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast forgot the types

    def emit(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        assert self._bus is not None
        self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _received(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        self.asked.append((message.path or "", message.member or ""))
        if self.hangs:
            return True
        answer = self.answers.get(self.asked[-1])
        return None if answer is None else Message.new_method_return(message, *answer)


class FakeSaver(FakeService):
    """A screen saver such as org.freedesktop.ScreenSaver."""

    def __init__(
        self, address: str, name: str, path: str, *, active: bool = False, interface: str = ""
    ) -> None:
        super().__init__(address, name)
        self.path, self.interface = path, interface or name
        self.answers[path, "GetActive"] = ("b", [active])

    def say(self, *, active: bool) -> None:
        self.answers[self.path, "GetActive"] = ("b", [active])
        self.emit(self.path, self.interface, "ActiveChanged", "b", [active])


class FakeGnomeSession(FakeService):
    """org.gnome.SessionManager.Presence."""

    PATH = "/org/gnome/SessionManager/Presence"

    def __init__(self, address: str, status: int = 0) -> None:
        super().__init__(address, "org.gnome.SessionManager")
        self.answers[self.PATH, "Get"] = ("v", [Variant("u", status)])

    def say(self, status: int) -> None:
        self.emit(self.PATH, "org.gnome.SessionManager.Presence", "StatusChanged", "u", [status])


class FakeLogind(FakeService):
    """org.freedesktop.login1 with our session and somebody else's."""

    def __init__(self, address: str, kind: str = "x11") -> None:
        super().__init__(address, LOGIN)
        self.hints: dict[str, Any] = {"Type": kind, "LockedHint": False, "IdleHint": False}
        self.found()

    def found(self, path: str = OURS) -> None:
        """Let our session be found."""
        self.answers[LOGIN_PATH, "GetSessionByPID"] = ("o", [path])
        self.answer_hints(path)

    def answer_hints(self, path: str = OURS) -> None:
        values = {
            key: Variant("s" if isinstance(value, str) else "b", value) for key, value in self.hints.items()
        }
        self.answers[path, "GetAll"] = ("a{sv}", [values])

    def hint(self, **hints: bool) -> None:
        self.hints.update(hints)
        self.answer_hints()
        self.stir(OURS, {key: Variant("b", value) for key, value in hints.items()}, [])

    def stir(self, path: str, values: dict[str, Variant], invalidated: list[str]) -> None:
        body = [f"{LOGIN}.Session", values, invalidated]
        self.emit(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)

    def sleep(self, *, begins: bool) -> None:
        self.emit(LOGIN_PATH, f"{LOGIN}.Manager", "PrepareForSleep", "b", [begins])


@dataclass
class Watched:
    """A running watch, and what it told the agent."""

    told: list[Presence] = field(default_factory=list)
    parts: list[DesktopPart] = field(default_factory=list)

    @property
    def now(self) -> Presence:
        return self.told[-1] if self.told else Presence()

    @property
    def sources(self) -> str | None:
        return self.parts[-1].back_end if self.parts else None

    async def becomes(self, **what: bool) -> None:
        await until(lambda: self.now == Presence(**what))

    async def uses(self, sources: str | None) -> None:
        await until(lambda: self.parts and self.sources == sources)


@contextlib.asynccontextmanager
async def watched(
    address: str,
    *services: FakeService,
    system: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Watched]:
    """Run the services and a watch of them; both buses are the one at ``address``, if not told otherwise.

    There is no X server but in the given environment.
    """
    environ = {**os.environ, "DISPLAY": ""} if environ is None else environ
    session_bus, system_bus = SessionBus(address=address), SessionBus(address=system or address)
    seen = Watched()
    watch = PresenceWatch(session_bus, system_bus, seen.told.append, seen.parts.append, "linux", environ)
    for service in services:
        await service.start()
    running = asyncio.create_task(watch.run())
    try:
        yield seen
    finally:
        running.cancel()
        outcome = await asyncio.gather(running, return_exceptions=True)
        await session_bus.close()
        await system_bus.close()
        for service in services:
            await service.die()
        assert isinstance(outcome[0], asyncio.CancelledError)
