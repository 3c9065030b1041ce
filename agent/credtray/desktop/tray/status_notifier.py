"""Serves an icon as org.kde.StatusNotifierItem and keeps it registered with whatever panel comes.

Draws nothing and knows no menu; ends when the connection does, and leaves nothing on the bus when cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from credtray.core.backoff import pause_after
from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.desktop.bus.connection import BusObject, Connection, Interface, Method, Refusal
from credtray.desktop.bus.signals import DAEMON, DAEMON_PATH, WATCHER, Signal, carried
from credtray.desktop.tray.painting import without_markup

# Keeps an icon registered with one StatusNotifierWatcher: a panel may drop it and keep its own name.
#
# Looks when the watcher says that something changed, and when it is asked to doubt; never by the clock. A
# panel that drops the icon again and again is asked less and less often.


_PATH: Final = "/StatusNotifierWatcher"
_WATCHER_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
AGAIN_SECONDS: Final = (1.0, 2.0, 5.0)
"""Before a bus or a watcher that did not take us is asked again; the last one for good."""
DROPPED_SECONDS: Final = (0.2, 2.0, 10.0, 60.0, 600.0)
"""Before a watcher that dropped us so many times in a row is asked again; the last one for good."""
KEPT_SECONDS: Final = 300.0
"""An icon that stayed so long was welcome: the next time it is dropped counts as the first."""

REFUSED: Final = "the panel refuses the icon"
DROPPED: Final = "the panel has removed the icon"
NO_HOST: Final = "the part of the panel that shows icons is not running"


class Registration:
    """Of one icon, which has the bus name ``name``, with the present owner of the watcher's name."""

    def __init__(self, connection: Connection, name: str, told: Callable[[str | None], None]) -> None:
        """``told`` is called with None when the icon is shown, and else with why it is not."""
        self._connection = connection
        self._name = name
        self._told = told
        self._doubt = asyncio.Event()
        self._heard_of_drop = False
        self._drops = 0

    def doubt(self) -> None:
        """Ask the watcher soon whether it still has the icon: the machine has slept, or something else."""
        self._drops = 0
        self._doubt.set()

    async def keep(self) -> None:
        """Be registered, and again when the watcher has forgotten us; until cancelled.

        Raises:
            BusUnavailable, BusCallFailed: the bus cannot be asked.
        """
        now = asyncio.get_running_loop().time
        async with self._connection.listen(self._heard, sender=WATCHER, interface=WATCHER, path=_PATH):
            while True:
                await self._register()
                began = now()
                await self._until_dropped()
                self._drops = 1 if now() - began > KEPT_SECONDS else self._drops + 1
                _log.info("the panel has dropped the tray icon")
                self._told(DROPPED)
                await self._pause(pause_after(self._drops - 1, DROPPED_SECONDS))

    async def _register(self) -> None:
        """Ask the watcher to show us; again and again, for one that just starts may be slow or refuse."""
        for failures in itertools.count():
            self._heard_of_drop = False
            self._doubt.clear()
            try:
                await self._call(WATCHER, "RegisterStatusNotifierItem", "s", [self._name])
            except (BusUnavailable, BusCallFailed) as error:
                _log.debug("the panel does not accept the icon: %s", error)
                self._told(REFUSED)
                await asyncio.sleep(pause_after(failures, AGAIN_SECONDS))
            else:
                _log.debug("the icon is registered as %s", self._name)
                await self._tell_host()
                return

    async def _until_dropped(self) -> None:
        """Return when the watcher does not have us any more."""
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            if await self._is_missing():
                return
            await self._tell_host()

    async def _is_missing(self) -> bool:
        items = await self._property("RegisteredStatusNotifierItems")
        if not isinstance(items, list):  # it does not say: what it announced has to do
            return self._heard_of_drop
        return not any(self._is_us(str(item)) for item in items)

    def _is_us(self, item: str) -> bool:
        """Tell whether it is ours: watchers write either name of ours, and most a path after it."""
        name = item.replace("@", "/", 1).partition("/")[0]
        return name in {self._name, self._connection.unique_name}

    async def _tell_host(self) -> None:
        """Tell whether anybody draws the icons that the watcher keeps."""
        hosted = await self._property("IsStatusNotifierHostRegistered")
        self._told(NO_HOST if hosted is False else None)

    async def _property(self, name: str) -> Any:
        """Return a property of the watcher, None where it has none or does not answer."""
        with contextlib.suppress(BusUnavailable, BusCallFailed):
            found = await self._call(_WATCHER_PROPERTIES, "Get", "ss", [WATCHER, name])
            return found[0] if found else None
        return None

    async def _call(self, interface: str, member: str, signature: str, body: list[str]) -> list[Any]:
        return await self._connection.call(WATCHER, _PATH, interface, member, signature, body)

    async def _pause(self, seconds: float) -> None:
        """Wait; not to the end when somebody has a reason to believe that it is another panel now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._drops:
                    self._doubt.clear()
                    await self._doubt.wait()

    def _heard(self, signal: Signal) -> None:
        match signal.member, signal.body:
            case "StatusNotifierItemUnregistered", [str(item)] if self._is_us(item):
                self._heard_of_drop = True
                self._doubt.set()
            case "StatusNotifierHostRegistered" | "StatusNotifierHostUnregistered", _:
                self._doubt.set()


_log = logging.getLogger(__name__)

INTERFACE: Final = "org.kde.StatusNotifierItem"
PATH: Final = "/StatusNotifierItem"
_DAEMON: Final = (DAEMON, DAEMON_PATH, DAEMON)
_DO_NOT_QUEUE: Final = 4
_PRIMARY_OWNER: Final = 1
_MOST_NAMES: Final = 64
"""Icons of one process; more are a mistake somewhere."""
_LONGEST_LINE: Final = 200

_PROPERTIES: Final = MappingProxyType(
    {
        "Category": "s",
        "Id": "s",
        "Title": "s",
        "Status": "s",
        "WindowId": "i",
        "IconName": "s",
        "IconPixmap": "a(iiay)",
        "OverlayIconName": "s",
        "OverlayIconPixmap": "a(iiay)",
        "AttentionIconName": "s",
        "AttentionIconPixmap": "a(iiay)",
        "AttentionMovieName": "s",
        "IconThemePath": "s",
        "ToolTip": "(sa(iiay)ss)",
        "ItemIsMenu": "b",
        "Menu": "o",
    }
)
_SIGNALS: Final = MappingProxyType(
    {
        "NewTitle": "",
        "NewIcon": "",
        "NewAttentionIcon": "",
        "NewOverlayIcon": "",
        "NewToolTip": "",
        "NewStatus": "s",
    }
)


Pixmap = tuple[int, int, bytes]
"""Width, height and ARGB32 in network byte order."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What a panel shows of an icon, apart from its menu."""

    title: str = ""
    """The program's name."""
    tooltip: str = ""
    """The first line is its heading."""
    pixmaps: tuple[Pixmap, ...] = ()


class StatusNotifier:
    """One icon; ``menu_path`` is where its menu is served."""

    def __init__(
        self,
        identity: str,
        menu_path: str,
        activated: Callable[[], None] | None = None,
        told: Callable[[str | None], None] = lambda _reason: None,
    ) -> None:
        """Do nothing yet.

        Args:
            identity: names the program.
            menu_path: where its menu is served.
            activated: called for a click on the icon; None means that such a click opens the menu.
            told: called with None when a panel shows the icon, and else with why it does not.
        """
        self._identity = identity
        self._menu_path = menu_path
        self._activated = activated
        self._told = told
        self._registration: Registration | None = None
        self._looks = Looks()
        self._connection: Connection | None = None
        self.handle = BusObject(self._interface(), self._property).handle
        """For ``Connection.export``."""

    def show(self, looks: Looks) -> None:
        """Look different from now on; panels hear what changed, and nothing if nothing did."""
        before, self._looks = self._looks, looks
        if looks.title != before.title:
            self._emit("NewTitle")
        if looks.pixmaps != before.pixmaps:
            self._emit("NewIcon")
        if looks.tooltip != before.tooltip:
            self._emit("NewToolTip")

    def doubt(self) -> None:
        """Ask the panel soon whether it still has the icon."""
        if self._registration is not None:
            self._registration.doubt()

    async def serve(self, connection: Connection) -> None:
        """Be an icon there until the connection is lost or the task cancelled; outlast a bus that hangs."""
        failures = 0
        while not connection.is_lost:
            try:
                await self._serve(connection)
            except (BusUnavailable, BusCallFailed) as error:
                _log.debug("no icon for now: %s", error)
                await asyncio.sleep(pause_after(failures, AGAIN_SECONDS))
                failures += 1

    async def _serve(self, connection: Connection) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(self._offered(connection))
            name = await stack.enter_async_context(_own_name(connection))
            owners = await stack.enter_async_context(contextlib.aclosing(connection.owners(WATCHER)))
            keeping: asyncio.Task[None] | None = None
            try:
                async for owner in owners:
                    await _end(keeping)
                    keeping = None
                    if owner is not None:
                        self._registration = Registration(connection, name, self._told)
                        keeping = asyncio.create_task(self._registration.keep(), name="tray registers")
            finally:
                self._registration = None
                await _end(keeping)

    @contextlib.contextmanager
    def _offered(self, connection: Connection) -> Iterator[None]:
        connection.export(PATH, self.handle)
        self._connection = connection
        try:
            yield
        finally:
            self._connection = None
            connection.withdraw(PATH, self.handle)

    def _emit(self, member: str, signature: str = "", body: Sequence[Any] = ()) -> None:
        if self._connection is not None:
            self._connection.emit(PATH, INTERFACE, member, signature, body)

    # --- what panels ask -----------------------------------------------------------------------------

    def _interface(self) -> Interface:
        methods = {
            "Activate": Method("ii", "", lambda *_: self._act("Activate")),
            "SecondaryActivate": Method("ii", "", lambda *_: self._act("SecondaryActivate")),
            "ContextMenu": Method("ii", "", lambda *_: _panel_draws_the_menu("ContextMenu")),
            "Scroll": Method("is", "", lambda *_: []),
            "ProvideXdgActivationToken": Method("s", "", lambda *_: []),
        }
        return Interface(INTERFACE, methods, _PROPERTIES, _SIGNALS)

    def _act(self, member: str) -> Sequence[Any] | Refusal:
        """Plasma and LXQt activate even where ItemIsMenu is true; refused, Plasma opens the menu."""
        if self._activated is None:
            return _panel_draws_the_menu(member)
        self._activated()
        return []

    def _property(self, name: str) -> Any:
        looks = self._looks
        values = {
            "Category": "ApplicationStatus",
            "Id": self._identity,
            "Title": carried(looks.title),
            "Status": "Active",
            "WindowId": 0,
            "IconPixmap": [list(pixmap) for pixmap in looks.pixmaps],
            "OverlayIconPixmap": [],
            "AttentionIconPixmap": [],
            "ToolTip": ["", [], *_heading_and_rest(looks.tooltip)],
            "ItemIsMenu": self._activated is None,
            "Menu": self._menu_path,
        }
        return values.get(name, "")


def _panel_draws_the_menu(member: str) -> Refusal:
    return Refusal("UnknownMethod", f"there is no {member}; use the icon's menu")


def _heading_and_rest(tooltip: str) -> list[str]:
    """Split a tooltip as panels want it; what some of them take for markup is replaced."""
    lines = [without_markup(line, _LONGEST_LINE) for line in tooltip.splitlines() if line.strip()]
    return [lines[0] if lines else "", "\n".join(lines[1:])]


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def _own_name(connection: Connection) -> AsyncIterator[str]:
    """Own a name of the form the specification wants; panels take the icon away when its name is gone."""
    for number in range(1, _MOST_NAMES):
        name = f"{INTERFACE}-{os.getpid()}-{number}"
        [answer] = await connection.call(*_DAEMON, "RequestName", "su", [name, _DO_NOT_QUEUE])
        if answer == _PRIMARY_OWNER:
            break
    else:
        raise BusUnavailable("every name for an icon is in use")
    try:
        yield name
    finally:
        connection.tell(*_DAEMON, "ReleaseName", "s", [name])
