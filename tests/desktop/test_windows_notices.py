"""Notices on Windows, on stand-ins: toasts, else balloons of our icon, else plyer; and when they wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from credtray.core import protocol
from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Button, DesktopPart, Notification, Part
from credtray.desktop.balloons import CLICKED, NO_ICON_YET, SHOWN, Balloon, BalloonBoard
from credtray.desktop.notifications import windows
from credtray.desktop.notifications.native import PlyerNotifier
from credtray.desktop.notifications.windows import NO_TASKBAR, TURNED_OFF, held_back
from tests.desktop.center_fakes import ACCEPTS, FakeCenter, FakePlyer, FakeWindows, Running, running
from tests.desktop.until import until

SIGN_IN = Button("Sign in", protocol.Login("corp"))
ENDED = Notification("corp:end", "corp: sign-in ended", "Keys keep working.", (SIGN_IN,))
NEWS = Notification("corp:news", "corp: signed in", "")
NO_TOASTS = "desktop-notifier does not work here: ImportError"
LOCKED, FULL_SCREEN, EXCLUSIVE, PRESENTATION, QUIET_TIME, STORE_APP = 1, 2, 3, 4, 6, 7


class Icon:
    """An icon on a taskbar that takes balloons."""

    def __init__(self, *, there: bool = True) -> None:
        self.board = BalloonBoard()
        self.seen: list[Balloon | None] = []
        if there:
            self.comes()

    def comes(self) -> None:
        self.board.lend(self.show)

    def show(self, balloon: Balloon | None) -> bool:
        self.seen.append(balloon)
        return True

    def click(self) -> None:
        self.board.heard(SHOWN)
        self.board.heard(CLICKED)


def served(agent: Running) -> tuple[str | None, str | None]:
    return (agent.parts[-1].back_end, agent.parts[-1].reason) if agent.parts else (None, None)


async def serves(agent: Running, back_end: str | None, *reasons: str) -> None:
    """Wait until it is reported so."""
    await until(lambda: served(agent) == (back_end, "; ".join(reasons) or None))


# --- what shows them ----------------------------------------------------------------------------------


def test_toasts_have_the_name_of_the_programs_id() -> None:
    async def drive() -> None:
        center, icon = FakeCenter(), Icon()
        async with running(center, "win32", balloons=icon.board) as agent:
            await serves(agent, "desktop-notifier")
            await agent.show(ENDED)

            assert (center.name, len(center.sent), icon.seen) == ("credtray", 1, [])

    asyncio.run(drive())


def test_toasts_of_an_agent_that_was_killed_are_cleared() -> None:
    async def drive() -> None:
        center = FakeCenter()
        async with running(center, "win32") as agent:
            await serves(agent, "desktop-notifier")
            await agent.show(NEWS)
        async with running(center, "win32") as agent:
            await serves(agent, "desktop-notifier")

            assert center.on_screen == {}

    asyncio.run(drive())


def test_without_toasts_the_icon_shows_a_balloon_and_a_click_on_it_signs_in() -> None:
    async def drive() -> None:
        icon = Icon()
        async with running(FakeCenter(missing=True), "win32", balloons=icon.board) as agent:
            await serves(agent, "balloon", NO_TOASTS, windows.BALLOONS)
            await agent.show(ENDED)
            await asyncio.sleep(0)

            assert [each.title for each in icon.seen if each] == ["corp: sign-in ended"]
            assert agent.clicks == []

            icon.click()
            await until(lambda: agent.clicks)

            assert agent.clicks == [SIGN_IN.click]

    asyncio.run(drive())


def test_balloon_is_taken_away_with_its_notice() -> None:
    async def drive() -> None:
        icon = Icon()
        async with running(FakeCenter(missing=True), "win32", balloons=icon.board) as agent:
            await serves(agent, "balloon", NO_TOASTS, windows.BALLOONS)
            await agent.show(ENDED)
            await asyncio.to_thread(agent.notifier.withdraw, ENDED.key)

            assert icon.seen[1:] == [None]

    asyncio.run(drive())


def test_click_on_a_balloon_that_is_no_longer_current_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def drive() -> None:
        icon = Icon()
        async with running(FakeCenter(missing=True), "win32", balloons=icon.board) as agent:
            await serves(agent, "balloon", NO_TOASTS, windows.BALLOONS)
            await agent.show(NEWS)
            await asyncio.to_thread(agent.notifier.withdraw, NEWS.key)
            icon.click()

    asyncio.run(drive())

    assert "no longer current" in caplog.text


def test_what_shows_notices_follows_the_icon(monkeypatch: pytest.MonkeyPatch) -> None:
    plyer, system = FakePlyer(), FakeWindows()
    monkeypatch.setattr(windows, "PlyerNotifier", lambda: PlyerNotifier(lambda: plyer))

    async def drive() -> None:
        icon = Icon(there=False)
        async with running(FakeCenter(missing=True), "win32", balloons=icon.board, system=system) as agent:
            await serves(agent, None, NO_TOASTS, NO_ICON_YET)
            with pytest.raises(NotifierUnavailable, match=NO_ICON_YET):
                await agent.show(ENDED)
            icon.comes()
            await serves(agent, "balloon", NO_TOASTS, windows.BALLOONS)
            icon.board.lend(None)
            await serves(agent, "plyer", NO_TOASTS)
            await agent.show(ENDED)

            assert (len(plyer.shown), icon.seen) == (1, [])

            system.taskbar = False
            with pytest.raises(NotifierUnavailable, match=NO_TASKBAR):
                await agent.show(ENDED)

    asyncio.run(drive())

    assert len(plyer.shown) == 1


def test_who_turned_them_off_in_windows_is_shown_nothing_by_other_means_until_they_are_on_again() -> None:
    async def drive() -> None:
        center, icon = FakeCenter(allowed=False), Icon()
        async with running(center, "win32", balloons=icon.board) as agent:
            await serves(agent, None, TURNED_OFF)
            with pytest.raises(NotifierUnavailable, match="turned off"):
                await agent.show(ENDED)

            assert (center.sent, icon.seen) == ([], [])

            center.allowed = True
            await agent.show(ENDED)
            await serves(agent, "desktop-notifier")

            assert len(center.sent) == 1

    asyncio.run(drive())


# --- when they wait -----------------------------------------------------------------------------------


@pytest.mark.parametrize("toasts", [True, False], ids=["toasts", "balloons"])
@pytest.mark.parametrize(
    ("state", "waits"),
    [
        (0, ""),
        (LOCKED, "toasts balloons"),
        (FULL_SCREEN, "balloons"),
        (EXCLUSIVE, "toasts balloons"),
        (PRESENTATION, "toasts balloons"),
        (ACCEPTS, ""),
        (QUIET_TIME, "balloons"),
        (STORE_APP, ""),
    ],
)
def test_which_notices_wait_in_which_state(state: int, waits: str, toasts: bool) -> None:  # noqa: FBT001 - a parameter of a table
    kind = "toasts" if toasts else "balloons"

    assert (held_back(state, toasts=toasts) is not None) == (kind in waits)


@pytest.mark.parametrize("missing", [False, True], ids=["toast", "balloon"])
def test_a_notice_waits_until_the_presentation_is_over_and_then_somebody_can_be_told_again(
    missing: bool,  # noqa: FBT001 - a parameter of a table
) -> None:
    async def drive() -> None:
        center, icon, system = FakeCenter(missing=missing), Icon(), FakeWindows()
        async with running(center, "win32", balloons=icon.board, system=system) as agent:
            await until(lambda: agent.parts and agent.parts[-1].back_end)
            usual, shown = agent.parts[-1], shown_by(center, icon)
            system.now = PRESENTATION
            with pytest.raises(NotifierUnavailable, match="presentation mode is on"):
                await agent.show(ENDED)
            await until(lambda: agent.parts[-1] != usual)

            reason = "presentation mode is on; notices wait until that is over"
            assert agent.parts[-1] == DesktopPart(Part.NOTIFICATIONS, None, reason)
            assert shown() == 0

            system.now = ACCEPTS
            await until(lambda: agent.parts[-1] == usual)
            await agent.show(ENDED)

            assert shown() == 1

    asyncio.run(drive())


def shown_by(center: FakeCenter, icon: Icon) -> Callable[[], int]:
    return lambda: len(center.sent) + len(icon.seen)


def test_while_notices_wait_the_icon_may_come_and_go() -> None:
    async def drive() -> None:
        icon, system = Icon(), FakeWindows(look_seconds=60)
        async with running(FakeCenter(missing=True), "win32", balloons=icon.board, system=system) as agent:
            await serves(agent, "balloon", NO_TOASTS, windows.BALLOONS)
            system.now = FULL_SCREEN
            with pytest.raises(NotifierUnavailable):
                await agent.show(replace(ENDED, key="another"))
            await until(lambda: agent.parts[-1].back_end is None)
            held = list(agent.parts)
            icon.board.lend(None)
            icon.comes()
            await asyncio.sleep(0)  # what it reports, it reports on this loop

            assert agent.parts == held

    asyncio.run(drive())
