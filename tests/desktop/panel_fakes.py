"""A panel without pixels: the watcher icons register with, and a host that shows their menus.

It speaks D-Bus as real panels do: it reads properties and layouts, follows signals, and sends events.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast._private.unmarshaller import Unmarshaller
from dbus_fast.unpack import unpack_variants

from credtray.core.errors import BusCallFailed
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.bus.signals import Signal

WATCHER = "org.kde.StatusNotifierWatcher"
WATCHER_PATH = "/StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
ITEM_PATH = "/StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
PROPERTIES = "org.freedesktop.DBus.Properties"
DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")

DEFAULTS: dict[str, object] = {
    "type": "standard",
    "label": "",
    "enabled": True,
    "visible": True,
    "toggle-type": "",
    "toggle-state": -1,
    "children-display": "",
}


@dataclass(frozen=True)
class Entry:
    """One item as a panel would draw it."""

    label: str
    type: str = "standard"
    enabled: bool = True
    toggle: str = ""
    state: int = -1
    children: tuple[Entry, ...] = ()


# --- the watcher -------------------------------------------------------------------------------------


class FakeWatcher:
    """Owns the watcher's name and takes every icon."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.items: list[str] = []
        """Every registration."""
        self.shown: list[str] = []
        """The items it has now, as it writes them."""
        self.hosted = True
        self.has_properties = True
        self.drops = False
        """It takes every item and drops it at once."""
        self.refusing = 0
        """So many registrations are answered with an error first."""
        self._registered = asyncio.Condition()

    async def start(self) -> None:
        self.connection.export(WATCHER_PATH, self._handle)
        await self.connection.call(*DAEMON, "RequestName", "su", [WATCHER, 0])

    async def stop(self) -> None:
        await self.connection.call(*DAEMON, "ReleaseName", "s", [WATCHER])
        self.connection.withdraw(WATCHER_PATH)
        self.items.clear()
        self.shown.clear()

    def drop(self, *, silently: bool = False) -> None:
        """Forget every item, as hosts do that start anew."""
        gone, self.shown = self.shown, []
        for item in () if silently else gone:
            self.tell("StatusNotifierItemUnregistered", "s", [item])

    def host(self, *, there: bool) -> None:
        """Say that the part which draws the icons has come or gone."""
        self.hosted = there
        self.tell(f"StatusNotifierHost{'R' if there else 'Unr'}egistered")

    def tell(self, member: str, signature: str = "", body: Sequence[Any] = ()) -> None:
        self.connection.emit(WATCHER_PATH, WATCHER, member, signature, body)

    async def item(self, count: int = 1) -> str:
        """Return the name of the item that registered last, as soon as there were so many registrations."""
        async with asyncio.timeout(60), self._registered:
            await self._registered.wait_for(lambda: len(self.items) >= count)
        return self.items[-1]

    def _handle(self, message: Message) -> Message | None:
        if message.member == "Get" and self.has_properties:
            values = {
                "RegisteredStatusNotifierItems": Variant("as", list(self.shown)),
                "IsStatusNotifierHostRegistered": Variant("b", self.hosted),
            }
            return Message.new_method_return(message, "v", [values[message.body[1]]])
        if message.member != "RegisterStatusNotifierItem":
            return None
        if self.refusing:
            self.refusing -= 1
            return Message.new_error(message, "org.freedesktop.DBus.Error.Failed", "not yet")
        self.items.append(message.body[0])
        self.shown.append(f"{message.body[0]}{ITEM_PATH}")
        if self.drops:
            asyncio.get_running_loop().call_soon(self.drop)
        self._told = asyncio.get_running_loop().create_task(self._tell())
        return Message.new_method_return(message)

    async def _tell(self) -> None:
        async with self._registered:
            self._registered.notify_all()


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[FakeWatcher]:
    """A panel of its own on the session bus."""
    bus = SessionBus()
    watcher = FakeWatcher(await bus.connection())
    await watcher.start()
    try:
        yield watcher
    finally:
        await bus.close()


# --- what a host knows of a menu ---------------------------------------------------------------------


@dataclass
class SeenMenu:
    """A menu pieced together from layouts and signals, as libdbusmenu (depth -1) and Qt (depth 1) do."""

    properties: dict[int, dict[str, Any]] = field(default_factory=dict)
    children: dict[int, list[int]] = field(default_factory=dict)

    def take(self, layout: Sequence[Any], depth: int) -> list[int]:
        """Take over a branch; return the submenus that have to be asked for, as they are new."""
        number, properties, children = layout
        self.properties[number] = dict(properties)
        if depth == 0:
            new = number not in self.children and "children-display" in properties
            return [number] if new else []
        self.children[number] = [child[0] for child in children]
        return [more for child in children for more in self.take(child, depth - 1)]

    def update(self, updated: Sequence[Any], removed: Sequence[Any]) -> None:
        for number, properties in updated:
            if number in self.properties:
                self.properties[number].update(properties)
        for number, names in removed:
            for name in names:
                self.properties.get(number, {}).pop(name, None)

    def entries(self, number: int = 0) -> tuple[Entry, ...]:
        return tuple(self._entry(child) for child in self.children.get(number, ()))

    def _entry(self, number: int) -> Entry:
        found: dict[str, Any] = {**DEFAULTS, **self.properties[number]}
        shown = self.entries(number) if found["children-display"] == "submenu" else ()
        return Entry(
            found["label"],
            found["type"],
            found["enabled"],
            found["toggle-type"],
            found["toggle-state"],
            shown,
        )

    def numbers(self, number: int = 0, above: tuple[str, ...] = ()) -> dict[tuple[str, ...], int]:
        """Return the number of each item by the labels on the way to it."""
        found: dict[tuple[str, ...], int] = {}
        for child in self.children.get(number, ()):
            way = (*above, self.properties[child].get("label", ""))
            found[way] = child
            found |= self.numbers(child, way)
        return found


# --- a host without a bus ----------------------------------------------------------------------------


def carried(message: Message) -> Message:
    """Return the message as it arrives at the other end of a socket."""
    message.serial = message.serial or 1
    return _read(bytes(message._marshall(False)))


def _read(data: bytes) -> Message:
    arrived = Unmarshaller(io.BufferedRWPair(io.BytesIO(data), io.BytesIO())).unmarshall()
    assert arrived is not None
    return arrived


class PaperPanel:
    """Shows a menu of this process; every message takes the form it has on the wire, but no bus is there."""

    def __init__(self, handle: Callable[[Message], Message | None], path: str, depth: int = -1) -> None:
        self._handle = handle
        self._path = path
        self._depth = depth
        self.seen = SeenMenu()
        self.signals: list[Message] = []
        self.sizes: list[int] = []

    def emit(
        self, path: str, interface: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> None:
        message = Message.new_signal(path, interface, member, signature, list(body))
        message.serial = 1
        self.sizes.append(len(message._marshall(False)))
        self.signals.append(carried(message))

    def send(self, interface: str, member: str, signature: str, body: Sequence[Any]) -> Message:
        """Send any call; return the answer."""
        call = Message("x.y", self._path, interface, member, signature=signature, body=list(body), serial=7)
        answer = self._handle(carried(call))
        assert answer is not None
        return carried(answer)

    def ask(self, member: str, signature: str, *body: Any) -> list[Any]:
        answer = self.send(MENU, member, signature, body)
        if answer.message_type is MessageType.ERROR:
            error = BusCallFailed(str(answer.error_name))
            error.error_name = str(answer.error_name)
            raise error
        return list(unpack_variants(answer.body))

    def click(self, number: int) -> None:
        self.ask("Event", "isvu", number, "clicked", Variant("s", ""), 0)

    def look(self, number: int = 0) -> None:
        """Read a branch anew; one that is no more has been told by the branch above it."""
        try:
            _, layout = self.ask("GetLayout", "iias", number, self._depth, [])
        except BusCallFailed:
            return
        for more in self.seen.take(layout, self._depth):
            self.look(more)

    def catch_up(self) -> None:
        """Follow the signals that came meanwhile, in order."""
        while self.signals:
            signal = self.signals.pop(0)
            body = unpack_variants(signal.body)
            if signal.member == "ItemsPropertiesUpdated":
                self.seen.update(*body)
            else:
                self.look(body[1])


# --- a host on the bus -------------------------------------------------------------------------------


class MenuHost:
    """Shows one icon, found by the name it registered with."""

    def __init__(self, connection: Connection, item: str) -> None:
        self._connection = connection
        self._item = item
        self.seen = SeenMenu()
        self.heard: list[str] = []
        """Members of the signals that came."""

    async def properties(self) -> dict[str, Any]:
        [found] = await self._connection.call(self._item, ITEM_PATH, PROPERTIES, "GetAll", "s", [ITEM])
        return dict(found)

    async def call_item(self, member: str, signature: str = "ii", body: Sequence[Any] = (0, 0)) -> list[Any]:
        return await self._connection.call(self._item, ITEM_PATH, ITEM, member, signature, body)

    async def ask(self, member: str, signature: str, *body: Any) -> list[Any]:
        """Call the menu, wherever the icon says it is."""
        menu = (await self.properties())["Menu"]
        return await self._connection.call(self._item, menu, MENU, member, signature, body)

    async def open(self) -> tuple[Entry, ...]:
        """Do what a panel does for a click on the icon; return the menu it would draw."""
        await self.ask("AboutToShow", "i", 0)
        _, layout = await self.ask("GetLayout", "iias", 0, -1, [])
        self.seen = SeenMenu()
        self.seen.take(layout, -1)
        return self.seen.entries()

    async def click(self, *way: str) -> None:
        """Click the item that is reached by these labels."""
        number = self.seen.numbers()[way]
        await self.ask("Event", "isvu", number, "clicked", Variant("s", ""), 0)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Keep a list of what the icon and its menu tell."""

        def hear(signal: Signal) -> None:
            self.heard.append(signal.member)

        unique = await self._connection.owner(self._item)
        async with (
            self._connection.listen(hear, sender=unique, interface=ITEM),
            self._connection.listen(hear, sender=unique, interface=MENU),
        ):
            yield

    async def until_heard(self, member: str) -> None:
        await until(lambda: _true(member in self.heard))


async def _true(value: bool) -> bool:  # noqa: FBT001 - makes a value one that can be awaited
    return value


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Ask again and again, for things other processes do."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


def menu_entries(menu: Any) -> Iterator[Entry]:
    """Yield what a panel has to draw for a ``pystray.Menu``, as pystray itself tells it."""
    for item in menu or ():
        if item is menu.SEPARATOR:
            yield Entry("", "separator")
        elif item.submenu is not None:
            yield Entry(shown(item.text), enabled=item.enabled, children=tuple(menu_entries(item.submenu)))
        elif item.checked is None:
            yield Entry(shown(item.text), enabled=item.enabled)
        else:
            toggle = "radio" if item.radio else "checkmark"
            yield Entry(shown(item.text), enabled=item.enabled, toggle=toggle, state=int(item.checked))


def shown(text: str) -> str:
    """Return the label that draws just this text."""
    return text.replace("_", "__")
