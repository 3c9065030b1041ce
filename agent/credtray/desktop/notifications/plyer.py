"""Notifications through plyer, the last resort: it has no buttons, cannot replace, and tells no failure.

Must be used only where nothing better works and ``why_not_plyer`` has no objection.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import shutil
import threading
import warnings
from collections.abc import Callable
from typing import Any, Final

from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Notification
from credtray.desktop.notifications.text import body_text
from credtray.desktop.notifications.waiting import SHOW_SECONDS
from credtray.desktop.shown_text import without_markup

_log = logging.getLogger(__name__)

_TITLE_LENGTH: Final = 60
_BODY_LENGTH: Final = 250
"""Windows' balloons hold 64 and 256 (NOTIFYICONDATAW), and plyer fails with more."""
_BALLOON_SECONDS: Final = 5
"""On Windows plyer sleeps so long in a thread that holds up the end of the process."""


def why_not_plyer(platform: str) -> str | None:
    """Return why plyer 2.1 shows nothing here, or None when it may.

    On Linux it calls notify-send, which asks the same daemon on the same bus as we do: where we find nobody,
    nor does plyer, only without telling. It helps where dbus-fast does not run, and there alone.
    """
    match platform:
        case "win32":
            return None
        case "darwin":
            return None if _importable("pyobjus") else "plyer needs pyobjus on macOS"
        case _ if _importable("dbus_fast"):
            return "plyer asks the same service"
        case _:
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
