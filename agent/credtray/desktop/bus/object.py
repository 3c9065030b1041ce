"""An object we offer on the bus: one interface with methods and properties, told by a table.

Answers every call with values or with a proper D-Bus error; never raises for what somebody sends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from dbus_fast import Message, Variant

from credtray.desktop.bus.signals import ERRORS, INTROSPECTABLE, PROPERTIES

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
        return Message.new_method_return(message, method.gives, list(answer))

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
        return Variant(self._interface.properties[name], self._read(name))

    def _refused(self, message: Message, refusal: Refusal) -> Message:
        now = time.monotonic()
        if now - self._mentioned >= _QUIET_SECONDS:
            self._mentioned = now
            _log.debug("%s asks for something that does not exist: %s", message.sender, refusal.text[:200])
        return Message.new_error(message, f"{ERRORS}.{refusal.error}", refusal.text)


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
