"""The tray icon in Windows, with a mouse on Wine's taskbar: menu, balloon, and the end of the session."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from credtray.desktop.balloons import CLICKED
from tests.end_to_end.house import ROLES, House, until
from tests.portal import RunningPortal, running
from tests.wine.conftest import WindowsPython, lacking
from tests.wine.desk import ASKED_TO_END, ELSEWHERE, ICON, Agent, Desk, desk, own_prefix
from tests.wine.menu import LEFT, RIGHT, Menu

NOTIFY = 0x0400 + 11
"""What pystray has the taskbar send."""
WHOSE_KEYS = """
import botocore.session
sts = botocore.session.get_session().create_client("sts", "us-east-1")
print(sts.get_caller_identity()["Account"])
"""
"""Asks AWS, as any program in Windows does, with what botocore finds there."""
FIVE = tuple(f"team-{number}" for number in range(1, 6))


class Place:
    """A desk and two houses; at most one agent runs, in one of them."""

    def __init__(self, desk: Desk, portal: RunningPortal, directory: Path) -> None:
        self.desk = desk
        self._portal = portal
        self._directory = directory
        self._houses: dict[int, House] = {}
        self._running: tuple[int, Agent] | None = None

    def house(self, sessions: int) -> House:
        """Return the house where somebody is signed in to so many sessions."""
        if sessions not in self._houses:
            self._houses[sessions] = self._furnished(sessions)
        return self._houses[sessions]

    def agent(self, sessions: int) -> Agent:
        """Return the agent that runs there."""
        if self._running is not None:
            number, agent = self._running
            if number == sessions and not agent.ended:
                return agent
            if not agent.ended:
                agent.end()
            until(lambda: not self.desk.icon())
        self._running = (sessions, self.desk.start(self.house(sessions)))
        return self._running[1]

    def _furnished(self, sessions: int) -> House:
        home = self._directory / f"home-{sessions}"
        home.mkdir()
        house = House(home, self._portal)
        house.configure()
        house.run("login", "synderys")
        if sessions == len(FIVE):
            house.config.write_text("".join(map(self._of_one_team, FIVE)))
            for name in FIVE:
                shutil.copy(house.token_file(), cached(house, name))
        return house

    @staticmethod
    def _of_one_team(name: str) -> str:
        return f"""
[sso-session {name}]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile {name}-readonly]
sso_session = {name}
sso_account_id = 111100000001
sso_role_name = ReadOnly
"""


def cached(house: House, session: str) -> Path:
    return house.token_file().with_name(f"{hashlib.sha1(session.encode()).hexdigest()}.json")  # noqa: S324 - the AWS CLI's way to name it


@pytest.fixture(scope="module")
def place(windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    missing = [name for name in ("Xvfb", "xdotool", "setpriv") if shutil.which(name) is None]
    if missing:
        lacking(f"needs {', '.join(missing)}: sh packaging/environment.sh tools")
    directory = tmp_path_factory.mktemp("desk")
    with running("--auto-approve", "alice") as portal, desk(windows_python, directory) as found:
        yield Place(found, portal, directory)


def default_profile(house: House) -> str | None:
    """Return whose keys are in ``[default]``."""
    mark = r'^\[default\]\n# credtray keeps this section: profile "([^"]+)"'
    found = re.search(mark, house.written(), re.MULTILINE)
    return found[1] if found else None


def test_what_wine_writes_into_its_registry_stays_on_this_desk(tmp_path: Path) -> None:
    drive = tmp_path / "prefix"
    drive.mkdir()
    (drive / "user.reg").write_text("as it was")
    with own_prefix(drive) as copy, (copy / "user.reg").open("r+") as registry:
        registry.write("something")

    assert (drive / "user.reg").read_text() == "as it was"
    assert [file.name for file in tmp_path.iterdir()] == ["prefix"]


@pytest.mark.parametrize("sessions", [len(FIVE), 1])
def test_icon_is_there_whatever_the_tooltip_has_to_hold(place: Place, sessions: int) -> None:
    place.agent(sessions)

    assert place.desk.icon()


def test_right_click_opens_the_menu_and_a_click_on_a_profile_switches_the_default(place: Place) -> None:
    house, _ = place.house(1), place.agent(1)
    for name in ("synderys-dns", "synderys-dns", "synderys-readonly"):
        Menu(place.desk, RIGHT).choose("Default profile", name)
        place.desk.balloon()

        assert default_profile(house) == name
        assert place.desk.run(house, "-c", WHOSE_KEYS).strip() == ROLES[name][0]


def test_left_click_opens_the_same_menu(place: Place) -> None:
    place.agent(1)
    areas = []
    for button in (LEFT, RIGHT):
        menu = Menu(place.desk, button)
        areas.append(menu.area)
        menu.close()

    assert areas[0] == areas[1]


def test_a_click_on_the_balloon_signs_in_and_nothing_else_does(place: Place) -> None:
    house, agent = place.house(1), place.agent(1)
    visits = len(house.visits())
    house.token_file().unlink()
    place.desk.balloon()

    assert len(house.visits()) == visits

    agent.post_to_icon(NOTIFY, CLICKED)
    until(place.desk.looks_as_begun)

    assert len(house.visits()) == visits + 1
    assert house.token_file().exists()


def test_a_double_click_signs_in_when_that_is_wanted(place: Place) -> None:
    house, _ = place.house(1), place.agent(1)
    visits = len(house.visits())
    house.token_file().unlink()
    place.desk.balloon()
    place.desk.screen.double_click(*ICON.centre)
    place.desk.screen.move(*ELSEWHERE)
    until(lambda: len(house.visits()) > visits)
    until(place.desk.looks_as_begun)

    assert len(house.visits()) == visits + 1


def test_at_the_end_of_the_session_no_key_of_ours_stays_behind(place: Place) -> None:
    house, agent = place.house(1), place.agent(1)
    Menu(place.desk, RIGHT).choose("Default profile", "synderys-security")
    place.desk.balloon()

    assert default_profile(house) == "synderys-security"
    assert set(agent.send(ASKED_TO_END)) == {1}
    assert default_profile(house) == "synderys-security"
    assert agent.end() == 0
    assert "credtray" not in house.written()
