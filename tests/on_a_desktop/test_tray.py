"""The icon and its menu in XFCE's panel, with a mouse; the agent is the real one."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from credtray.core.protocol import PauseNotices
from credtray.ipc_client import AgentClient
from tests.connect_proxy import ConnectProxy
from tests.end_to_end.house import ROLES, until
from tests.on_a_desktop.desktop import PANEL
from tests.on_a_desktop.seat import Seat, find

AWS = Path("/usr/bin/aws")


def aws(seat: Seat, *words: str) -> str:
    """Run Debian's AWS CLI, which finds the portal under AWS's own names only, with nothing but our keys."""
    port = urlsplit(seat.house.portal.url).port
    assert port is not None
    with ConnectProxy(port) as proxy:
        environ = {**seat.house.environ, **proxy.environment, "AWS_CONFIG_FILE": os.devnull}
        del environ["LD_PRELOAD"]
        done = subprocess.run(
            [AWS, *words], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package")
def test_profile_is_switched_with_the_mouse_and_the_aws_cli_uses_it(seat: Seat, tmp_path: Path) -> None:
    with seat.agent():
        seat.house.run("login")
        seat.choose("Default profile", "synderys-dns")
        until(lambda: "[default]" in seat.house.written())
        caller = json.loads(aws(seat, "sts", "get-caller-identity"))
        line = find(seat.menu(), "Default profile")

        assert caller["Account"] == ROLES["synderys-dns"][0]
        assert line.label == "Default profile: synderys-dns"
        assert [item.label.split()[0] for item in line.children if item.checked] == ["synderys-dns"]


def test_open_menu_shows_every_line_that_was_told(seat: Seat, tmp_path: Path) -> None:
    with seat.agent():
        seat.house.run("login")
        menu = seat.desktop.open_menu()
        picture = seat.desktop.screenshot(tmp_path / "menu.png", menu)

        assert seat.places(seat.menu(), menu).keys() >= {"New sign-in…", "Sign out", "Quit"}
        assert picture.size == (menu.width, menu.height)
        assert PANEL.height <= menu.top + 2


def test_icon_is_back_after_the_panel_was_killed(seat: Seat) -> None:
    with seat.agent():
        seat.desktop.panel.kill()
        seat.desktop.start_panel()
        seat.desktop.find_icon()

        assert len(seat.desktop.bus.items()) == 1
        assert seat.part("tray")["back_end"] == "status_notifier"


@pytest.mark.met("F20")
def test_icon_is_back_after_the_panels_tray_was_started_anew(seat: Seat) -> None:
    with seat.agent():
        seat.desktop.end_tray_plugin()
        seat.desktop.find_icon()

        until(lambda: seat.part("tray")["back_end"] == "status_notifier")
        assert len(seat.desktop.bus.items()) == 1


def test_panel_that_hangs_holds_up_nobody_and_keeps_the_icon(seat: Seat) -> None:
    with seat.agent():
        seat.house.run("login")
        seat.desktop.panel.suspend()
        seat.house.run("activate", "synderys-dns")
        until(lambda: "[synderys-dns]" in seat.house.written())
        seat.house.status()
        seat.desktop.panel.resume()

        until(lambda: find(seat.menu(), "Keys kept").label == "Keys kept in credentials file (1)")
        seat.desktop.find_icon()


def test_panel_that_comes_late_gets_the_icon(seat: Seat) -> None:
    seat.desktop.panel.kill()
    with seat.house.agent():
        until(lambda: seat.part("tray")["reason"])
        seat.desktop.start_panel()
        seat.desktop.find_icon()

        assert seat.part("tray")["back_end"] == "status_notifier"


def ask(request: PauseNotices) -> None:
    with AgentClient.connect() as client:
        client.ask(request, lambda _progress: None)


def test_600_quick_changes_do_not_lose_the_icon(seat: Seat) -> None:
    settings = seat.house.home / ".config" / "credtray" / "settings.toml"
    settings.parent.mkdir(parents=True)
    later = datetime.now(UTC) + timedelta(hours=1)
    with seat.agent():
        for number in range(300):
            settings.write_text(f'icon = "{("light", "dark")[number % 2]}"\n')
            ask(PauseNotices(later))
            ask(PauseNotices(None))
        until(lambda: find(seat.menu(), "Pause notices").enabled)
        seat.desktop.find_icon()
        seat.desktop.open_menu()

        assert len(seat.desktop.bus.items()) == 1
        assert seat.desktop.panel.alive


def test_agent_outlives_its_screen(seat: Seat) -> None:
    with seat.agent():
        seat.house.run("login")
        seat.desktop.screen.program.kill()
        seat.house.run("activate", "synderys-dns")
        until(lambda: "[synderys-dns]" in seat.house.written())

        until(lambda: seat.part("tray")["back_end"] is None)
        assert seat.part("tray")["reason"]


def test_refreshing_goes_on_without_the_bus_and_the_icon_comes_back_with_it(seat: Seat) -> None:
    with seat.agent():
        seat.house.run("login")
        seat.house.run("activate", "synderys-dns")
        seat.desktop.bus.program.kill()
        before = seat.house.calls("GetRoleCredentials")
        seat.sleep(minutes=50)
        until(lambda: seat.house.calls("GetRoleCredentials") > before)
        until(lambda: seat.part("tray")["back_end"] != "status_notifier")
        assert "bus" in seat.part("notifications")["reason"]
        seat.desktop.restart_bus()
        seat.desktop.find_icon()

        until(lambda: seat.part("tray")["back_end"] == "status_notifier")


def test_quit_in_the_menu_ends_the_agent(seat: Seat) -> None:
    with seat.house.agent() as process:
        seat.desktop.find_icon()
        seat.choose("Quit", "Yes, quit")

        assert process.wait(5) == 0
        until(lambda: seat.desktop.icon() is None)
        assert seat.desktop.bus.items() == []


def test_names_with_odd_letters_can_be_read_and_chosen(seat: Seat) -> None:
    seat.house.configure(
        more="""
[profile a_b__c]
sso_session = synderys
sso_account_id = 111100000002
sso_role_name = DNS
"""
    )
    with seat.agent():
        seat.house.run("login")
        seat.choose("Default profile", "a_b__c")

        until(lambda: find(seat.menu(), "Default profile").label == "Default profile: a_b__c")
        assert any(line.label.startswith("a_b__c") for line in find(seat.menu(), "Keys kept").children)


def test_without_a_bus_the_icon_is_an_x11_one_and_a_click_on_it_signs_in(seat: Seat) -> None:
    seat.house.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere"
    with seat.agent() as icon:
        back_end = seat.part("tray")["back_end"]
        seat.desktop.screen.click(*icon.centre)
        until(lambda: seat.house.session()["state"] == "fresh")

        assert back_end == "xembed"
        assert len(seat.house.visits()) == 1
        assert seat.desktop.icon() is not None
