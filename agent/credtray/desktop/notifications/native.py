"""Notifications on macOS and Windows: desktop-notifier on a loop of its own, else osascript.

What Windows has instead is in ``notifications.windows``. Was tried with fakes only, never on these systems.
Must not be used on Linux: there desktop-notifier neither replaces nor tells a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import itertools
import logging
import shutil
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from credtray.core.clicks import Click
from credtray.core.errors import AssetMissing, FileUnwritable, NotifierUnavailable
from credtray.core.icon_state import IconState
from credtray.core.ports import DesktopPart, Notification, Notifier, Part, Urgency
from credtray.desktop.notifications import macos
from credtray.desktop.notifications.text import (
    LABEL_LENGTH,
    NOT_JOINED,
    SHOW_SECONDS,
    TITLE_LENGTH,
    body_text,
    picture_file,
    wait_for_loop,
)
from credtray.desktop.part_report import PartReport
from credtray.desktop.paths import APP_ID, PICTURE, asset_path
from credtray.desktop.tray.painting import without_markup
from credtray.files.atomic_file import scratch_directory

# Notifications through plyer, the last resort: it has no buttons, cannot replace, and tells no failure.
#
# Must be used only where nothing better works and ``why_not_plyer`` has no objection.


_TITLE_LENGTH: Final = 60
_BODY_LENGTH: Final = 250
"""Windows' balloons hold 64 and 256 (NOTIFYICONDATAW), and plyer fails with more."""
_BALLOON_SECONDS: Final = 5
"""On Windows plyer sleeps so long in a thread that holds up the end of the process."""


def why_not_plyer() -> str | None:
    """Return why plyer 2.1 shows nothing on Linux, or None when it may.

    It calls notify-send, which asks the same daemon on the same bus as we do: where we find nobody, nor does
    plyer, only without telling. It helps where dbus-fast does not run, and there alone.
    """
    if _importable("dbus_fast"):
        return "plyer asks the same service"
    return None if shutil.which("notify-send") else "plyer needs notify-send"


class PlyerNotifier:
    """Implements ``ports.Notifier`` as well as plyer can."""

    def __init__(self, load: Callable[[], Any] | None = None) -> None:
        self._load = load or _plyer_notification
        self._under_way: threading.Thread | None = None

    def show(self, notification: Notification) -> None:
        """Show it; what has buttons says that the tray menu has them too.

        Raises:
            NotifierUnavailable: plyer failed, or has not come back within ``SHOW_SECONDS``.
        """
        if self._under_way is not None and self._under_way.is_alive():
            raise NotifierUnavailable("plyer still hangs on the previous notice")
        failures: list[Exception] = []
        title, body = _texts(notification)

        def work() -> None:
            try:
                self._load().notify(title=title, message=body, app_name="credtray", timeout=_BALLOON_SECONDS)
            except Exception as error:  # noqa: BLE001 - plyer promises nothing; whatever it is, nobody was told
                failures.append(error)

        self._under_way = threading.Thread(target=work, name="plyer", daemon=True)
        self._under_way.start()
        self._under_way.join(SHOW_SECONDS)
        if self._under_way.is_alive():
            raise NotifierUnavailable(f"plyer did not return within {SHOW_SECONDS:g} s")
        if failures:
            raise NotifierUnavailable(f"plyer failed: {type(failures[0]).__name__}") from failures[0]

    def withdraw(self, key: str) -> None:
        """Do nothing: plyer cannot take back what it has shown."""


def _texts(notification: Notification) -> tuple[str, str]:
    title = without_markup(notification.title, _TITLE_LENGTH)
    body = body_text(notification.body, length=_BODY_LENGTH, without_buttons=bool(notification.buttons))
    return _no_option(title), _no_option(body)


def _no_option(text: str) -> str:
    """Keep notify-send from taking a text for an option."""
    return f"\N{EN DASH}{text[1:]}" if text.startswith("-") else text


def _importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _plyer_notification() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # plyer warns that it would rather have dbus-python
        notification = importlib.import_module("plyer").notification
        notification.notify  # noqa: B018 - plyer chooses its back-end at the first look
    return notification


_log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 0.5
_WAITING: Final = "waiting for the permission to notify"


_NOT_CAPABLE: Final = {
    "darwin": "macOS allows notifications only from app bundles",
    "win32": "Windows shows them from version 10 on",
}


MOST_SHOWN: Final = 64
"""Notifications whose clicks are understood; there is one per key, and far fewer keys."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """One notification that a person may click on."""

    key: str
    clicks: tuple[Click, ...]
    """By button."""
    on_body: Click


class _TurnedOff(Exception):
    """A person wants none of our notifications: they are shown by no other means. Never leaves this module.

    No error of the tree: that has its classes in one place, and each of them has a code of its own.
    """


class NativeNotifier:
    """Implements ``ports.Notifier`` with what the system offers."""

    def __init__(
        self,
        platform: str,
        clicked: Callable[[Click], None],
        report: Callable[[DesktopPart], None],
        load: Callable[[str], Any] = importlib.import_module,
        programs: str = macos.DIRECTORY,
    ) -> None:
        """Do nothing yet; ``load`` imports a module by name, ``programs`` is where macOS has its own."""
        self._platform = platform
        self._clicked = clicked
        self._part = PartReport(Part.NOTIFICATIONS, report)
        self._load = load
        self._programs = programs
        self._count = itertools.count(1)
        self._agent_loop: asyncio.AbstractEventLoop | None = None
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._module: Any = None
        self._center: Any = None
        self._instead: Notifier | None = None
        self._shown: dict[str, _Shown] = {}
        """By identifier, oldest first: all that a click may still mean. Changed on the own loop only."""
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
            except _TurnedOff as error:
                self._tell(None, str(error))
            except NotifierUnavailable as error:
                self._fall_back(error.detail)
            await self._serve()

    async def _serve(self) -> None:
        """Do what is to be done meanwhile, until cancelled."""
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
            if self._shown:
                with contextlib.suppress(NotifierUnavailable):
                    wait_for_loop(own, self._clear_what_asks, _STOP_SECONDS)
            self._own_loop = self._center = self._agent_loop = None
            own.call_soon_threadsafe(own.stop)
            # Not in a worker: a loop whose end is near may have none left. A hanging system keeps its thread.
            thread.join(_STOP_SECONDS)
            if not thread.is_alive():
                own.close()

    def _fall_back(self, reason: str) -> None:
        self._instead = macos.OsascriptNotifier(self._programs)
        self._tell("osascript", f"{reason}; {macos.INSTEAD}")

    def _tell(self, back_end: str | None, reason: str | None) -> None:
        self._part.tell(back_end, reason)

    # --- on the own loop --------------------------------------------------------------------------------

    async def _begin(self) -> None:
        try:
            module = _without_warnings(self._load, "desktop_notifier")
            path = asset_path(PICTURE)
            center = module.DesktopNotifier(APP_ID, path and module.Icon(path=path))
            capabilities = await center.get_capabilities()
            allowed = await center.request_authorisation()
        except Exception as error:
            detail = f"desktop-notifier does not work here: {type(error).__name__}"
            raise NotifierUnavailable(detail) from error
        if not capabilities:  # its dummy back-end
            raise NotifierUnavailable(_NOT_CAPABLE[self._platform])
        if not allowed:
            await self._refused()
        # Not those of each notification: desktop-notifier forgets them when Windows moves a toast to the
        # notification center, where it can be clicked for days.
        center.on_clicked = self._body_clicked
        center.on_button_pressed = self._button_pressed
        self._module, self._center = module, center

    async def _refused(self) -> None:
        """Raise why nothing may be shown."""
        if await asyncio.to_thread(macos.has_team, sys.executable, self._programs):
            raise _TurnedOff("notifications from Python are turned off in System Settings")
        raise NotifierUnavailable("macOS allows notifications only from programs of a known developer")

    async def _send(self, notification: Notification) -> None:
        identifier = f"credtray-{next(self._count)}"
        dispatched = asyncio.Event()
        native = self._native(notification, identifier, dispatched.set)
        try:
            await self._center.send_notification(native)
        except Exception as error:
            raise NotifierUnavailable(f"the system refused it: {type(error).__name__}") from error
        if not dispatched.is_set():
            raise NotifierUnavailable("the system refused it")
        # A new identifier and the old one cleared: so a click on what was replaced is known as such.
        await self._clear(notification.key)
        clicks = tuple(button.click for button in notification.buttons)
        self._shown[identifier] = _Shown(notification.key, clicks, notification.on_body.click)
        if len(self._shown) > MOST_SHOWN:
            await self._clear(next(iter(self._shown.values())).key)

    def _native(self, notification: Notification, identifier: str, dispatched: Callable[[], None]) -> Any:
        """Return it as desktop-notifier wants it.

        ``dispatched`` is the only sign of success: failures are logged, and an identifier comes all the same.
        """
        module = self._module
        buttons = [
            module.Button(title=without_markup(button.label, LABEL_LENGTH), identifier=str(number))
            for number, button in enumerate(notification.buttons)
        ]
        return module.Notification(
            title=without_markup(notification.title, TITLE_LENGTH),
            message=body_text(notification.body),
            urgency=_urgency(module, notification.urgency),
            **self._pictured(notification.picture),
            buttons=tuple(buttons),
            on_dispatched=dispatched,
            identifier=identifier,
        )

    def _pictured(self, look: IconState) -> dict[str, Any]:
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
        for identifier in [each for each, shown in self._shown.items() if shown.key == key]:
            del self._shown[identifier]
            try:
                await self._center.clear(identifier)
            except Exception as error:  # noqa: BLE001 - whatever the system says: it is no longer ours
                _log.debug("a notification was not cleared: %s", type(error).__name__)

    async def _clear_what_asks(self) -> None:
        """Clear what has buttons: nobody will heed them any more."""
        for key in {shown.key for shown in self._shown.values() if shown.clicks}:
            await self._clear(key)

    # --- on whatever thread the system tells it ---------------------------------------------------------

    def _body_clicked(self, identifier: str) -> None:
        self._meant(identifier, lambda shown: shown.on_body)

    def _button_pressed(self, identifier: str, button: str) -> None:
        self._meant(identifier, lambda shown: dict(enumerate(shown.clicks)).get(int(button)))

    def _meant(self, identifier: str, of: Callable[[_Shown], Click | None]) -> None:
        shown, loop = self._shown.get(identifier), self._agent_loop
        if shown is None or loop is None:
            _log.info("a click on a notification that is no longer current: nothing is done")
        elif (click := of(shown)) is not None:
            loop.call_soon_threadsafe(self._clicked, click)


def _without_warnings(load: Callable[[str], Any], name: str) -> Any:
    """Import a module; desktop-notifier 6.2 asks asyncio for what Python 3.14 wants nobody to ask for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return load(name)


@contextlib.asynccontextmanager
async def _own_directory() -> AsyncIterator[Path | None]:
    """Give a directory that is gone afterwards; a program that still shows a file of it may hold it open.

    None where no temporary files can be written: notices come without pictures.
    """
    with contextlib.ExitStack() as stack:
        try:
            directory = stack.enter_context(scratch_directory("credtray-"))
        except FileUnwritable as error:
            _log.warning("notifications have no pictures: %s", error)
            directory = None
        yield directory


def _urgency(module: Any, urgency: Urgency) -> Any:
    kinds = module.Urgency
    return {Urgency.LOW: kinds.Low, Urgency.NORMAL: kinds.Normal, Urgency.CRITICAL: kinds.Critical}[urgency]
