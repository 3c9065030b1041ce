"""One connection to a message bus: calls with a time limit, signals, names and the objects we offer.

Never connects by itself (see ``session``); a lost connection is an error for callers only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import quoteattr

from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.desktop.bus.signals import (
    DAEMON,
    DAEMON_PATH,
    ERRORS,
    INTROSPECTABLE,
    PROPERTIES,
    Gone,
    Listener,
    Signal,
    new_owner,
    owner_listener,
)

if TYPE_CHECKING:  # macOS and Windows import this module too, and have no dbus-fast
    from dbus_fast import Message, Variant

    from credtray.desktop.bus.wire import Wire

CALL_SECONDS = 2.0
"""For the answer to one call."""

_NO_REPLY = f"{ERRORS}.NoReply"
_NO_OWNER = f"{ERRORS}.NameHasNoOwner"
_LONGEST_TEXT = 200
"""Characters of a foreign error's text that are passed on."""

Handle = Callable[["Message"], "Message | None"]
"""Takes a method call to an exported path; None means that it is unknown there. Must not raise."""


def _failed(error_name: str, text: str) -> BusCallFailed:
    error = BusCallFailed(f"{error_name}: {text[:_LONGEST_TEXT]}")
    error.error_name = error_name
    return error


class Connection:
    """A live connection, until ``lost`` returns."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._listeners: list[Listener] = []
        self._exports: dict[str, Handle] = {}
        self._lost = asyncio.Event()
        wire.begin(self._received, self._ended)

    @property
    def unique_name(self) -> str:
        """Our name on the bus, such as ``:1.42``."""
        return self._wire.unique_name

    @property
    def is_lost(self) -> bool:
        """True once the connection is gone, for good."""
        return self._lost.is_set()

    async def lost(self) -> None:
        """Return when this connection is gone."""
        await self._lost.wait()

    async def drained(self) -> None:
        """Return when everything was written to the bus, or the connection is gone."""
        await self._wire.drained()

    async def close(self) -> None:
        """End it; ``SessionBus.close`` does it for the shared one."""
        await self._wire.close()

    # --- calls ---------------------------------------------------------------------------------------

    async def call(  # noqa: PLR0913 - what D-Bus addresses a method with
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        seconds: float = CALL_SECONDS,
    ) -> list[Any]:
        """Call a method; return the values of its answer without variants.

        Raises:
            BusCallFailed: refused, not there, or no answer in time; ``error_name`` is D-Bus's name for it.
            BusUnavailable: the connection is gone, or the bus itself does not answer.
        """
        if self.is_lost:
            raise BusUnavailable("the connection is gone")
        try:
            serial = self._wire.send_call((destination, path, interface, member), signature, body)
        except ValueError as error:
            raise _failed(f"{ERRORS}.InvalidArgs", str(error)) from error
        answer = self._answers[serial] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                return self._values(await answer)
        except TimeoutError as error:
            if destination == DAEMON:
                raise BusUnavailable(f"it does not answer within {seconds:g} s") from error
            raise _failed(_NO_REPLY, f"{destination} does not answer within {seconds:g} s") from error
        finally:
            self._answers.pop(serial, None)

    def tell(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
    ) -> None:
        """Call a method whose answer does not matter; nothing happens when the connection is gone."""
        if not self.is_lost:
            self._wire.send_unanswered((destination, path, interface, member), signature, body)

    def _values(self, answer: Message) -> list[Any]:
        values = self._wire.values(answer)
        if answer.error_name:
            raise _failed(answer.error_name, str(values[0]) if values else "")
        return values

    async def owner(self, name: str) -> str | None:
        """Return the unique name of the connection that owns a well-known name; None when nobody does.

        Raises:
            BusUnavailable: the connection is gone, or the bus does not answer.
        """
        try:
            owner = await self._ask_daemon("GetNameOwner", "s", [name])
        except BusCallFailed as error:
            if error.error_name == _NO_OWNER:
                return None
            raise BusUnavailable(error.detail) from error
        return str(owner[0])

    async def _ask_daemon(self, member: str, signature: str, body: Sequence[Any]) -> list[Any]:
        return await self.call(DAEMON, DAEMON_PATH, DAEMON, member, signature, body)

    # --- signals -------------------------------------------------------------------------------------

    def listen(
        self,
        handler: Callable[[Signal], None],
        *,
        sender: str | None = None,
        interface: str | None = None,
        member: str | None = None,
        path: str | None = None,
        arg0: str | None = None,
    ) -> AbstractAsyncContextManager[None]:
        """Return a context in which ``handler`` is called, on the loop, for each signal that fits.

        ``sender`` may be a well-known name: signals count only while they come from its owner. Entering
        raises BusUnavailable or BusCallFailed when the bus cannot be asked.
        """
        parts = {"sender": sender, "interface": interface, "member": member, "path": path, "arg0": arg0}
        wanted = {key: value for key, value in parts.items() if value is not None}
        return self._listening(Listener(handler, wanted))

    @contextlib.asynccontextmanager
    async def _listening(self, listener: Listener) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            sender = listener.wanted.get("sender", DAEMON)
            if sender != DAEMON and not sender.startswith(":"):
                await stack.enter_async_context(self._following(sender, listener))
            self._listeners.append(listener)
            try:
                await self._ask_daemon("AddMatch", "s", [listener.rule])
                yield
            finally:
                listener.active = False
                self._listeners.remove(listener)
                self.tell(DAEMON, DAEMON_PATH, DAEMON, "RemoveMatch", "s", [listener.rule])

    @contextlib.asynccontextmanager
    async def _following(self, name: str, listener: Listener) -> AsyncIterator[None]:
        """Keep ``listener.owner`` true: signals carry the unique name of their sender only."""

        def changed(signal: Signal) -> None:
            listener.owner = new_owner(signal)

        async with self._listening(owner_listener(name, changed, at_once=True)):
            listener.owner = await self.owner(name)
            yield

    async def owners(self, name: str) -> AsyncGenerator[str | None, None]:
        """Yield the unique name of the present owner of a name (None: nobody), then every change.

        Ends when the connection is gone. Raises what ``owner`` raises.
        """
        changes: asyncio.Queue[str | Gone | None] = asyncio.Queue()
        listener = owner_listener(name, lambda signal: changes.put_nowait(new_owner(signal)))
        listener.ended = lambda: changes.put_nowait(Gone())
        async with self._listening(listener):
            owner: str | Gone | None = await self.owner(name)
            while not isinstance(owner, Gone):
                yield owner
                known = owner
                while owner == known:
                    owner = await changes.get()

    # --- what we offer -------------------------------------------------------------------------------

    def export(self, path: str, handle: Handle) -> None:
        """Answer the method calls to a path from now on."""
        self._exports[path] = handle

    def withdraw(self, path: str, handle: Handle | None = None) -> None:
        """Answer for a path no longer; where ``handle`` is given, only if that one still does."""
        if handle is None or self._exports.get(path) == handle:
            self._exports.pop(path, None)

    def emit(
        self, path: str, interface: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> None:
        """Send a signal; nothing happens when the connection is gone."""
        if not self.is_lost:
            self._wire.send_signal(path, interface, member, signature, body)

    # --- what comes in -------------------------------------------------------------------------------

    def _received(self, message: Message) -> Message | bool | None:
        match message.message_type.name:
            case "METHOD_RETURN" | "ERROR":
                answer = self._answers.get(message.reply_serial)
                if answer is not None and not answer.done():
                    answer.set_result(message)
                return True
            case "SIGNAL":
                self._spread(message)
                return None  # dbus-fast keeps its own books of NameOwnerChanged
            case _:
                return self._serve(message)

    def _spread(self, message: Message) -> None:
        heard = Signal(
            message.sender or "",
            message.path or "",
            message.interface or "",
            message.member or "",
            self._wire.values(message),
        )
        for listener in [each for each in self._listeners if each.wants(heard)]:
            if listener.at_once:
                listener.hear(heard)
            else:
                # Later, so that one that raises neither hinders the others nor the reading of messages.
                asyncio.get_running_loop().call_soon(listener.hear, heard)

    def _serve(self, message: Message) -> Message | bool | None:
        handle = self._exports.get(message.path or "")
        if handle is None:
            return None
        answer = handle(message)
        return answer if answer is None or self._wire.is_to_be_answered(message) else True

    def _ended(self) -> None:
        self._lost.set()
        self._exports.clear()
        for listener in self._listeners:
            listener.ended()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(BusUnavailable("the connection was lost"))


# An object we offer on the bus: one interface with methods and properties, told by a table.
#
# Answers every call with values or with a proper D-Bus error; never raises for what somebody sends.


_log = logging.getLogger(__name__)

_QUIET_SECONDS: Final = 60.0
"""A panel that sends rubbish is mentioned in the log once in so long."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A D-Bus error as an answer."""

    error: str
    """Below ``org.freedesktop.DBus.Error``."""
    text: str


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its D-Bus types, and what answers it with the values of ``gives``."""

    takes: str
    gives: str
    answer: Callable[..., Sequence[Any] | Refusal]


@dataclass(frozen=True, slots=True)
class Interface:
    """What an object offers."""

    name: str
    methods: Mapping[str, Method]
    properties: Mapping[str, str]
    """Names and D-Bus types; all can be read and none be set."""
    signals: Mapping[str, str] = field(default_factory=dict)
    """Names and D-Bus types."""

    @property
    def introspection(self) -> str:
        """The description others ask for with Introspect."""
        lines = ["<node>", f"<interface name={quoteattr(self.name)}>"]
        for name, method in self.methods.items():
            arguments = [
                f'<arg type={quoteattr(one)} direction="in"/>' for one in _complete_types(method.takes)
            ]
            arguments += [
                f'<arg type={quoteattr(one)} direction="out"/>' for one in _complete_types(method.gives)
            ]
            lines += [f"<method name={quoteattr(name)}>", *arguments, "</method>"]
        for name, types in self.properties.items():
            lines.append(f'<property name={quoteattr(name)} type={quoteattr(types)} access="read"/>')
        for name, types in self.signals.items():
            arguments = [f"<arg type={quoteattr(one)}/>" for one in _complete_types(types)]
            lines += [f"<signal name={quoteattr(name)}>", *arguments, "</signal>"]
        lines += ["</interface>", f"<interface name={quoteattr(PROPERTIES)}/>", "</node>"]
        return "\n".join(lines)


class BusObject:
    """Serves an interface at one path; ``handle`` is what ``Connection.export`` takes."""

    def __init__(self, interface: Interface, read: Callable[[str], Any]) -> None:
        self._interface = interface
        self._read = read
        """Returns the present value of a property."""
        self._mentioned = -_QUIET_SECONDS

    def handle(self, message: Message) -> Message | None:
        """Answer one call; None leaves it to what every connection answers (such as Ping)."""
        offered = (
            self._standard() if message.interface in {PROPERTIES, INTROSPECTABLE} else self._own(message)
        )
        if offered is None:
            return None
        method = offered.get(message.member or "")
        if method is None:
            return self._refused(message, Refusal("UnknownMethod", f"there is no {message.member}"))
        if message.signature != method.takes:
            refusal = Refusal(
                "InvalidArgs", f"{message.member} takes '{method.takes}', not '{message.signature}'"
            )
            return self._refused(message, refusal)
        answer = method.answer(*message.body)
        if isinstance(answer, Refusal):
            return self._refused(message, answer)
        return type(message).new_method_return(message, method.gives, list(answer))

    def _own(self, message: Message) -> Mapping[str, Method] | None:
        """Return the methods of our interface; a call may also name none."""
        if message.interface in {self._interface.name, None}:
            return self._interface.methods
        return None

    def _standard(self) -> Mapping[str, Method]:
        return {
            "Introspect": Method("", "s", lambda: [self._interface.introspection]),
            "Get": Method("ss", "v", self._get),
            "GetAll": Method("s", "a{sv}", self._get_all),
            "Set": Method(
                "ssv", "", lambda _, name, __: Refusal("PropertyReadOnly", f"{name} cannot be set")
            ),
        }

    def _get(self, interface: str, name: str) -> Sequence[Any] | Refusal:
        if interface not in {self._interface.name, ""} or name not in self._interface.properties:
            return Refusal("UnknownProperty", f"there is no {interface}.{name}")
        return [self._variant(name)]

    def _get_all(self, interface: str) -> Sequence[Any]:
        """Return what we have; the standard interfaces have no properties."""
        known = interface in {self._interface.name, ""}
        return [{name: self._variant(name) for name in self._interface.properties} if known else {}]

    def _variant(self, name: str) -> Variant:
        from dbus_fast import Variant  # late: see above

        return Variant(self._interface.properties[name], self._read(name))

    def _refused(self, message: Message, refusal: Refusal) -> Message:
        now = time.monotonic()
        if now - self._mentioned >= _QUIET_SECONDS:
            self._mentioned = now
            _log.debug("%s asks for something that does not exist: %s", message.sender, refusal.text[:200])
        return type(message).new_error(message, f"{ERRORS}.{refusal.error}", refusal.text)


def _complete_types(signature: str) -> list[str]:
    """Split a signature into its complete types: ``ia{sv}`` are two."""
    found: list[str] = []
    depth = 0
    begin = 0
    for place, letter in enumerate(signature):
        depth += (letter in "({") - (letter in ")}")
        if depth == 0 and letter != "a":
            found.append(signature[begin : place + 1])
            begin = place + 1
    return found
