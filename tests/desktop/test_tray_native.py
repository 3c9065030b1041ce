"""The tray of macOS and Windows on a stand-in for pystray's icon bound to the main thread like theirs."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from PIL import Image

from credtray.core.clicks import About, Click, ShowPage
from credtray.core.icon_state import IconState, Shape
from credtray.core.ports import Button, DesktopPart, Notification, Part
from credtray.desktop.balloons import CLICKED, Balloon, BalloonBoard
from credtray.desktop.icon import Panel
from credtray.desktop.main_thread import MainThread
from credtray.desktop.tray.native import NativeTray, NoWindowError
from credtray.desktop.tray.painting import Shown
from credtray.menu import Item, Kind
from credtray.menu.tray_view import TrayView

PATIENCE = 60.0
FACE = TrayView(
    IconState(Shape.FRESH, 9), "credtray: signed in", (Item("about", Kind.COMMAND, "About R&D", About()),)
)


class MainThreadIcon:
    """A ``pystray.Icon`` with an event loop of its own; it refuses to be touched from any other thread."""

    visible: bool
    title: str
    menu: Any
    images: Mapping[int, Image.Image]
    end_session: Callable[[float], None]
    before_show: Callable[[Callable[[], None]], None]
    after_show: Callable[[], None]
    heard_balloon: Callable[[int], None]
    refusal: str | None

    def __init__(self, name: str, icon: Image.Image, title: str, menu: Any) -> None:
        self._mine()
        self.__dict__.update(
            name=name, icon=icon, title=title, menu=menu, visible=False, images={}, refusal=None
        )
        self._messages: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def _mine(self) -> None:
        assert threading.current_thread() is threading.main_thread()

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            self._mine()
        object.__setattr__(self, name, value)

    def run(self, setup: Callable[[Any], None]) -> None:
        self._mine()
        threading.Thread(target=setup, args=(self,)).start()
        while (message := self._messages.get()) is not None:
            message()
        self.visible = False

    def stop(self) -> None:
        self._mine()
        self._messages.put(None)

    def on_main(self, work: Callable[[], None]) -> None:
        self._messages.put(work)

    def balloon(self, balloon: Balloon | None) -> bool:
        return balloon is not None


class BackEnd:
    """What a system's module offers."""

    AMPERSANDS = True

    def __init__(self) -> None:
        self.made: list[MainThreadIcon] = []
        self.trouble: str | None = None

    def why_not(self) -> str | None:
        return self.trouble

    def images(self, look: IconState, panel: Panel) -> Mapping[int, Image.Image]:
        return {look.steps: Image.new("RGBA", (look.steps, look.steps))}

    def icon_class(self) -> Callable[..., Any]:
        def make(*args: Any) -> MainThreadIcon:
            self.made.append(MainThreadIcon(*args))
            return self.made[-1]

        return make


class Stage:
    """A tray, and the loop beside the main thread it runs on."""

    def __init__(self) -> None:
        self.main = MainThread()
        self.back_end = BackEnd()
        self.shown = Shown()
        self.balloons = BalloonBoard()
        self.clicks: list[Click] = []
        self.reports: list[DesktopPart] = []
        self.clicked_on: list[threading.Thread] = []
        self.stopped = threading.Event()

    def _clicked(self, click: Click) -> None:
        self.clicks.append(click)
        self.clicked_on.append(threading.current_thread())

    def play(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def scene() -> None:
            tray = NativeTray(
                self.shown, self._clicked, self.reports.append, self.main, self.back_end, self.balloons
            )
            running = asyncio.create_task(tray.run())
            try:
                async with asyncio.timeout(60):
                    await story()
            finally:
                running.cancel()
                await asyncio.wait({running})

        self.main.run(lambda: asyncio.run(scene()), stop=self.stopped.set)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)

    async def icon(self, number: int = 0) -> MainThreadIcon:
        await self.until(lambda: len(self.back_end.made) > number and self.back_end.made[number].visible)
        return self.back_end.made[number]


def test_icon_lives_on_the_main_thread_and_follows_what_is_shown() -> None:
    stage = Stage()

    async def story() -> None:
        stage.shown.show(FACE)
        icon = await stage.icon()

        assert (icon.title, [item.text for item in icon.menu]) == ("credtray: signed in", ["About R&&D"])
        assert stage.reports == [DesktopPart(Part.TRAY, "pystray")]

        stage.shown.show(TrayView(IconState(Shape.SOON, 2), "credtray: ends in 9 min", ()))
        await stage.until(lambda: icon.title == "credtray: ends in 9 min" and list(icon.images) == [2])
        await stage.until(lambda: list(icon.menu) == [])

    stage.play(story)

    assert [icon.visible for icon in stage.back_end.made] == [False]


def test_menu_is_the_one_of_the_moment_it_is_opened() -> None:
    stage = Stage()
    stage.shown = Shown(lambda: replace(FACE, menu=(Item("left", Kind.TEXT, "3 min left"),)))
    opened: list[list[str]] = []

    async def story() -> None:
        stage.shown.show(FACE)
        icon = await stage.icon()

        def track() -> None:
            opened.append([item.text for item in icon.menu])

        icon.on_main(lambda: icon.before_show(lambda: icon.on_main(track)))
        await stage.until(lambda: bool(opened))

    stage.play(story)

    assert opened == [["3 min left"]]


def test_click_on_the_main_thread_is_handed_to_the_loop() -> None:
    stage = Stage()

    async def story() -> None:
        stage.shown.show(FACE)
        icon = await stage.icon()
        icon.on_main(lambda: next(iter(icon.menu))(icon))
        await stage.until(lambda: bool(stage.clicks))

    stage.play(story)

    assert stage.clicks == [About()]
    assert stage.clicked_on[0] is not threading.main_thread()


def test_notices_have_the_icon_as_long_as_the_taskbar_has_it_and_a_click_on_a_balloon_is_theirs() -> None:
    stage = Stage()
    has_icon: list[bool] = []
    clicks: list[Click] = []
    stage.balloons.changed = lambda: has_icon.append(stage.balloons.has_icon)
    stage.balloons.clicked = clicks.append
    notice = Notification("key", "ended", "", (Button("About", About()),))

    async def story() -> None:
        stage.shown.show(FACE)
        icon = await stage.icon()
        await stage.until(lambda: stage.balloons.has_icon)
        stage.balloons.show(notice)
        icon.on_main(lambda: icon.heard_balloon(CLICKED))
        await stage.until(lambda: bool(clicks))
        for refusal in ("the taskbar is busy", None):
            icon.on_main(partial(setattr, icon, "refusal", refusal))
            icon.on_main(icon.after_show)
        await stage.until(lambda: len(has_icon) == 3)
        icon.on_main(icon.stop)
        await stage.until(lambda: len(has_icon) == 4)

    stage.play(story)

    assert (has_icon[:4], clicks) == ([True, False, True, False], [ShowPage()])


def test_icon_whose_loop_ends_by_itself_is_begun_again() -> None:
    stage = Stage()

    async def story() -> None:
        stage.shown.show(FACE)
        first = await stage.icon()
        first.on_main(first.stop)
        await stage.icon(1)

    stage.play(story)

    assert [part.back_end for part in stage.reports] == ["pystray", None, "pystray"]


def test_icon_that_fails_is_told_and_begun_again() -> None:
    stage = Stage()

    async def story() -> None:
        stage.shown.show(FACE)
        first = await stage.icon()

        def crash() -> None:
            raise OSError("the menu bar has gone")

        first.on_main(crash)
        await stage.icon(1)

    stage.play(story)

    assert "OSError" in (stage.reports[1].reason or "")


def test_session_without_windows_is_told_as_that() -> None:
    stage = Stage()

    async def story() -> None:
        stage.shown.show(FACE)
        first = await stage.icon()

        def refuse() -> None:
            raise NoWindowError

        first.on_main(refuse)
        await stage.icon(1)

    stage.play(story)

    assert stage.reports[1].reason == "this session shows no windows"


def test_system_that_ends_the_session_is_held_up_until_the_agent_has_ended_and_no_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    ended: list[bool] = []

    async def story() -> None:
        stage.shown.show(FACE)
        icon = await stage.icon()

        def session_ends() -> None:
            icon.end_session(PATIENCE)  # the main thread does not come back from here before the end
            ended.append(icon.visible)
            icon.stop()

        icon.on_main(session_ends)
        await stage.until(stage.stopped.is_set)

    stage.play(story)

    assert ended == [True]
    assert "does not return the main thread" not in caplog.text


def test_session_that_can_show_no_icon_is_told_and_none_is_made() -> None:
    stage = Stage()
    stage.back_end.trouble = "this session has no screen"

    async def story() -> None:
        await stage.until(lambda: bool(stage.reports))

    stage.play(story)

    assert (stage.reports[0].reason, stage.back_end.made) == ("this session has no screen", [])


def test_without_the_main_thread_the_reason_is_told() -> None:
    reports: list[DesktopPart] = []

    async def scene() -> None:
        task = asyncio.create_task(NativeTray(Shown(), lambda _: None, reports.append, None).run())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(scene())

    assert [(part.back_end, "main thread" in (part.reason or "")) for part in reports] == [(None, True)]
