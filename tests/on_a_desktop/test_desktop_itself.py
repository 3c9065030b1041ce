"""The test desktop, without credtray: what the other tests of this folder rely on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from PIL import ImageStat

from tests.on_a_desktop.desktop import PANEL, Desktop, missing
from tests.on_a_desktop.looks import Daemon, Furniture, Theme
from tests.on_a_desktop.private_bus import NOTIFICATIONS, WATCHER
from tests.on_a_desktop.programs import Program
from tests.on_a_desktop.screen import Area

MISSING = missing()


@contextmanager
def notice(desktop: Desktop) -> Iterator[subprocess.Popen[str]]:
    """A notification with two actions; notify-send prints the one that was chosen."""
    actions = ["--action=default=Sign in", "--action=later=Remind me in 10 min"]
    command = ["notify-send", *actions, "Sign-in ends soon", "synderys: ends in about 9 min"]
    environ = {**os.environ, **desktop.environ}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_click_on_dunsts_popup_is_the_default_action(desktop: Desktop) -> None:
    with notice(desktop) as process:
        desktop.screen.click(*desktop.find_popup().centre)
        out, _ = process.communicate(timeout=60)

    assert out == "default\n"


@pytest.mark.parametrize(("button", "action"), [(0, "default"), (1, "later")])
@pytest.mark.parametrize("theme", Theme)
def test_each_button_of_xfces_popup_is_its_action(
    desktop_with: Callable[[Furniture], Desktop], theme: Theme, button: int, action: str
) -> None:
    desktop = desktop_with(Furniture(theme, Daemon.XFCE))
    with notice(desktop) as process:
        desktop.click_button(desktop.find_popup(), button, of=2)
        out, _ = process.communicate(timeout=60)

    assert out == f"{action}\n"


@pytest.mark.parametrize("theme", Theme)
def test_panel_is_empty_and_has_the_themes_colour(
    desktop_with: Callable[[Furniture], Desktop], theme: Theme
) -> None:
    desktop = desktop_with(Furniture(theme))
    [brightness] = ImageStat.Stat(desktop.screen.still(PANEL).convert("L")).mean

    assert (brightness > 128) is (theme is Theme.LIGHT)
    assert desktop.icon() is None
    assert desktop.bus.items() == []


def test_nothing_is_started_behind_our_back(desktop_with: Callable[[Furniture], Desktop]) -> None:
    desktop = desktop_with(Furniture(daemon=None))
    with pytest.raises(LookupError, match="ServiceUnknown"):
        desktop.bus.call(NOTIFICATIONS, "/org/freedesktop/Notifications", f"{NOTIFICATIONS}.GetCapabilities")

    assert desktop.bus.owner(NOTIFICATIONS) is None


def test_parts_can_be_killed_and_begun_again(desktop: Desktop) -> None:
    assert desktop.daemon is not None
    desktop.panel.kill()
    desktop.daemon.kill()
    assert desktop.bus.owner(WATCHER) is None
    assert desktop.bus.owner(NOTIFICATIONS) is None
    desktop.start_panel()
    desktop.start_daemon()
    address = desktop.bus.address
    desktop.bus.program.kill()
    desktop.restart_bus()

    assert desktop.bus.address == address
    assert desktop.bus.owner(WATCHER) is not None
    assert desktop.bus.owner(NOTIFICATIONS) is not None


def test_suspended_part_keeps_its_name_and_does_not_answer(desktop: Desktop) -> None:
    assert desktop.daemon is not None
    desktop.daemon.suspend()
    assert desktop.bus.owner(NOTIFICATIONS) is not None
    with notice(desktop):
        assert desktop.popups() == []
        desktop.daemon.resume()

        assert isinstance(desktop.find_popup(), Area)


def test_notification_is_no_menu(desktop: Desktop) -> None:
    with notice(desktop):
        notification = desktop.find_popup()

        assert notification in desktop.popups()
        assert desktop.menus() == []


def test_desktop_of_a_failed_test_leaves_nothing_behind() -> None:
    if MISSING:
        pytest.skip(f"needs {', '.join(MISSING)}")
    desktop, second = Desktop(), Desktop()
    programs: list[Program] = []

    def failing() -> None:
        with desktop, second:
            assert desktop.screen.display != second.screen.display
            programs.extend([desktop.panel, desktop.bus.program, desktop.screen.program])
            assert all(program.alive for program in programs)
            desktop.panel.suspend()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()

    assert [Path(f"/proc/{program.pid}").exists() for program in programs] == [False] * 3
    assert processes_below(desktop.directory) == []
    assert not desktop.directory.exists()


def test_programs_of_another_desktop_cannot_connect(desktop_with: Callable[[Furniture], Desktop]) -> None:
    mine, theirs = desktop_with(Furniture(daemon=None)), desktop_with(Furniture(daemon=None))
    environ = {**os.environ, **theirs.screen.environ, "DISPLAY": mine.screen.display}
    refused = subprocess.run(
        ["xdotool", "getmouselocation"], env=environ, capture_output=True, text=True, check=False
    )

    assert refused.returncode != 0
    assert mine.screen.windows() != []


def processes_below(directory: Path) -> list[str]:
    """Programs whose home was that directory, such as the ones the bus activated."""
    return [process.name() for process in psutil.process_iter() if str(directory) in _environ(process)]


def _environ(process: psutil.Process) -> str:
    try:
        return process.environ().get("HOME", "")
    except psutil.Error:
        return ""
