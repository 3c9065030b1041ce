"""Notifications on Linux: joins the threads that tell something with the notification daemon on D-Bus.

Must let nobody wait longer than two seconds, whatever daemon and bus do. Knows not what a click does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from credtray.core.clicks import Click
from credtray.core.errors import AssetMissing, BusCallFailed, BusUnavailable, NotifierUnavailable
from credtray.core.face.look import Look
from credtray.core.ports import DesktopPart, Notification, Part
from credtray.desktop.bus.reconnecting import BusTrouble, use_connections
from credtray.desktop.bus.session import Connection, SessionBus
from credtray.desktop.notifications.freedesktop import (
    ABSENT,
    HANGING,
    NAME,
    UNREACHABLE,
    NotificationService,
)
from credtray.desktop.notifications.picture import ImageData, image_data
from credtray.desktop.notifications.plyer import PlyerNotifier, why_not_plyer
from credtray.desktop.notifications.waiting import NOT_JOINED, wait_for_loop
from credtray.desktop.part_report import PartReport
from credtray.desktop.shown_text import without_markup
from credtray.desktop.together import together

_log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 1.8
"""A daemon that takes longer counts as hanging; below two seconds, so that the waiting thread learns why."""
PATIENCE_SECONDS: Final = 60.0
"""A late answer is still heard: the id in it keeps the same notice from standing there twice."""
AGAIN_SECONDS: Final = 60.0
"""After a refusal."""
CLOSING_SECONDS: Final = 0.4
"""For taking notices whose buttons go dead off the screen, at the end."""

_NO_BUTTONS: Final = "it shows no buttons; the tray menu has them"
_LONGEST_REASON: Final = 160


class DesktopNotifier:
    """Implements ``ports.Notifier`` over D-Bus."""

    def __init__(
        self, bus: SessionBus, clicked: Callable[[Click], None], report: Callable[[DesktopPart], None]
    ) -> None:
        """Do nothing yet; ``clicked`` and ``report`` are called on the loop that runs ``run``.

        A report with a back-end means that from now on somebody can be told.
        """
        self._bus = bus
        self._clicked = clicked
        self._part = PartReport(Part.NOTIFICATIONS, report)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._service: NotificationService | None = None
        self._instead: PlyerNotifier | None = None
        self._sent: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._look_again = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    # --- on a worker's thread ---------------------------------------------------------------------------

    def show(self, notification: Notification) -> None:
        """Show one notification; one with the same key is replaced.

        Raises:
            NotifierUnavailable: nobody was told within two seconds; the reason is in it.
        """
        if self._instead is not None:
            self._instead.show(notification)
        else:
            picture = _drawn(notification.picture)  # here, where it holds up nobody
            wait_for_loop(self._loop, lambda: self._show(notification, picture))

    def withdraw(self, key: str) -> None:
        """Take a notification back, if it is still there."""
        with contextlib.suppress(NotifierUnavailable):
            wait_for_loop(self._loop, lambda: self._withdraw(key))

    # --- on the loop ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep joined with bus and daemon, and report who shows notices, until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            await use_connections(self._bus, self._serve, self._without_bus)
        finally:
            self._loop = None

    async def _serve(self, connection: Connection) -> None:
        """Use one connection until it is lost."""
        service = NotificationService(connection, self._clicked)
        async with service.listening(self._look_again.set):
            self._service = service
            try:
                await together(self._look(service), connection.lost())
            finally:
                self._service = None
                await self._leave(service)

    async def _look(self, service: NotificationService) -> None:
        """Find out who shows notices now, and again whenever that may have changed."""
        while True:
            self._look_again.clear()
            hanging = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._part.tell, None, HANGING)
            try:
                self._part.tell(*await _seen(service))
            except (BusCallFailed, BusUnavailable) as error:
                self._failed(error)
            finally:
                hanging.cancel()
            await self._look_again.wait()

    async def _leave(self, service: NotificationService) -> None:
        if self._later is not None:
            self._later.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await service.close_all()
        for task in tuple(self._sent):
            task.cancel()
        await asyncio.gather(*self._sent, return_exceptions=True)

    async def _show(self, notification: Notification, picture: ImageData | None) -> None:
        service = self._service
        if service is None or self._late:  # one that hangs gets no more: all of it would pop up at once
            raise NotifierUnavailable(self._why_not())
        showing = service.show(notification, picture, PATIENCE_SECONDS)
        sending = asyncio.create_task(showing, name="notification")
        self._sent.add(sending)
        sending.add_done_callback(self._sent.discard)
        await asyncio.wait({sending}, timeout=ANSWER_SECONDS)
        if not sending.done():
            self._late.add(sending)
            sending.add_done_callback(self._answered_late)
            service.doubt()
            self._part.tell(None, HANGING)
            raise NotifierUnavailable(HANGING)
        try:
            sending.result()
        except (BusCallFailed, BusUnavailable) as error:
            self._failed(error)
            raise NotifierUnavailable(self._why_not()) from error

    async def _withdraw(self, key: str) -> None:
        if self._service is not None:
            await self._service.withdraw(key)

    def _answered_late(self, sending: asyncio.Task[None]) -> None:
        self._late.discard(sending)
        if not sending.cancelled():
            _log.info("the notification service answered late: %s", sending.exception() or "shown")
        self._look_again.set()

    # --- who shows notices ------------------------------------------------------------------------------

    def _failed(self, error: BusTrouble) -> None:
        """Report it, and look again after a while: a refusal may pass without a word."""
        self._part.tell(None, _reason(error))
        if self._later is not None:
            self._later.cancel()
        self._later = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._look_again.set)

    def _without_bus(self, error: BusTrouble | None) -> None:
        if error is None:
            self._part.tell(None, "the message bus was lost")
        elif isinstance(error, BusUnavailable) and why_not_plyer("linux") is None:
            self._instead = self._instead or PlyerNotifier()
            self._part.tell("plyer", _reason(error))
        else:
            self._part.tell(None, _reason(error))

    def _why_not(self) -> str:
        return self._part.reason or NOT_JOINED


async def _seen(service: NotificationService) -> tuple[str | None, str | None]:
    """Return back-end and reason; starts no daemon."""
    if not service.owned:
        return (NAME, None) if await service.startable() else (None, ABSENT)
    server = await service.server(PATIENCE_SECONDS)
    return f"{NAME} ({server.name})", None if server.actions else _NO_BUTTONS


def _drawn(look: Look) -> ImageData | None:
    try:
        return image_data(look)
    except AssetMissing as error:  # the words matter more
        _log.warning("a notification has no picture: %s", error)
        return None


def _reason(error: BusTrouble) -> str:
    if isinstance(error, BusUnavailable):
        return without_markup(f"the message bus cannot be reached: {error.detail}", _LONGEST_REASON)
    refused = f"the notification service refused: {error.detail}"
    return UNREACHABLE.get(error.error_name) or without_markup(refused, _LONGEST_REASON)
