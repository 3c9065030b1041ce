"""A test notification over the real loop: shown although notices are paused, or refused with the reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from credtray.core.errors import NotifierUnavailable
from credtray.core.events import NoticesPaused, PartChanged
from credtray.core.ports import DesktopPart, Part
from credtray.core.protocol import TestNotice
from credtray.desktop_requests import TEST, WITHOUT_DESKTOP, TrialNotices
from tests.as_json import result
from tests.core.making import HOUR
from tests.daemon.fakes import Daemon, run
from tests.notice_screen import Screen


async def answered(daemon: Daemon, screen: Screen, *, already: bool = False) -> dict[str, Any]:
    [carry_out] = TrialNotices(daemon.loop, daemon.workers, screen).handlers.values()
    answer = await carry_out(TestNotice(already), None)  # type: ignore[arg-type]  # it tells nothing meanwhile
    found: dict[str, Any] = result(answer)
    return found


@pytest.mark.met("L")
def test_it_is_shown_while_notices_are_paused_and_says_by_whom() -> None:
    async def drive() -> None:
        daemon, screen = Daemon(), Screen()
        await daemon.started()
        daemon.loop.take(PartChanged(DesktopPart(Part.NOTIFICATIONS, "dunst")))
        daemon.loop.take(NoticesPaused(daemon.loop.now() + HOUR))
        result = await answered(daemon, screen)

        assert screen.shown == [TEST]
        assert result["shown_by"] == "dunst"
        assert result["notices_paused_until"] is not None

    run(drive())


@pytest.mark.parametrize(
    ("tray", "where"),
    [
        (DesktopPart(Part.TRAY, "a panel"), "Its icon is on your desktop."),
        (DesktopPart(Part.TRAY, None, "there is no panel"), "It has no icon: there is no panel."),
        (None, "It has no icon: your desktop has not answered yet."),
    ],
)
def test_a_click_on_what_runs_already_shows_where_its_icon_is(tray: DesktopPart | None, where: str) -> None:
    async def drive() -> None:
        daemon, screen = Daemon(), Screen()
        await daemon.started()
        if tray is not None:
            daemon.loop.take(PartChanged(tray))
        await answered(daemon, screen, already=True)
        [shown] = screen.shown

        assert (shown.title, shown.body) == ("credtray is already running", where)

    run(drive())


def test_why_nothing_could_be_shown_is_told() -> None:
    async def drive() -> None:
        daemon = Daemon()
        await daemon.started()
        with pytest.raises(NotifierUnavailable, match="no notification service is running"):
            await answered(daemon, Screen("no notification service is running"))

    run(drive())


def test_without_a_desktop_it_says_so() -> None:
    [refuse] = WITHOUT_DESKTOP.values()

    with pytest.raises(NotifierUnavailable, match="without a desktop"):
        asyncio.run(refuse(TestNotice(), None))  # type: ignore[arg-type]  # as above
