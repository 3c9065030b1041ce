"""A D-Bus session of its own, on which nothing starts by itself but xfconf, and questions to it.

With the system's service directories a notification daemon would be activated behind a test's back.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from tests.on_a_desktop.programs import Program

XFCONF = Path("/usr/share/dbus-1/services/org.xfce.Xfconf.service")
WATCHER = "org.kde.StatusNotifierWatcher"
NOTIFICATIONS = "org.freedesktop.Notifications"

_BUS = "org.freedesktop.DBus"
_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

T = TypeVar("T")


class PrivateBus:
    """A dbus-daemon that can be killed and begun again at the same address."""

    def __init__(self, directory: Path, environ: dict[str, str]) -> None:
        self._directory = directory
        self._environ = environ
        self._socket = directory / "bus"
        self.address = f"unix:path={self._socket}"
        self._configuration = directory / "bus.conf"
        services = directory / "services"
        services.mkdir()
        (services / XFCONF.name).symlink_to(XFCONF)
        self._configuration.write_text(
            _CONFIGURATION.format(socket=self._socket, services=services), encoding="utf-8"
        )

    def start(self) -> Program:
        """Start it; returns once it listens."""
        # The socket of one that was killed is still there.
        self._socket.unlink(missing_ok=True)
        readable, writable = os.pipe()
        try:
            self.program = Program(
                ["dbus-daemon", f"--config-file={self._configuration}", "--nofork", "--nopidfile",
                 f"--print-address={writable}"],
                self._environ, self._directory / "bus.log", [writable],
            )  # fmt: skip
        finally:
            os.close(writable)
        with os.fdopen(readable) as pipe:
            if not pipe.readline():
                raise RuntimeError(f"no bus: {self.program.said()}")
        return self.program

    # --- questions ----------------------------------------------------------------------------------------

    def owner(self, name: str) -> str | None:
        return self._with(lambda bus: _owner(bus, name))

    def wait_for_owner(self, name: str, seconds: float = 60) -> None:
        """Return once somebody owns the name; being told, without asking again and again."""
        self._with(lambda bus: asyncio.wait_for(_owned(bus, name), seconds))

    def call(self, destination: str, path: str, member: str, signature: str = "", *body: Any) -> list[Any]:
        """Call ``interface.member`` and return the body of the answer."""
        return self._with(lambda bus: _call(bus, destination, path, member, signature, list(body)))

    def items(self) -> list[str]:
        """Return what is registered with the panel: bus name and object path in one, as the watcher tells."""
        get, wanted = "org.freedesktop.DBus.Properties.Get", "RegisteredStatusNotifierItems"
        [found] = self.call(WATCHER, "/StatusNotifierWatcher", get, "ss", WATCHER, wanted)
        items: list[str] = found.value
        return items

    def _with(self, ask: Callable[[MessageBus], Coroutine[Any, Any, T]]) -> T:
        async def connected() -> T:
            bus = await MessageBus(bus_address=self.address).connect()
            try:
                return await ask(bus)
            finally:
                bus.disconnect()
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast forgot the types

        return asyncio.run(connected())


async def _call(
    bus: MessageBus, destination: str, path: str, member: str, signature: str, body: list[Any]
) -> list[Any]:
    interface, _, name = member.rpartition(".")
    message = Message(
        destination=destination, path=path, interface=interface, member=name, signature=signature, body=body
    )
    reply = await asyncio.wait_for(bus.call(message), 5)
    assert reply is not None
    if reply.message_type is MessageType.ERROR:
        raise LookupError(f"{member}: {reply.error_name}: {reply.body}")
    return list(reply.body)


async def _owner(bus: MessageBus, name: str) -> str | None:
    try:
        [owner] = await _call(bus, _BUS, "/org/freedesktop/DBus", f"{_BUS}.GetNameOwner", "s", [name])
    except LookupError:
        return None
    return str(owner)


async def _owned(bus: MessageBus, name: str) -> None:
    changed = asyncio.Event()

    def heard(message: Message) -> None:
        if message.member == "NameOwnerChanged" and message.body[0] == name and message.body[2]:
            changed.set()

    bus.add_message_handler(heard)
    rule = f"type='signal',sender='{_BUS}',member='NameOwnerChanged',arg0='{name}'"
    await _call(bus, _BUS, "/org/freedesktop/DBus", f"{_BUS}.AddMatch", "s", [rule])
    if await _owner(bus, name) is None:
        await changed.wait()
