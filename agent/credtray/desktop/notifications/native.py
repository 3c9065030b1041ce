"""Notifications on macOS and Windows: desktop-notifier on a loop and a thread of its own, else plyer.

Was tried with fakes only, never on these systems. Must not be used on Linux: there desktop-notifier neither
replaces nor tells a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from credtray.core.clicks import Click
from credtray.core.errors import AssetMissing, NotifierUnavailable
from credtray.core.face.look import Look
from credtray.core.ports import DesktopPart, Notification, Part, Urgency
from credtray.desktop.assets import PICTURE, asset_path
from credtray.desktop.notifications.picture import picture_file
from credtray.desktop.notifications.plyer import PlyerNotifier, why_not_plyer
from credtray.desktop.notifications.text import LABEL_LENGTH, TITLE_LENGTH, body_text
from credtray.desktop.notifications.waiting import NOT_JOINED, wait_for_loop
from credtray.desktop.shown_text import without_markup

_log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 0.5
_WAITING: Final = "waiting for the permission to notify"


class NativeNotifier:
    """Implements ``ports.Notifier`` with what the system offers."""

    def __init__(
        self,
        platform: str,
        clicked: Callable[[Click], None],
        report: Callable[[DesktopPart], None],
        load: Callable[[str], Any] = importlib.import_module,
    ) -> None:
        """Do nothing yet; ``load`` imports a module by name."""
        self._platform = platform
        self._clicked = clicked
        self._report = report
        self._load = load
        self._count = itertools.count(1)
        self._part = DesktopPart(Part.NOTIFICATIONS, None, NOT_JOINED)
        self._agent_loop: asyncio.AbstractEventLoop | None = None
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._module: Any = None
        self._center: Any = None
        self._instead: PlyerNotifier | None = None
        self._shown: dict[str, str] = {}
        """Key -> identifier; changed on the own loop only."""
        self._pictures: Path | None = None
        """Where the pictures of notices lie while they may be shown."""

    # --- on a worker's thread ---------------------------------------------------------------------------

    def show(self, notification: Notification) -> None:
        """Show one notification; one with the same key is replaced.

        Raises:
            NotifierUnavailable: nobody was told within two seconds; the reason is in it.
        """
        if self._instead is not None:
            self._instead.show(notification)
        elif self._center is None:
            raise NotifierUnavailable(self._part.reason or NOT_JOINED)
        else:
            wait_for_loop(self._own_loop, lambda: self._send(notification))

    def withdraw(self, key: str) -> None:
        """Take a notification back, if it is still there."""
        if self._center is not None:
            with contextlib.suppress(NotifierUnavailable):
                wait_for_loop(self._own_loop, lambda: self._clear(key))

    # --- on the agent's loop ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until cancelled."""
        self._agent_loop = asyncio.get_running_loop()
        async with self._own_thread() as own, _own_directory() as self._pictures:
            self._tell(None, _WAITING)
            try:
                begun = asyncio.run_coroutine_threadsafe(self._begin(), own)
                await asyncio.wrap_future(begun)
                self._tell("desktop-notifier", None)
            except NotifierUnavailable as error:
                self._fall_back(error.detail)
            await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def _own_thread(self) -> AsyncIterator[asyncio.AbstractEventLoop]:
        """Run a loop in a thread: the systems' calls may block, and the agent's loop must not."""
        own = asyncio.new_event_loop()
        thread = threading.Thread(target=own.run_forever, name="notifications", daemon=True)
        thread.start()
        self._own_loop = own
        try:
            yield own
        finally:
            self._own_loop = self._center = self._agent_loop = None
            own.call_soon_threadsafe(own.stop)
            # Not in a worker: a loop whose end is near may have none left. A hanging system keeps its thread.
            thread.join(_STOP_SECONDS)
            if not thread.is_alive():
                own.close()

    def _fall_back(self, reason: str) -> None:
        why_not = why_not_plyer(self._platform)
        if why_not is None:
            self._instead = PlyerNotifier()
            self._tell("plyer", reason)
        else:
            self._tell(None, f"{reason}; {why_not}")

    def _tell(self, back_end: str | None, reason: str | None) -> None:
        self._part = DesktopPart(Part.NOTIFICATIONS, back_end, reason)
        self._report(self._part)

    # --- on the own loop --------------------------------------------------------------------------------

    async def _begin(self) -> None:
        try:
            module = self._load("desktop_notifier")
            path = asset_path(PICTURE)
            center = module.DesktopNotifier("credtray", path and module.Icon(path=path))
            capabilities = await center.get_capabilities()
            allowed = await center.request_authorisation()
        except Exception as error:
            detail = f"desktop-notifier does not work here: {type(error).__name__}"
            raise NotifierUnavailable(detail) from error
        if not capabilities:  # its dummy back-end
            raise NotifierUnavailable(
                "macOS allows notifications only from app bundles, and Windows needs version 10 or later"
            )
        if not allowed:
            raise NotifierUnavailable("notifications from credtray are turned off in the system's settings")
        self._module, self._center = module, center

    async def _send(self, notification: Notification) -> None:
        key, identifier = notification.key, f"credtray-{next(self._count)}"
        dispatched = asyncio.Event()
        native = self._native(notification, identifier, dispatched.set)
        try:
            await self._center.send_notification(native)
        except Exception as error:
            raise NotifierUnavailable(f"the system refused it: {type(error).__name__}") from error
        if not dispatched.is_set():
            raise NotifierUnavailable("the system refused it")
        # A new identifier and the old one cleared: so a click on what was replaced is known as such.
        await self._clear(key)
        self._shown[key] = identifier

    def _native(self, notification: Notification, identifier: str, dispatched: Callable[[], None]) -> Any:
        """Return it as desktop-notifier wants it.

        ``dispatched`` is the only sign of success: failures are logged, and an identifier comes all the same.
        """
        module = self._module
        buttons = [
            module.Button(
                title=without_markup(button.label, LABEL_LENGTH),
                on_pressed=self._pressed(notification.key, identifier, button.click),
            )
            for button in notification.buttons
        ]
        return module.Notification(
            title=without_markup(notification.title, TITLE_LENGTH),
            message=body_text(notification.body),
            urgency=_urgency(module, notification.urgency),
            **self._pictured(notification.picture),
            buttons=tuple(buttons),
            on_clicked=buttons[0].on_pressed if buttons else None,
            on_dispatched=dispatched,
            identifier=identifier,
        )

    def _pictured(self, look: Look) -> dict[str, Any]:
        """Return the picture beside this notice; macOS shows every notice of a program with the same icon."""
        if self._pictures is None:
            return {}
        try:
            path = picture_file(look, self._pictures)
        except (AssetMissing, OSError) as error:  # the words matter more
            _log.warning("a notification has no picture: %s", error)
            return {}
        if self._platform == "darwin":
            return {"attachment": self._module.Attachment(path=path)}
        return {"icon": self._module.Icon(path=path)}

    async def _clear(self, key: str) -> None:
        identifier = self._shown.pop(key, None)
        if identifier is None:
            return
        try:
            await self._center.clear(identifier)
        except Exception as error:  # noqa: BLE001 - whatever the system says: it is no longer ours
            _log.debug("a notification was not cleared: %s", type(error).__name__)

    def _pressed(self, key: str, identifier: str, click: Click) -> Callable[[], None]:
        def pressed() -> None:
            if self._shown.get(key) == identifier and self._agent_loop is not None:
                self._agent_loop.call_soon_threadsafe(self._clicked, click)

        return pressed


@contextlib.asynccontextmanager
async def _own_directory() -> AsyncIterator[Path]:
    """Give a directory that is gone afterwards; a program that still shows a file of it may hold it open."""
    with tempfile.TemporaryDirectory(prefix="credtray-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _urgency(module: Any, urgency: Urgency) -> Any:
    kinds = module.Urgency
    return {Urgency.LOW: kinds.Low, Urgency.NORMAL: kinds.Normal, Urgency.CRITICAL: kinds.Critical}[urgency]
