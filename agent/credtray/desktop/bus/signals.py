"""Signals of a message bus and who wants to hear which. Touches nothing: no bus, no loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

# Names that everybody on a message bus knows. Nothing else: who uses them imports no D-Bus for it.


DAEMON: Final = "org.freedesktop.DBus"
"""The bus itself: its name, and the name of its interface."""
DAEMON_PATH: Final = "/org/freedesktop/DBus"
ERRORS: Final = f"{DAEMON}.Error"
"""The bus's own errors have names below this one."""
INTROSPECTABLE: Final = f"{DAEMON}.Introspectable"
PROPERTIES: Final = f"{DAEMON}.Properties"

WATCHER: Final = "org.kde.StatusNotifierWatcher"
"""Owned by panels that show StatusNotifier icons: its name, and the name of its interface."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal somebody sent."""

    sender: str
    """The unique name of the connection it came from, or ``org.freedesktop.DBus``."""
    path: str
    interface: str
    member: str
    body: list[Any]
    """Without variants."""


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody who wants to hear some signals."""

    handler: Callable[[Signal], None]
    wanted: dict[str, str]
    """Parts of the match rule: sender, interface, member, path, arg0."""
    at_once: bool = False
    """True: called while the message is read, before later messages are looked at."""
    owner: str | None = None
    """Who has the wanted sender's well-known name now."""
    active: bool = True
    ended: Callable[[], None] = lambda: None
    """Called when the connection is gone."""

    def wants(self, signal: Signal) -> bool:
        """Tell whether this is one of them."""
        for key, value in self.wanted.items():
            if key == "arg0":
                found: object = signal.body[0] if signal.body else None
            else:
                found = getattr(signal, key)
            if found != value and not (key == "sender" and found == self.owner):
                return False
        return True

    def hear(self, signal: Signal) -> None:
        """Call the handler, unless the listener has left meanwhile."""
        if self.active:
            self.handler(signal)

    @property
    def rule(self) -> str:
        """The match rule that asks the bus for them."""
        return ",".join(["type='signal'", *(f"{key}='{value}'" for key, value in self.wanted.items())])


class Gone:
    """The end of a row of owners."""


def owner_listener(name: str, handler: Callable[[Signal], None], *, at_once: bool = False) -> Listener:
    """Return a listener to the changes of a name's owner; see ``new_owner``."""
    wanted = {"sender": DAEMON, "interface": DAEMON, "member": "NameOwnerChanged", "arg0": name}
    return Listener(handler, wanted, at_once)


def new_owner(changed: Signal) -> str | None:
    """Read the third argument of NameOwnerChanged; an empty one means nobody."""
    return str(changed.body[2]) or None


# Makes a text one that D-Bus can carry. Changes nothing else about it.


def carried(text: str) -> str:
    """Return the text with NUL and unpaired surrogates replaced (D-Bus specification, "Valid strings")."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
