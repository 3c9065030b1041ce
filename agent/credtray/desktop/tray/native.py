"""The tray icon on macOS and Windows: pystray's own back-end on the main thread, led by the loop beside it.

Touches the icon on the main thread only; what is special is in ``tray.macos`` and ``tray.windows``.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from credtray.core.backoff import pause_after
from credtray.core.clicks import Click
from credtray.core.icon_state import IconState
from credtray.core.ports import DesktopPart, Part
from credtray.desktop.balloons import Balloon, BalloonBoard
from credtray.desktop.icon import Panel
from credtray.desktop.main_thread import MainThread
from credtray.desktop.tray.linux import handed_to
from credtray.desktop.tray.painting import Painter, Shown, TrayMenu

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

_PAUSES = (1.0, 5.0, 30.0)
"""Before an icon that ended by itself is begun again; the last one for good."""
_LEAVE_SECONDS = 2.0
"""How long a system that hangs may hold up the end."""


class NoWindowError(Exception):
    """This session lets programs have no window, so it shows no icon either."""


class NativeBackEnd(Protocol):
    """What a system's module offers."""

    AMPERSANDS: bool
    """Whether the system takes ``&`` in labels for the mark of a mnemonic."""

    def why_not(self) -> str | None:
        """Return why this session can show no icon at all, or None; any thread."""
        ...

    def images(self, look: IconState, panel: Panel, /) -> Mapping[int, Image]:
        """Draw the icon as it is wanted there: ``painting.Draw``."""
        ...

    def icon_class(self) -> Callable[..., Any]:
        """Return a ``pystray.Icon`` that takes ``images``, and ``on_main(work)`` from any thread.

        Its ``run`` raises NoWindowError where no window can be had.

        Its ``end_session`` is set; it calls that, on the main thread, when the system is about to end the
        process, and lets the system go on when it returns. So is its ``before_show``: an icon that opens its
        menu itself calls that with what opens it. ``after_show`` is to be called when the system was asked
        once more to show the icon, and has a ``refusal``, which tells why it does not, or None.

        One that shows balloons has ``balloon`` and calls its ``heard_balloon``: see ``BalloonBoard``.
        """
        ...


class NativeTray:
    """The tray of one agent. For one event loop, which is not on the main thread."""

    def __init__(
        self,
        shown: Shown,
        clicked: Callable[[Click], None],
        report: Callable[[DesktopPart], None],
        main_thread: MainThread | None,
        back_end: NativeBackEnd | None = None,
        balloons: BalloonBoard | None = None,
    ) -> None:
        self._shown = shown
        self._balloons = balloons or BalloonBoard()
        self._clicked = clicked
        self._report = report
        self._main_thread = main_thread
        self._back_end = back_end

    async def run(self) -> None:
        """Show the icon until cancelled; then the main thread is given back."""
        if self._main_thread is None:
            self._tell("the agent was not given the main thread for it")
            await asyncio.Event().wait()
            return
        failures = 0
        while True:
            try:
                back_end = self._back_end or await _this_system()
                reason = back_end.why_not()
                if reason is None:
                    await self._live(self._main_thread, back_end)
                    reason = "its event loop has ended"
                    _log.info("the tray icon is gone")
            except NoWindowError as error:
                _log.debug("no tray icon: %s", error.__cause__)
                reason = "this session shows no windows"
            except Exception as error:  # noqa: BLE001 - an error border: the tray never stops the agent
                _log.error("the tray icon failed", exc_info=error)
                reason = f"it failed ({type(error).__name__}); see the log"
            self._tell(reason)
            await asyncio.sleep(pause_after(failures, _PAUSES))
            failures += 1

    async def _live(self, main_thread: MainThread, back_end: NativeBackEnd) -> None:
        loop, balloons = asyncio.get_running_loop(), self._balloons
        menu = TrayMenu(handed_to(loop, self._clicked), ampersands=back_end.AMPERSANDS)
        painter = Painter(self._shown, menu, back_end.images)
        first = await painter.begin()
        made: list[Any] = []

        def shows(refusal: str | None) -> None:
            self._tell(refusal, getattr(made[0], "balloon", None))

        report = handed_to(loop, shows)

        def before_show(then: Callable[[], None]) -> None:
            painter.before_show(_OnMain(made[0]))
            then()

        def make() -> None:
            icon = back_end.icon_class()(*first.arguments)
            icon.images = first.images
            icon.end_session = main_thread.end
            icon.before_show = handed_to(loop, before_show)
            icon.heard_balloon = balloons.heard
            icon.after_show = lambda: report(getattr(icon, "refusal", None))
            made.append(icon)

        await asyncio.wrap_future(main_thread.lend(make))
        [icon] = made
        ready: asyncio.Future[Any] = loop.create_future()
        told = handed_to(loop, ready.set_result)
        running = asyncio.wrap_future(main_thread.lend(lambda: icon.run(told)))
        await self._beside(icon, painter, ready, running)

    def _tell(self, refusal: str | None, balloon: Callable[[Balloon | None], bool] | None = None) -> None:
        """Report the icon as soon as the system has taken it, and no sooner; or why there is none."""
        self._balloons.lend(balloon if refusal is None else None)
        self._report(DesktopPart(Part.TRAY, "pystray" if refusal is None else None, refusal))

    async def _beside(
        self, icon: Any, painter: Painter, ready: asyncio.Future[Any], running: asyncio.Future[None]
    ) -> None:
        """Paint while the icon's own loop runs on the main thread."""
        on_main = _OnMain(icon)
        painting: asyncio.Task[None] | None = None
        try:
            await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                icon.on_main(lambda: setattr(icon, "visible", True))
                icon.on_main(icon.after_show)
                painting = asyncio.create_task(painter.follow(on_main), name="tray painting")
                await asyncio.wait({painting, running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if painting is not None:
                painting.cancel()
                await asyncio.wait({painting})
            is_ending = self._main_thread is not None and self._main_thread.is_ending
            if not running.done() and not is_ending:  # the system takes the icon away with the process
                icon.on_main(icon.stop)
                _, hanging = await asyncio.wait({running}, timeout=_LEAVE_SECONDS)
                if hanging:
                    _log.warning("the tray does not return the main thread")
        for ended in (running, painting):
            if ended is not None and ended.done() and not ended.cancelled():
                ended.result()


class _OnMain:
    """The icon as the painter knows it: whatever is set, is set on the main thread."""

    _icon: Any

    def __init__(self, icon: Any) -> None:
        object.__setattr__(self, "_icon", icon)

    def __setattr__(self, name: str, value: Any) -> None:
        icon = self._icon
        icon.on_main(lambda: setattr(icon, name, value))


async def _this_system() -> NativeBackEnd:
    """Import what this system needs, in a worker."""
    name = "macos" if sys.platform == "darwin" else "windows"
    module: Any = await asyncio.to_thread(importlib.import_module, f"credtray.desktop.tray.{name}")
    back_end: NativeBackEnd = module
    return back_end
