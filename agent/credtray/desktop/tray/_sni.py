"""A pystray back-end for Linux: StatusNotifierItem and com.canonical.dbusmenu, on the running asyncio loop.

Chooses nothing (see ``tray``). After ``run_detached`` it does not come back by itself: see ``Icon.gone``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from credtray.core.backoff import pause_after
from credtray.core.errors import BusUnavailable, CredtrayError
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.icon import SIZES
from credtray.desktop.part_report import together
from credtray.desktop.tray.dbus_menu import PATH as MENU_PATH
from credtray.desktop.tray.dbus_menu import DbusMenu
from credtray.desktop.tray.painting import DrawnIcon, icon_class, scaled
from credtray.desktop.tray.status_notifier import AGAIN_SECONDS, Looks, Pixmap, StatusNotifier

if TYPE_CHECKING:
    from PIL.Image import Image

COALESCE_SECONDS: Final = 0.05
"""Changes that follow one another so quickly are announced as one."""


class StatusNotifierIcon(DrawnIcon):
    """``pystray.Icon`` on the bus.

    ``Icon(name, icon, title, menu, sni_bus=SessionBus(), sni_title=..., sni_item_is_menu=False,
    sni_told=...)``; the last is called with None when a panel shows the icon, and else with why it does not.
    """

    HAS_DEFAULT_ACTION = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before_show: Callable[[], None] = lambda: None
        """Called before a panel shows the menu: the last moment to change it."""
        self._pixmaps: tuple[Pixmap, ...] = ()
        self._shown = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[CredtrayError | None] | None = None
        self._changed = asyncio.Event()
        self._dbus_menu = DbusMenu(lambda: self._menu, self._clicked, self._about_to_show)
        opens_menu = self._options.get("item_is_menu", True)
        activated = None if opens_menu else self._activated
        told = self._options.get("told", lambda _reason: None)
        self._notifier = StatusNotifier(self._name, MENU_PATH, activated, told)

    def doubt(self) -> None:
        """Ask the panel soon whether it still has the icon. On the loop's thread."""
        self._notifier.doubt()

    async def gone(self) -> CredtrayError | None:
        """Return when the icon of ``run_detached`` is no more: the reason, or None after ``stop``."""
        if self._task is None:
            return None
        await asyncio.wait([self._task])
        return None if self._task.cancelled() else self._task.result()

    # --- what pystray asks of a back-end; from any thread --------------------------------------------

    def _show(self) -> None:
        self._shown = True
        self._wake()

    def _hide(self) -> None:
        self._shown = False
        self._wake()

    def _update_icon(self) -> None:
        self._pixmaps = ()
        self._icon_valid = True
        self._wake()

    def _update_title(self) -> None:
        self._wake()

    def _update_menu(self) -> None:
        self._wake()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._alone())

    def _run_detached(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError as error:
            self._mark_ready()  # lets the setup thread end
            raise NotImplementedError(
                "run_detached() needs a running asyncio loop; else use run()"
            ) from error
        self._task = self._loop.create_task(self._once(), name="tray icon")
        self._mark_ready()

    def _stop(self) -> None:
        if self._task is not None:
            self._on_loop(self._task.cancel)

    def _wake(self) -> None:
        self._on_loop(self._changed.set)

    def _on_loop(self, call: Callable[[], Any]) -> None:
        """Call it on the loop's own thread; nothing happens when the loop has ended."""
        if self._loop is None:
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            call()
            return
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._loop.call_soon_threadsafe(call)

    # --- its life ------------------------------------------------------------------------------------

    async def _alone(self) -> None:
        """Be there until ``stop``, whatever happens to the bus."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._mark_ready()
        for failures in itertools.count():
            await self._once()
            await asyncio.sleep(pause_after(failures, AGAIN_SECONDS))

    async def _once(self) -> CredtrayError | None:
        """Be there until the connection is lost; return why there is no icon any more."""
        bus = self._options.get("bus") or SessionBus()
        try:
            await self._live(await bus.connection())
        except BusUnavailable as error:
            return error
        finally:
            if "bus" not in self._options:
                await bus.close()
        return BusUnavailable("the connection was lost")

    async def _live(self, connection: Connection) -> None:
        connection.export(MENU_PATH, self._dbus_menu.handle)
        self._dbus_menu.tell(connection)
        try:
            await together(self._work(connection), connection.lost())
        finally:
            self._dbus_menu.tell(None)
            connection.withdraw(MENU_PATH, self._dbus_menu.handle)

    async def _work(self, connection: Connection) -> None:
        """Tell what changes, at most once in ``COALESCE_SECONDS`` and never faster than the bus takes it."""
        serving: asyncio.Task[None] | None = None
        try:
            while True:
                self._changed.clear()
                self._publish()
                if self._shown and serving is None:
                    serving = asyncio.create_task(self._notifier.serve(connection), name="tray item")
                elif not self._shown and serving is not None:
                    await _end(serving)
                    serving = None
                told = time.monotonic()
                await self._changed.wait()
                # What comes alone is announced at once: an idle agent is not to wake up twice for it.
                await asyncio.sleep(max(0.0, told + COALESCE_SECONDS - time.monotonic()))
                await connection.drained()
        finally:
            if serving is not None:
                await _end(serving)

    def _publish(self) -> None:
        if not self._pixmaps and self._icon:
            drawn = self._drawn()
            self._pixmaps = tuple(_pixmap(scaled(drawn, size)) for size in SIZES)
        title = str(self._options.get("title", self._name))
        self._notifier.show(Looks(title, self._title, self._pixmaps))
        self._dbus_menu.refresh()

    def _clicked(self, item: Any) -> None:
        self._soon(self._handler(item))

    def _activated(self) -> None:
        icon: Any = self
        self._soon(icon)  # pystray's icons are called for their default action

    def _about_to_show(self) -> None:
        self.before_show()

    def _soon(self, call: Callable[[], Any]) -> None:
        """Call it after the panel has its answer: a panel waits for that."""
        asyncio.get_running_loop().call_soon(call)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _pixmap(image: Image) -> Pixmap:
    """Return ARGB32 in network byte order, as StatusNotifierItem wants it."""
    from PIL import Image as Pillow

    red, green, blue, alpha = image.split()
    return image.width, image.height, Pillow.merge("RGBA", (alpha, red, green, blue)).tobytes()


def __getattr__(name: str) -> Any:
    """Give out ``Icon``; it is made when it is wanted, because its base comes with pystray."""
    if name == "Icon":
        return icon_class(StatusNotifierIcon)
    raise AttributeError(name)
