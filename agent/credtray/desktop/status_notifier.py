"""Serves an icon as org.kde.StatusNotifierItem and keeps it registered with whatever panel comes.

Draws nothing and knows no menu; ends when the connection does, and leaves nothing on the bus when cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.core.pauses import pause_after
from credtray.desktop.bus.names import DAEMON, DAEMON_PATH, WATCHER
from credtray.desktop.bus.object import BusObject, Interface, Method, Refusal
from credtray.desktop.bus.session import Connection
from credtray.desktop.bus.text import carried
from credtray.desktop.shown_text import without_markup
from credtray.desktop.status_notifier_watcher import AGAIN_SECONDS, Registration

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
