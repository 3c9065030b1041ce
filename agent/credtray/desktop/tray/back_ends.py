"""One life of an icon on Linux, from its beginning to its end, for each kind of tray.

Chooses nothing and begins nothing again: see ``tray.linux``.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Callable
from typing import Any

from credtray.core.clicks import Click
from credtray.desktop.bus.session import SessionBus
from credtray.desktop.pystray_import import load_pystray
from credtray.desktop.together import together
from credtray.desktop.tray.menu import TrayMenu
from credtray.desktop.tray.painting import Painter, Shown

_LEAVE_SECONDS = 1.0
"""How long an X server that hangs may hold up the end."""
_STOPPED = "the icon was stopped"


async def live_as_status_notifier(
    bus: SessionBus, shown: Shown, clicked: Callable[[Click], None], told: Callable[[str | None], None]
) -> str:
    """Be an icon of a StatusNotifier panel; return why it ended.

    ``told`` is called with None whenever the panel has taken the icon, and else with why it shows none.
    """
    module = await _loaded("credtray.desktop._sni")
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
    module = await _loaded("credtray.desktop._xembed")
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
