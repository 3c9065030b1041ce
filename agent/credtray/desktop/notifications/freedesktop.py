"""What the notification daemon of a Linux desktop shows of ours (Desktop Notifications Specification 1.2).

For one connection and one event loop. Waits for a daemon that hangs as long as the caller wants; see
``notifications.dbus`` for who must not.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from credtray.core.clicks import Click
from credtray.core.errors import AssetMissing, BusCallFailed, BusUnavailable, NotifierUnavailable
from credtray.core.icon_state import IconState
from credtray.core.ports import DesktopPart, Notification, Part, Urgency
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import BusTrouble, SessionBus, use_connections
from credtray.desktop.bus.signals import DAEMON, DAEMON_PATH, ERRORS, Signal
from credtray.desktop.notifications.native import PlyerNotifier, why_not_plyer
from credtray.desktop.notifications.text import (
    LABEL_LENGTH,
    NOT_JOINED,
    TITLE_LENGTH,
    ImageData,
    body_text,
    image_data,
    moved_to_body,
    wait_for_loop,
)
from credtray.desktop.part_report import PartReport, together
from credtray.desktop.tray.painting import without_markup

_log = logging.getLogger(__name__)

NAME: Final = "org.freedesktop.Notifications"
_PATH: Final = "/org/freedesktop/Notifications"
DEFAULT_ACTION: Final = "default"
"""What a click on the body invokes, by the specification."""
DRAWS_DEFAULT: Final = frozenset({"Xfce Notify Daemon"})
"""Servers that draw the default action as a button too; the first button would stand there twice."""

ABSENT: Final = "no notification service is running"
HANGING: Final = "the notification service does not answer"
UNREACHABLE: Final = MappingProxyType(
    {
        f"{ERRORS}.ServiceUnknown": ABSENT,
        f"{ERRORS}.NameHasNoOwner": ABSENT,
        f"{ERRORS}.NoReply": HANGING,
        f"{ERRORS}.Timeout": HANGING,
        f"{ERRORS}.TimedOut": HANGING,
    }
)
"""D-Bus's errors after which nobody was asked at all, in words for a person."""

CUTS_TITLES: Final = MappingProxyType({"Xfce Notify Daemon": 38})
"""Characters of a title in bold that these servers show; the rest of it they replace by an ellipsis."""

_ICON_NAME: Final = "credtray"
"""Of the icon theme."""
_ICON, _HINTS = 2, 6
"""Places among the arguments of Notify."""
_NEVER: Final = 0
_EXPIRES: Final = MappingProxyType({Urgency.LOW: 5000, Urgency.NORMAL: -1, Urgency.CRITICAL: 0})
"""Milliseconds; -1 is the daemon's own time, 0 is never."""
_VERSION: Final = 3
"""Where GetServerInformation tells the version of the specification."""
_IMAGE_HINTS: Final = MappingProxyType({"1.1": "image_data", "1.0": "icon_data", "0.9": "icon_data"})
"""By the version of the specification; newer ones say ``image-data``."""
_LEVELS: Final = MappingProxyType({Urgency.LOW: 0, Urgency.NORMAL: 1, Urgency.CRITICAL: 2})


@dataclass(slots=True)
class _Popup:
    """One notification, as it was sent."""

    clicks: dict[str, Click]
    """By action id."""
    asks: bool = False
    """It has buttons."""
    number: int = 0
    """The daemon's; 0 while it has not answered, and for one that cannot be addressed."""
    closed: bool = False
    """True: the daemon has taken it off the screen (it may still be in its history)."""
    moot: bool = False
    """True: withdrawn before the daemon answered."""


@dataclass(frozen=True, slots=True)
class Server:
    """The daemon that answers now."""

    name: str
    """As it calls itself, such as ``dunst``."""
    actions: bool
    """It can show buttons."""
    image_hint: str = "image-data"
    """What it calls a picture that comes with the notification."""


class NotificationService:
    """Shows, replaces and closes our notifications; tells clicks. Made anew for each connection."""

    def __init__(self, connection: Connection, clicked: Callable[[Click], None]) -> None:
        self._connection = connection
        self._clicked = clicked
        self._count = itertools.count(1)
        self._turn = asyncio.Lock()
        self._popups: dict[str, _Popup] = {}
        self._coming: dict[str, _Popup] = {}
        self._server: Server | None = None
        self._owned = False
        self._generation = 0
        """Counts the daemons that ended."""

    @property
    def owned(self) -> bool:
        """True while a daemon runs."""
        return self._owned

    @contextlib.asynccontextmanager
    async def listening(self, changed: Callable[[], None]) -> AsyncIterator[None]:
        """Hear clicks and closings; ``changed`` is called when a daemon appears, vanishes or restarts.

        Raises:
            BusUnavailable, BusCallFailed: the bus cannot be asked.
        """

        def owner_changed(signal: Signal) -> None:
            _, old, new = (str(value) for value in signal.body)
            self._owned = bool(new)
            if old:  # the ids of the next one begin at 1 again and would hit somebody else's notification
                self._server = None
                self._generation += 1
                self._popups.clear()
            changed()

        connection = self._connection
        async with (
            connection.listen(owner_changed, sender=DAEMON, member="NameOwnerChanged", arg0=NAME),
            connection.listen(self._heard, sender=NAME, interface=NAME, path=_PATH),
        ):
            self._owned = await connection.owner(NAME) is not None
            yield

    async def startable(self) -> bool:
        """Return whether the bus starts a daemon when the first notification is sent."""
        [names] = await self._connection.call(DAEMON, DAEMON_PATH, DAEMON, "ListActivatableNames")
        return NAME in names

    async def server(self, seconds: float) -> Server:
        """Return who answers; asked once per daemon, with ``seconds`` for each answer.

        Raises:
            BusCallFailed: nobody is there, or the daemon is silent.
            BusUnavailable: the connection is gone.
        """
        if self._server is None:
            capabilities = await self._told("GetCapabilities", seconds)
            identity = await self._told("GetServerInformation", seconds)
            offered = capabilities[0] if capabilities and isinstance(capabilities[0], list) else []
            name = without_markup(str(identity[0]), LABEL_LENGTH) if identity else ""
            version = str(identity[3]) if len(identity) > _VERSION else ""
            self._server = Server(name, "actions" in offered, _IMAGE_HINTS.get(version, "image-data"))
        return self._server

    def doubt(self) -> None:
        """Ask the daemon anew who it is: it has hung, and only its answer tells that it does so no longer."""
        self._server = None

    async def show(self, notification: Notification, picture: ImageData | None, seconds: float) -> None:
        """Show it, in place of the one with the same key; return when the daemon has taken it.

        Without a picture it has the program's icon. With one it has none: a daemon that shows both would put
        credtray's green tick beside bad news.

        Raises:
            BusCallFailed: nobody is there, the daemon refuses, answers rubbish, or is silent for ``seconds``.
            BusUnavailable: the connection is gone.
        """
        async with self._turn:
            server = await self.server(seconds)
            popup = _Popup({}, asks=bool(notification.buttons))
            arguments = self._arguments(notification, popup, server)
            if picture is not None:
                arguments[_ICON], arguments[_HINTS][server.image_hint] = "", _image(picture)
            key, generation = notification.key, self._generation
            old = self._popups.pop(key, None)  # what is clicked on it from now on was decided anew
            self._coming[key] = popup
            try:
                arguments[1] = old.number if old is not None and not old.closed else 0
                answer = await self._call("Notify", "susssasa{sv}i", arguments, seconds)
                popup.number = _number(answer)
            except BusCallFailed:
                if old is not None and not popup.moot and self._generation == generation:
                    self._popups[key] = old  # it still stands there
                raise
            finally:
                del self._coming[key]
            if popup.moot:
                await self._close(popup.number)
            elif popup.number:
                self._keep(key, popup)

    async def withdraw(self, key: str) -> None:
        """Close the notification with this key, if there is one; clicks on it mean nothing from now on."""
        if key in self._coming:
            self._coming[key].moot = True
        popup = self._popups.pop(key, None)
        if popup is not None and not popup.closed:
            await self._close(popup.number)

    async def close_all(self) -> None:
        """Close what has buttons: nobody will heed them any more."""
        keys = [key for key, popup in self._popups.items() if popup.asks]
        await asyncio.gather(*(self.withdraw(key) for key in keys))

    # --- what is sent -----------------------------------------------------------------------------------

    def _arguments(self, notification: Notification, popup: _Popup, server: Server) -> list[Any]:
        """Return what Notify takes, and remember in ``popup`` what its actions mean."""
        actions: list[str] = []
        count = next(self._count)
        body, shown = notification.on_body, notification.buttons
        if body in shown and server.name in DRAWS_DEFAULT:
            shown = shown[1:]
        # A real label for the click on the body, too: some daemons draw it.
        named = {DEFAULT_ACTION: body, **{f"n{count}:{index}": each for index, each in enumerate(shown)}}
        for action, button in named.items() if server.actions else ():
            popup.clicks[action] = button.click
            actions += [action, without_markup(button.label, LABEL_LENGTH)]
        without_buttons = bool(notification.buttons) and not server.actions
        longest = CUTS_TITLES.get(server.name, TITLE_LENGTH)
        whole, rest = moved_to_body(notification.title, notification.body, longest)
        title = without_markup(whole, TITLE_LENGTH)
        text = body_text(rest, without_buttons=without_buttons)
        hints = _hints(notification.urgency)
        expires = _NEVER if notification.stays else _EXPIRES[notification.urgency]
        return ["credtray", 0, _ICON_NAME, title, text, actions, hints, expires]

    def _keep(self, key: str, popup: _Popup) -> None:
        for other, shown in tuple(self._popups.items()):
            if shown.number == popup.number:  # a daemon that shows one at a time
                del self._popups[other]
        self._popups[key] = popup

    async def _close(self, number: int) -> None:
        if number:
            try:
                await self._call("CloseNotification", "u", [number], 2.0)
            except (BusCallFailed, BusUnavailable) as error:  # closed meanwhile, or gone with its daemon
                _log.debug("a notification was not closed: %s", error)

    async def _told(self, member: str, seconds: float) -> list[Any]:
        """Return what a daemon tells of itself; one that does not know the question tells nothing."""
        try:
            return await self._call(member, "", [], seconds)
        except BusCallFailed as error:
            if error.error_name in UNREACHABLE:
                raise
            return []

    async def _call(self, member: str, signature: str, body: list[Any], seconds: float) -> list[Any]:
        return await self._connection.call(NAME, _PATH, NAME, member, signature, body, seconds=seconds)

    # --- what is heard ----------------------------------------------------------------------------------

    def _heard(self, signal: Signal) -> None:
        match signal.member, signal.body:
            case "ActionInvoked", [int(number), str(action)]:
                for popup in self._popups.values():
                    if popup.number == number and action in popup.clicks:
                        self._clicked(popup.clicks[action])
                        return
            case "NotificationClosed", [int(number), *_]:
                for popup in self._popups.values():
                    # Kept: some daemons tell the click after the end, and some bring it back from a history.
                    popup.closed |= popup.number == number


def _image(picture: ImageData) -> Any:
    from dbus_fast import Variant

    return Variant("(iiibiiay)", list(picture))


def _hints(urgency: Urgency) -> dict[str, Any]:
    from dbus_fast import Variant

    hints = {"urgency": Variant("y", _LEVELS[urgency]), "desktop-entry": Variant("s", "credtray")}
    if urgency is Urgency.LOW:
        hints["transient"] = Variant("b", True)  # good news leaves no trace in a history
    return hints


def _number(answer: list[Any]) -> int:
    match answer:
        case [int(number)] if number >= 0:
            return number
        case _:
            raise BusCallFailed("the notification service answers without an id")


# Notifications on Linux: joins the threads that tell something with the notification daemon on D-Bus.
#
# Must let nobody wait longer than two seconds, whatever daemon and bus do. Knows not what a click does.


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
        elif isinstance(error, BusUnavailable) and why_not_plyer() is None:
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


def _drawn(look: IconState) -> ImageData | None:
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
