"""One socket to a D-Bus daemon through dbus-fast: messages out in order, messages in, and its end.

Must not know who listens or what is exported. Imported only when a bus is wanted: dbus-fast is heavy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import select
import struct
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from dbus_fast import Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError
from dbus_fast.unpack import unpack_variants

from credtray.core.errors import BusUnavailable
from credtray.desktop.bus.signals import ERRORS

_log = logging.getLogger(__name__)

_MOST_WAITING = 2000
"""Messages; a daemon that takes none for so long is as good as gone."""
_UNSENDABLE = (DBusFastError, ValueError, TypeError, AttributeError, LookupError, OverflowError, struct.error)
"""What dbus-fast raises for a body that does not fit its signature, or holds what D-Bus cannot carry."""

Received = Callable[[Message], Message | bool | None]
"""Takes each incoming message; a Message is sent as the answer, True means that none is needed."""


class _PatientBus(MessageBus):
    """Hands dbus-fast one message at a time, and only while the socket has room.

    dbus-fast 5.2.0 (aio/message_bus.py, write_callback) takes EAGAIN for the end of the connection, which
    comes as soon as more than the socket's buffer is sent at once. A Unix socket that polls writable takes at
    least the first part of a message, and the rest of a half-sent one waits properly; so EAGAIN never occurs.
    """

    def __init__(self, address: str) -> None:
        super().__init__(bus_address=address)
        self._queue: deque[tuple[Message, asyncio.Future[None]]] = deque()
        self._under_way: asyncio.Future[None] | None = None

    def send(  # type: ignore[override]  # dbus-fast's own asyncio bus returns a future as well
        self, msg: Message
    ) -> asyncio.Future[None]:
        """Queue a message; the future is done when it was written, or cannot be."""
        if not msg.serial:
            msg.serial = self.next_serial()
        written: asyncio.Future[None] = self._loop.create_future()
        self._queue.append((msg, written))
        if len(self._queue) > _MOST_WAITING and not self._disconnected:
            _log.warning("the message bus does not accept messages; disconnecting")
            self.disconnect()
        self._send_on()
        return written

    async def drained(self) -> None:
        """Return when nothing waits to be written any more, or the connection is gone."""
        while not self._disconnected and (waiting := self._last_written()) is not None:
            await asyncio.wait([waiting])

    async def gone(self) -> None:
        """Return, or raise the reason, when the connection has ended."""
        await self._disconnect_future

    def forget(self) -> None:
        """Drop what was not sent: the connection is gone."""
        for _, written in self._queue:
            written.cancel()
        self._queue.clear()

    @property
    def _descriptor(self) -> int:
        return -1 if self._fd is None else self._fd

    def _last_written(self) -> asyncio.Future[None] | None:
        return self._queue[-1][1] if self._queue else self._under_way

    def _send_on(self) -> None:
        while self._queue and self._under_way is None and self.connected:
            if not self._has_room():
                self._loop.add_writer(self._descriptor, self._room_again)
                return
            message, written = self._queue.popleft()
            try:
                sent = super().send(message)
            except _UNSENDABLE as error:
                self._refuse(message, written, error)
                continue
            if sent.done():
                _pass_on(sent, written)
            else:
                self._under_way = written
                sent.add_done_callback(self._sent)

    def _sent(self, sent: asyncio.Future[None]) -> None:
        if self._under_way is not None:
            _pass_on(sent, self._under_way)
        self._under_way = None
        self._send_on()

    def _room_again(self) -> None:
        self._loop.remove_writer(self._descriptor)
        self._send_on()

    def _has_room(self) -> bool:
        room = True
        if sys.platform != "win32":
            poll = select.poll()
            poll.register(self._descriptor, select.POLLOUT)
            room = bool(poll.poll(0))
        return room

    def _refuse(self, message: Message, written: asyncio.Future[None], error: Exception) -> None:
        """Whoever waits must not wait in vain because of a body that cannot be sent."""
        _log.warning("%s.%s cannot be sent: %s", message.interface, message.member, type(error).__name__)
        written.cancel()
        if message.message_type is MessageType.METHOD_RETURN:
            self.send(
                Message(
                    message_type=MessageType.ERROR,
                    reply_serial=message.reply_serial,
                    destination=message.destination,
                    error_name=f"{ERRORS}.Failed",
                    signature="s",
                    body=["the answer cannot be sent"],
                )
            )


def _pass_on(sent: asyncio.Future[None], written: asyncio.Future[None]) -> None:
    """Tell that it was written; a failure ends the connection, which is reported elsewhere."""
    failed = sent.cancelled() or sent.exception() is not None
    if not written.done():
        written.cancel() if failed else written.set_result(None)


class Wire:
    """An authenticated connection to a bus."""

    def __init__(self, bus: _PatientBus) -> None:
        self._bus = bus
        self._end: asyncio.Task[None] | None = None

    @property
    def unique_name(self) -> str:
        """Our name on the bus, such as ``:1.42``."""
        return self._bus.unique_name or ""

    def begin(self, received: Received, ended: Callable[[], None]) -> None:
        """Hand over what comes in from now on; ``ended`` is called once, when the connection is gone."""
        self._bus.add_message_handler(received)
        self._end = asyncio.create_task(self._bus.gone(), name="bus end")

        def over(task: asyncio.Task[None]) -> None:
            reason = None if task.cancelled() else task.exception()
            _log.debug("the connection to the message bus is gone: %r", reason)
            self._bus.forget()
            ended()

        self._end.add_done_callback(over)

    def send_call(self, target: tuple[str, str, str, str], signature: str, body: Sequence[Any]) -> int:
        """Call (destination, path, interface, member); return the serial its answer will name.

        Raises:
            ValueError: the names are not valid, or the body cannot be sent.
        """
        message = _message(target, signature, body, MessageFlag.NONE)
        message.serial = self._bus.next_serial()
        written = self._bus.send(message)
        if written.cancelled():
            raise ValueError("the body does not fit its signature")
        return message.serial

    def send_unanswered(self, target: tuple[str, str, str, str], signature: str, body: Sequence[Any]) -> None:
        """Send a method call nobody answers."""
        self._bus.send(_message(target, signature, body, MessageFlag.NO_REPLY_EXPECTED))

    def send_signal(
        self, path: str, interface: str, member: str, signature: str, body: Sequence[Any]
    ) -> None:
        """Send a signal to everybody who asked for it."""
        self._bus.send(Message.new_signal(path, interface, member, signature, list(body)))

    def values(self, message: Message) -> list[Any]:
        """Return what is in a message, without D-Bus's variants."""
        values: list[Any] = unpack_variants(message.body)
        return values

    def is_to_be_answered(self, message: Message) -> bool:
        """Tell whether the caller waits for an answer."""
        return not message.flags & MessageFlag.NO_REPLY_EXPECTED

    async def drained(self) -> None:
        """Return when nothing waits to be written any more, or the connection is gone."""
        await self._bus.drained()

    async def close(self) -> None:
        """Write what waits, for a moment, then end the connection and see it end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._bus.drained()
        self._bus.disconnect()
        if self._end is not None:
            await asyncio.wait([self._end], timeout=1.0)


def _message(
    target: tuple[str, str, str, str], signature: str, body: Sequence[Any], flags: MessageFlag
) -> Message:
    destination, path, interface, member = target
    try:
        return Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            flags=flags,
            signature=signature,
            body=list(body),
        )
    except DBusFastError as error:
        raise ValueError(str(error)) from error


async def open_wire(address: str) -> Wire:
    """Connect and authenticate; the caller sets the time limit.

    Raises:
        BusUnavailable: nobody listens there, the address is not one, or we are not let in.
    """
    try:
        bus = _PatientBus(address)
        await bus.connect()
    except (OSError, EOFError, DBusFastError) as error:
        raise BusUnavailable(f"{address}: {str(error) or type(error).__name__}") from error
    return Wire(bus)
