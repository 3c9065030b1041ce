"""What becomes of a click on a toast, by desktop-notifier's own code for Windows; only WinRT is missing."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.clicks import Click
from credtray.core.ports import Button, Notification
from credtray.desktop.balloons import BalloonBoard
from credtray.desktop.notifications.windows import WindowsNotifier
from tests.desktop.center_fakes import FakeWindows
from tests.desktop.until import until

pytestmark = pytest.mark.windows

SIGN_IN = Button("Sign in", protocol.Login("corp"))
LATER = Button("Later", protocol.Snooze("corp", 10))
WARNING = Notification("corp:end", "ends soon", "Sign in.", (SIGN_IN, LATER))


class Windows:
    """Shows toasts, moves them to the notification center, and has a person who clicks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        winrt: Any = importlib.import_module("desktop_notifier.backends.winrt")
        base: Any = importlib.import_module("desktop_notifier.backends.base").DesktopNotifierBackend
        self.toasts: list[Any] = []
        windows = self

        class Center(winrt.WinRTDesktopNotifier):  # type: ignore[misc]  # has no types here
            def __init__(self, app_name: str, app_icon: object = None) -> None:
                base.__init__(self, app_name, app_icon)
                windows.center = self

            async def has_authorisation(self) -> bool:
                return True

            async def _send(self, notification: Any) -> None:
                windows.toasts.append(notification)

            async def _clear(self, identifier: str) -> None:
                windows.toasts = [each for each in windows.toasts if each.identifier != identifier]

            async def _clear_all(self) -> None:
                windows.toasts = []

        self.center: Any = None
        self._winrt = winrt
        main = importlib.import_module("desktop_notifier.main")
        monkeypatch.setattr(main, "get_backend_class", lambda: Center)

    def move(self, toast: Any) -> None:
        """Five seconds have passed."""
        reason = self._winrt.ToastDismissalReason.TIMED_OUT
        self.center._on_dismissed(SimpleNamespace(tag=toast.identifier), SimpleNamespace(reason=reason))

    def click(self, toast: Any, button: int | None = None) -> None:
        arguments = self._winrt.DEFAULT_ACTION
        if button is not None:
            arguments = self._winrt.BUTTON_ACTION_PREFIX + toast.buttons[button].identifier
        told = SimpleNamespace(arguments=arguments, user_input=None)
        self.center._on_activated(
            SimpleNamespace(tag=toast.identifier), SimpleNamespace(as_=lambda _kind: told)
        )


Story = Callable[[Windows, WindowsNotifier, list[Click]], Awaitable[None]]


def play(windows: Windows, story: Story) -> None:
    async def scene() -> None:
        clicks: list[Click] = []
        reported: list[str | None] = []
        notifier = WindowsNotifier(
            BalloonBoard(), clicks.append, lambda part: reported.append(part.back_end), system=FakeWindows()
        )
        running = asyncio.create_task(notifier.run())
        try:
            await until(lambda: reported[-1:] == ["desktop-notifier"])
            await story(windows, notifier, clicks)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())


@pytest.mark.parametrize("moved", [False, True], ids=["on the screen", "in the notification center"])
@pytest.mark.parametrize(("button", "click"), [(None, SIGN_IN.click), (0, SIGN_IN.click), (1, LATER.click)])
def test_click_is_heard(
    monkeypatch: pytest.MonkeyPatch,
    button: int | None,
    click: Click,
    moved: bool,  # noqa: FBT001 - a parameter of a table
) -> None:
    async def story(windows: Windows, notifier: WindowsNotifier, clicks: list[Click]) -> None:
        await asyncio.to_thread(notifier.show, WARNING)
        [toast] = windows.toasts

        assert (toast.title, [each.title for each in toast.buttons]) == ("ends soon", ["Sign in", "Later"])

        if moved:
            windows.move(toast)
        windows.click(toast, button)
        await until(lambda: clicks)

        assert clicks == [click]

    play(Windows(monkeypatch), story)


def test_toast_that_was_replaced_is_cleared_and_a_click_on_it_means_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(windows: Windows, notifier: WindowsNotifier, clicks: list[Click]) -> None:
        await asyncio.to_thread(notifier.show, WARNING)
        [old] = windows.toasts
        await asyncio.to_thread(notifier.show, WARNING)
        [new] = windows.toasts
        windows.click(old)
        windows.click(new, 1)
        await until(lambda: clicks)

        assert clicks == [LATER.click]

    play(Windows(monkeypatch), story)


def test_toasts_are_silent_and_called_credtray(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(windows: Windows, notifier: WindowsNotifier, _clicks: list[Click]) -> None:
        await asyncio.to_thread(notifier.show, WARNING)

        assert windows.toasts[0].sound is None
        assert windows.center.app_name == "credtray"

    play(Windows(monkeypatch), story)
