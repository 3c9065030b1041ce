"""The tray's window and our hidden windows, with real messages, sent from outside."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from credtray.core.icon_state import IconState, Shape
from credtray.core.ports import DesktopPart, Presence
from credtray.desktop.balloons import EVENTS, Balloon
from credtray.desktop.message_window import MessageWindow, heeding_session_end, user32
from credtray.desktop.notifications.windows import ThisWindows
from credtray.desktop.presence.sightings import Sightings
from credtray.desktop.presence.windows import TITLE, WM_POWERBROADCAST, WM_WTSSESSION_CHANGE, follow_windows
from credtray.desktop.tray import windows
from credtray.desktop.tray.painting import load_pystray
from tests.daemon.conftest import eventually

pytestmark = pytest.mark.windows

QUERY, END, NOTIFY, DPI = 0x0011, 0x0016, 0x0400 + 11, 0x02E0
LOCK, UNLOCK, SUSPEND, RESUME = 7, 8, 4, 18


HAD_DISPLAY = "DISPLAY" in os.environ
"""Looked up here, because no test sees the caller's variables."""


@pytest.fixture(autouse=True)
def screen() -> None:
    """Somewhere to show windows."""
    libraries: Any = ctypes
    if hasattr(libraries.WinDLL("ntdll"), "wine_get_version") and not HAD_DISPLAY:
        pytest.skip("Wine shows windows on an X server only, and DISPLAY names none")


def send(window: int, message: int, wparam: int = 0, lparam: int = 0) -> int:
    library = user32()
    library.SendMessageW.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t]
    library.SendMessageW.restype = ctypes.c_ssize_t
    return int(library.SendMessageW(window, message, wparam, lparam))


def window_titled(title: str) -> int:
    """Return the window of this process, or 0: an agent may be running beside the tests."""
    library, owner, found = user32(), ctypes.c_uint32(), 0
    library.FindWindowExW.restype = ctypes.c_void_p
    while found := library.FindWindowExW(None, ctypes.c_void_p(found), None, title) or 0:
        library.GetWindowThreadProcessId(ctypes.c_void_p(found), ctypes.byref(owner))
        if owner.value == os.getpid():
            return int(found)
    return 0


def test_hidden_window_hears_its_messages_and_is_gone_when_closed() -> None:
    heard: list[tuple[int, int]] = []

    def hear(wparam: int, lparam: int) -> int:
        heard.append((wparam, lparam))
        return 7

    window = MessageWindow({0x0500: hear}, "for a test")
    handle = window.open()

    assert send(handle, 0x0500, 1, -2) == 7
    assert heard == [(1, -2)]
    assert send(handle, QUERY) == 1

    window.close()

    assert window_titled("for a test") == 0


def test_handler_that_fails_answers_nothing_and_the_window_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_wparam: int, _lparam: int) -> int:
        raise ValueError("out of order")

    window = MessageWindow({0x0500: fail}, "for a test")
    with contextlib.closing(window):
        handle = window.open()

        assert [send(handle, 0x0500), send(handle, 0x0500)] == [0, 0]

    assert "was not handled" in caplog.text


def test_end_of_the_session_waits_for_ours() -> None:
    ended: list[str] = []

    with heeding_session_end(lambda: ended.append("ours")):
        handle = window_titled("end of the session")

        assert send(handle, QUERY) == 1
        assert ended == []

        send(handle, END, 0)

        assert ended == []

        send(handle, END, 1)

        assert ended == ["ours"]


def test_lock_and_sleep_are_told_by_messages() -> None:
    async def drive() -> None:
        told: asyncio.Queue[Presence] = asyncio.Queue()
        reported: asyncio.Queue[DesktopPart] = asyncio.Queue()
        task = asyncio.create_task(follow_windows(Sightings(told.put_nowait, reported.put_nowait)))
        part = await reported.get()

        assert part.back_end == "Windows"

        handle = window_titled(TITLE)
        for message, wparam, expected in (
            (WM_WTSSESSION_CHANGE, LOCK, {"locked": True}),
            (WM_POWERBROADCAST, SUSPEND, {"locked": True, "asleep": True}),
            (WM_POWERBROADCAST, RESUME, {"locked": True}),
            (WM_WTSSESSION_CHANGE, UNLOCK, {}),
        ):
            await asyncio.to_thread(send, handle, message, wparam)

            assert await told.get() == Presence(**expected)

        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert window_titled(TITLE) == 0

    asyncio.run(drive())


class Running:
    """An icon in a thread of its own, as the main thread runs it."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.icon: Any = None
        self.opened: list[Callable[[], None]] = []
        self.ended: list[str] = []
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        picture = Image.new("RGBA", (16, 16), "red")
        menu = load_pystray().Menu(load_pystray().MenuItem("Quit", lambda: None))
        self.icon = windows.icon_class()("credtray", picture, "\n".join(["a line of a session"] * 20), menu)
        self.icon.images = {16: picture}
        self.icon.before_show = self.opened.append
        self.icon.end_session = lambda: self.ended.append("session")
        self.icon.run(lambda _icon: self.ready.set())

    def do(self, work: Callable[[], None]) -> None:
        done = threading.Event()
        for each in (work, done.set):
            self.icon.on_main(each)

        assert done.wait(60)


@pytest.fixture
def running() -> Iterator[Running]:
    found = Running()
    found.thread.start()

    assert found.ready.wait(60)
    yield found

    if found.thread.is_alive():
        found.icon.on_main(found.icon.stop)
    found.thread.join(60)


def shell_that(monkeypatch: pytest.MonkeyPatch, answers: dict[int, bool]) -> list[tuple[int, int, str]]:
    """Put a taskbar in the place of Windows' own; return what it is asked: code, flags, tooltip."""
    asked: list[tuple[int, int, str]] = []

    def notify(code: int, data: Any) -> bool:
        found = data._obj
        asked.append((code, found.uFlags, found.szTip))
        return answers.get(code, True)

    monkeypatch.setattr(windows._win32(), "Shell_NotifyIcon", notify)
    return asked


def test_icon_with_twenty_lines_is_taken_with_a_tooltip_that_fits(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = shell_that(monkeypatch, {})

    running.do(lambda: setattr(running.icon, "visible", True))

    [(_, flags, tooltip)] = [each for each in asked if each[0] == 0]

    assert asked[-1][0] == 4
    assert flags & 0x84 == 0x84
    assert 0 < len(tooltip) <= windows.LONGEST_TIP
    assert running.icon.refusal is None


def test_icon_that_no_taskbar_takes_says_so_and_comes_with_the_taskbar(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {0: False}
    shell_that(monkeypatch, answers)
    told: list[str | None] = []
    running.icon.after_show = lambda: told.append(running.icon.refusal)

    running.do(lambda: setattr(running.icon, "visible", True))

    assert running.icon.refusal is not None

    answers[0] = True
    send(running.icon._hwnd, user32().RegisterWindowMessageW("TaskbarCreated"))

    assert told == [None]


def test_balloon_is_silent_has_its_picture_and_is_removed_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def notify(code: int, data: Any) -> bool:
        found = data._obj
        asked.append((code, found.uFlags, found.szInfoTitle, found.szInfo, found.dwInfoFlags))
        assert bool(found.hBalloonIcon) == bool(found.szInfo)
        return True

    monkeypatch.setattr(windows._win32(), "Shell_NotifyIcon", notify)

    assert running.icon.balloon(Balloon("ended", "Click here", IconState(Shape.ENDED)))
    assert running.icon.balloon(None)
    assert asked == [(1, 0x10, "ended", "Click here", 0xB4), (1, 0x10, "", "", 0x90)]


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_what_windows_tells_of_balloons_is_heard_and_opens_no_menu(running: Running, event: int) -> None:
    heard: list[int] = []
    running.icon.heard_balloon = heard.append

    send(running.icon._hwnd, NOTIFY, 0, 1 << 16 | event)

    assert (heard, running.opened) == ([event], [])


def test_taskbar_takes_an_icon_and_its_balloon(running: Running) -> None:
    running.do(lambda: setattr(running.icon, "visible", True))

    assert eventually(ThisWindows().has_taskbar)  # Wine makes its own when the first icon comes
    assert running.icon.refusal is None
    assert running.icon.balloon(Balloon("ended", "Click here", IconState(Shape.ENDED)))


def test_windows_says_whether_notices_disturb() -> None:
    assert ThisWindows().state() in range(1, 8)


@pytest.mark.parametrize("event", [0x0400, 0x0401, 0x007B], ids=["left click", "Enter", "right click"])
def test_click_and_key_open_the_menu_as_soon_as_it_is_fresh(running: Running, event: int) -> None:
    send(running.icon._hwnd, NOTIFY, 0x0010_0020, event)

    assert len(running.opened) == 1


@pytest.mark.parametrize("window", ["_hwnd", "_menu_hwnd"])
def test_session_that_ends_is_let_go_when_ours_has_ended_and_the_icon_is_gone(
    running: Running, window: str
) -> None:
    assert send(getattr(running.icon, window), QUERY) == 1
    assert running.ended == []

    send(getattr(running.icon, window), END, 1)
    running.thread.join(60)

    assert (running.ended, running.thread.is_alive()) == (["session"], False)


def test_icon_is_drawn_anew_when_the_scale_changes(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = shell_that(monkeypatch, {})
    running.do(lambda: setattr(running.icon, "visible", True))
    made: list[int] = []
    make = windows._icon_handle
    monkeypatch.setattr(windows, "_small_icon_pixels", lambda: 32)

    def watched(image: Image.Image) -> int:
        made.append(image.width)
        return make(image)

    monkeypatch.setattr(windows, "_icon_handle", watched)

    send(running.icon._hwnd, DPI, 192 << 16 | 192)

    assert made == [32]
    assert asked[-1][0] == 1
