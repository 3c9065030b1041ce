"""Chooses the kind of tray on Linux while the agent runs, and chooses again when panels come and go.

Says why there is no icon, and never gives up: a panel may start an hour after us.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from credtray.core.backoff import pause_after
from credtray.core.clicks import Click
from credtray.core.errors import CredtrayError
from credtray.core.ports import DesktopPart, Part
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import BusTrouble, SessionBus, use_connections
from credtray.desktop.bus.signals import WATCHER
from credtray.desktop.part_report import PartReport, together
from credtray.desktop.tray.painting import Painter, Shown, TrayMenu, load_pystray

# One life of an icon on Linux, from its beginning to its end, for each kind of tray.
#
# Chooses nothing and begins nothing again: see ``tray.linux``.


_LEAVE_SECONDS = 1.0
"""How long an X server that hangs may hold up the end."""
_STOPPED = "the icon was stopped"


async def live_as_status_notifier(
    bus: SessionBus, shown: Shown, clicked: Callable[[Click], None], told: Callable[[str | None], None]
) -> str:
    """Be an icon of a StatusNotifier panel; return why it ended.

    ``told`` is called with None whenever the panel has taken the icon, and else with why it shows none.
    """
    module = await _loaded("credtray.desktop.tray._sni")
    painter = Painter(shown, TrayMenu(clicked))
    first = await painter.begin()
    icon = module.Icon(*first.arguments, sni_bus=bus, sni_title="credtray", sni_told=told)
    icon.images = first.images
    icon.before_show = lambda: painter.before_show(icon)
    try:
        icon.run_detached()
        shown.doubted = icon.doubt
        await together(painter.follow(icon), icon.gone())
        return str(await icon.gone() or _STOPPED)
    finally:
        shown.doubted = _nobody_doubts
        icon.stop()
        await icon.gone()


async def live_in_x_tray(
    address: str, shown: Shown, clicked: Callable[[Click], None], docked: Callable[[bool], None]
) -> str:
    """Be an icon of an X tray whenever there is one; return why the X server is gone.

    ``docked`` is called with True and False as the icon appears and disappears.
    """
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[str | None] = loop.create_future()
    module = await _loaded("credtray.desktop.tray._xembed")
    painter = Painter(shown, TrayMenu(handed_to(loop, clicked)))
    first = await painter.begin()

    def before_show(then: Callable[[], None]) -> None:
        painter.before_show(icon)
        then()

    icon = module.Icon(
        *first.arguments,
        xembed_address=address,
        xembed_docked=handed_to(loop, docked),
        xembed_before_show=handed_to(loop, before_show),
        xembed_gone=handed_to(loop, gone.set_result),
    )
    icon.images = first.images
    try:
        icon.run_detached()
        await together(painter.follow(icon), _done(gone))
        return gone.result() or _STOPPED
    finally:
        icon.stop()
        await asyncio.wait({gone}, timeout=_LEAVE_SECONDS)


def _nobody_doubts() -> None:
    """Ask nobody: there is no icon."""


async def _loaded(module: str) -> Any:
    """Import what is heavy, in a worker."""
    await asyncio.to_thread(load_pystray)
    return await asyncio.to_thread(importlib.import_module, module)


def handed_to(loop: asyncio.AbstractEventLoop, call: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a function for other threads that has it called on the loop's; it returns at once."""

    def hand_over(value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is interested any more
            loop.call_soon_threadsafe(call, value)

    return hand_over


async def _done(future: asyncio.Future[Any]) -> None:
    await asyncio.wait({future})


_log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
"""A panel that restarts lets go of its names for so long: the icon does not change its kind for that."""
PAUSES = (1.0, 2.0, 5.0, 30.0, 60.0)
"""Before an icon that ended by itself is begun again; the last one for good."""
CRASHES = 3
"""In a row; then the next kind of tray is taken."""
FORGIVE_SECONDS = 300.0
"""After so long a kind of tray that crashed may try again."""


class BackEnd(Enum):
    """A kind of tray, the best one first."""

    STATUS_NOTIFIER = "status_notifier"
    XEMBED = "xembed"
    NONE = "none"


_ICONS = {
    BackEnd.STATUS_NOTIFIER: "the icon in the panel",
    BackEnd.XEMBED: "the icon in the X11 tray",
    BackEnd.NONE: "the icon",
}
"""In words for a person."""


def no_panel_words(desktop: str) -> str:
    """Return why there is no icon where no panel takes one; GNOME's needs an extension for it."""
    if "GNOME" in desktop.split(":"):
        return "GNOME shows icons only with its AppIndicator extension (gnome-shell-extension-appindicator)"
    return "no panel that shows StatusNotifier icons is running"


class LinuxTray:
    """The tray of one agent. For one event loop."""

    def __init__(
        self,
        bus: SessionBus,
        shown: Shown,
        clicked: Callable[[Click], None],
        report: Callable[[DesktopPart], None],
        environ: Mapping[str, str],
    ) -> None:
        self._bus = bus
        self._shown = shown
        self._clicked = clicked
        self._part = PartReport(Part.TRAY, report)
        self._address = environ.get("DISPLAY", "")
        self._no_panel = no_panel_words(environ.get("XDG_CURRENT_DESKTOP", ""))
        self._watcher: str | None = None
        self._no_watcher = ""
        """Why there is none, in words."""
        self._looked = asyncio.Event()
        """Set as soon as it is known whether there is a watcher."""
        self._changed = asyncio.Event()
        self._crashes: Counter[BackEnd] = Counter()

    async def run(self) -> None:
        """Show the icon wherever it can be shown, until cancelled."""
        await together(self._follow_watcher(), self._live_on())

    async def _live_on(self) -> None:
        await self._looked.wait()
        while True:
            await self._live_while_chosen(self._choice())

    # --- what there is --------------------------------------------------------------------------------

    async def _follow_watcher(self) -> None:
        async def follow(connection: Connection) -> None:
            async with contextlib.aclosing(connection.owners(WATCHER)) as owners:
                async for owner in owners:
                    self._found(owner, self._no_panel)

        def ended(trouble: BusTrouble | None) -> None:
            lost = "the connection to the message bus was lost"
            self._found(None, lost if trouble is None else _sentence(trouble))

        await use_connections(self._bus, follow, ended)

    def _found(self, owner: str | None, reason: str) -> None:
        if owner is not None and owner != self._watcher:
            del self._crashes[BackEnd.STATUS_NOTIFIER]  # another panel: it may get on with us
        self._watcher, self._no_watcher = owner, reason
        self._looked.set()
        self._changed.set()

    def _choice(self) -> BackEnd:
        if self._watcher is not None and self._crashes[BackEnd.STATUS_NOTIFIER] < CRASHES:
            return BackEnd.STATUS_NOTIFIER
        return BackEnd.XEMBED if self._address else BackEnd.NONE

    # --- one life after another -----------------------------------------------------------------------

    async def _live_while_chosen(self, back_end: BackEnd) -> None:
        """Return when another kind is better, or some time after this one has ended by itself."""
        life = asyncio.create_task(self._live(back_end), name=f"tray {back_end.value}")
        began = asyncio.get_running_loop().time()
        try:
            while not life.done() and self._choice() is back_end:
                await self._change(life)
                if back_end is BackEnd.STATUS_NOTIFIER and self._watcher is None and not life.done():
                    await asyncio.wait({life}, timeout=SETTLE_SECONDS)
        finally:
            chosen = life.done()
            life.cancel()
            await asyncio.wait({life})
        if chosen:
            if asyncio.get_running_loop().time() - began > FORGIVE_SECONDS:
                del self._crashes[back_end]
            await self._take_end(back_end, life)

    async def _change(self, life: asyncio.Task[str] | None, seconds: float | None = None) -> None:
        """Wait until what there is has changed, or the life has ended, or the time is over."""
        self._changed.clear()
        changed = asyncio.create_task(self._changed.wait(), name="tray change")
        try:
            waited = {changed} if life is None else {changed, life}
            await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            await asyncio.wait({changed})

    async def _take_end(self, back_end: BackEnd, life: asyncio.Task[str]) -> None:
        """Log and tell why an icon has ended by itself, and wait before the next one."""
        self._crashes[back_end] += 1
        crashes = self._crashes[back_end]
        error = life.exception()
        if error is None:
            reason = life.result()
            happened = "the tray icon is no longer shown" if self._part.is_served else "no tray icon"
            _log.info("%s: %s", happened, reason)
        else:
            reason = _sentence(error) if isinstance(error, CredtrayError) else "it failed; see the log"
            _log.error("the tray icon (%s) failed", back_end.value, exc_info=error)
        if back_end is BackEnd.STATUS_NOTIFIER and crashes == CRASHES:
            asyncio.get_running_loop().call_later(FORGIVE_SECONDS, self._forgive)
        self._part.tell(None, f"{_ICONS[back_end]} ended: {reason}")
        await self._change(None, pause_after(crashes - 1, PAUSES))

    def _forgive(self) -> None:
        del self._crashes[BackEnd.STATUS_NOTIFIER]
        self._changed.set()

    async def _live(self, back_end: BackEnd) -> str:
        if back_end is BackEnd.STATUS_NOTIFIER:
            return await live_as_status_notifier(self._bus, self._shown, self._clicked, self._taken)
        if back_end is BackEnd.XEMBED:
            return await live_in_x_tray(self._address, self._shown, self._clicked, self._docked)
        self._part.tell(None, f"{self._no_status_notifier}, and there is no X server (DISPLAY is not set)")
        await asyncio.Event().wait()
        return ""

    # --- what it says -----------------------------------------------------------------------------------

    @property
    def _no_status_notifier(self) -> str:
        if self._watcher is not None:
            return "the icon failed several times in this panel (see the log)"
        return self._no_watcher

    def _taken(self, reason: str | None) -> None:
        self._part.tell(BackEnd.STATUS_NOTIFIER.value if reason is None else None, reason)

    def _docked(self, docked: bool) -> None:  # noqa: FBT001 - called with what happened
        if docked:
            self._part.tell(BackEnd.XEMBED.value, self._no_status_notifier)
        else:
            self._part.tell(
                None, f"{self._no_status_notifier}, and the X server {self._address} has no tray for it"
            )


def _sentence(error: CredtrayError) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
