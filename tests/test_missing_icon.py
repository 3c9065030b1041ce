"""One notice for who sees no icon: once, ever, and only where it can be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from credtray.core.clicks import ShowPage
from credtray.core.events import PartChanged, PresenceChanged
from credtray.core.ports import DesktopPart, Part, Presence
from credtray.desktop.tray.linux import no_panel_words
from credtray.desktop_integration import MissingIcon
from tests.daemon.fakes import Daemon, run
from tests.notice_screen import Screen

NO_ICON = DesktopPart(Part.TRAY, None, "no panel is running")
NOTICES = DesktopPart(Part.NOTIFICATIONS, "dunst")


async def begun(daemon: Daemon, screen: Screen, memory: Path, *events: object) -> asyncio.Task[None]:
    """Begin it, and let these things happen one after the other."""
    told = MissingIcon(daemon.loop, daemon.workers, screen, memory, 0)
    task = asyncio.create_task(told.run())
    for event in events:
        await asyncio.sleep(0)
        daemon.loop.take(event)  # type: ignore[arg-type]  # each is an event
    return task


@pytest.mark.parametrize("events", [(NO_ICON, NOTICES), (NOTICES, NO_ICON)])
def test_it_is_told_with_its_reason(tmp_path: Path, events: tuple[DesktopPart, ...]) -> None:
    async def drive() -> None:
        daemon, screen = Daemon(), Screen()
        await daemon.started()
        await (await begun(daemon, screen, tmp_path / "told", *map(PartChanged, events)))
        [notice] = screen.shown

        assert notice.title == "credtray is running, but without an icon"
        assert notice.body.startswith("No panel is running. Everything else works")
        assert [button.click for button in notice.buttons] == [ShowPage()]
        assert (tmp_path / "told").exists()

    run(drive())


def test_it_is_told_once_in_the_life_of_a_home(tmp_path: Path) -> None:
    async def drive() -> None:
        daemon, screen = Daemon(), Screen()
        await daemon.started()
        (tmp_path / "told").touch()
        await (await begun(daemon, screen, tmp_path / "told", PartChanged(NO_ICON), PartChanged(NOTICES)))

        assert screen.shown == []

    run(drive())


@pytest.mark.parametrize(
    "events",
    [
        (PartChanged(NOTICES),),
        (PartChanged(NO_ICON),),
        (PartChanged(DesktopPart(Part.TRAY, "a panel")), PartChanged(NOTICES)),
        (PresenceChanged(Presence(locked=True)), PartChanged(NO_ICON), PartChanged(NOTICES)),
    ],
    ids=["nothing known of the icon", "no notices", "an icon", "nobody there"],
)
def test_it_waits_until_it_is_so_and_can_be_seen(tmp_path: Path, events: tuple[object, ...]) -> None:
    async def drive() -> None:
        daemon, screen = Daemon(), Screen()
        await daemon.started()
        task = await begun(daemon, screen, tmp_path / "told", *events)
        for _ in range(100):
            await asyncio.sleep(0)
        ended = task.done()
        task.cancel()

        assert not ended
        assert screen.shown == []

    run(drive())


def test_it_is_not_remembered_when_it_could_not_be_shown(tmp_path: Path) -> None:
    async def drive() -> None:
        daemon, screen = Daemon(), Screen("the service is gone")
        await daemon.started()
        await (await begun(daemon, screen, tmp_path / "told", PartChanged(NO_ICON), PartChanged(NOTICES)))

        assert not (tmp_path / "told").exists()

    run(drive())


@pytest.mark.parametrize("desktop", ["GNOME", "ubuntu:GNOME", "GNOME-Classic:GNOME"])
def test_on_gnome_the_extension_is_named(desktop: str) -> None:
    assert "gnome-shell-extension-appindicator" in no_panel_words(desktop)


@pytest.mark.parametrize("desktop", ["", "XFCE", "KDE", "sway"])
def test_elsewhere_it_is_the_panel_that_is_missing(desktop: str) -> None:
    assert no_panel_words(desktop) == "no panel that shows StatusNotifier icons is running"
