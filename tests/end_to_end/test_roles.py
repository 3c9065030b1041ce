"""Roles that come and go: the real agent and commands, assignments at the embedded Identity Center."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.notification_fakes import FakeDaemon, Notified, daemon_on
from tests.end_to_end.house import ROLES, House, until
from tests.end_to_end.test_desk import eventually, panel, shown_by

IN_USE, DNS = "synderys-readonly", "synderys-dns"
"""The one whose keys tell who is signed in, and the one whose role comes and goes."""
ACCOUNT, ROLE = ROLES[DNS]
NEW = "ProdAdmin"


def remembered(house: House) -> list[dict[str, Any]]:
    """Return what the agent has written down, as it is in the file."""
    path = house.home / ".local" / "state" / "credtray" / "roles.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["records"] if path.exists() else []
    return found


def roles(house: House, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(house.run("roles", "--json", *words).stdout)["sessions"][0]
    return found


def looked(house: House) -> str:
    """Return when the agent looked last, once it has."""
    until(lambda: bool(remembered(house)))
    found: str = remembered(house)[0]["at"]
    return found


def look_again(house: House) -> None:
    """Sign in anew, and wait until the agent has looked."""
    before = looked(house)
    house.run("login", "--fresh", "--yes")
    until(lambda: looked(house) != before)


def working(house: House) -> None:
    """Sign in with one profile in use, and let the first look at what alice has pass."""
    house.run("login")
    house.run("activate", IN_USE)
    until(lambda: any(each.get("person") == "alice" for each in remembered(house)))


def said_of(house: House) -> Any:
    return house.profile(DNS)["error"]


def test_roles_are_seen_to_come_and_go_and_nothing_is_deleted(house: House) -> None:
    house.configure(IN_USE, DNS)
    with house.agent():
        working(house)
        first = roles(house)
        config, visits = house.config.read_text(), len(house.visits())
        assert [each for each in first["roles"] if each["new"]] == []
        assert first["gone"] == []

        house.portal.command("assign", account_id=ACCOUNT, role_name=NEW)
        house.portal.command("remove", account_id=ACCOUNT, role_name=ROLE)
        look_again(house)

        new = roles(house, "--new")
        assert [(each["account_id"], each["role_name"]) for each in new["roles"]] == [(ACCOUNT, NEW)]
        assert [each["profiles"] for each in new["gone"]] == [[DNS]]
        assert said_of(house)["text"] == "The role is no longer assigned to you"
        shown = house.run("roles").stdout
        assert f"{NEW} new" in shown
        assert f"{DNS}: you no longer have {ROLE}" in shown
        assert "The role is no longer assigned to you" in house.run("status").stdout
        until(lambda: f"roles that are new at synderys: {NEW} in" in house.run("history").stdout)
        told = house.run("history").stdout
        assert f"roles you no longer have at synderys: {ROLE} in" in told

        house.portal.command("assign", account_id=ACCOUNT, role_name=ROLE)
        look_again(house)

        assert said_of(house) is None
        assert roles(house)["gone"] == []
        assert house.config.read_text() == config
        assert len(house.visits()) == visits + 2  # the two sign-ins, and nothing else


def test_marks_outlast_the_agent(house: House) -> None:
    house.configure(IN_USE, DNS)
    with house.agent():
        working(house)
        house.portal.command("remove", account_id=ACCOUNT, role_name=ROLE)
        look_again(house)
    assert said_of(house)["text"] == "The role is no longer assigned to you"
    with house.agent():
        until(lambda: said_of(house) is not None)


def test_command_asks_by_itself_where_no_agent_has_looked_and_never_opens_a_browser(house: House) -> None:
    house.configure(IN_USE, DNS)
    refused = house.run("roles", "synderys", code=1)
    assert "credtray login synderys" in refused.stderr
    assert house.visits() == []
    house.run("login")
    visits = house.visits()

    assert len(roles(house)["roles"]) > 1
    assert house.visits() == visits
    assert "Did you mean synderys?" in " ".join(house.run("roles", "synderis", code=2).stderr.split())
    assert remembered(house) == []


def test_list_that_fails_half_way_marks_nothing(house: House) -> None:
    house.configure(IN_USE, DNS)
    with house.agent():
        working(house)
        house.portal.command("remove", account_id=ACCOUNT, role_name=ROLE)
        house.portal.command("inject", operation="ListAccountRoles", fault={"fault": "truncate"}, times=9)
        house.run("login", "--fresh", "--yes")
        until(lambda: "the roles could not be listed" in house.log.read_text())

        assert said_of(house) is None


async def notice(desktop: FakeDaemon, words: str) -> tuple[int, Notified]:
    """Return the notice with these words, once it is on the screen."""

    def there() -> list[tuple[int, Notified]]:
        return [(number, each) for number, each in desktop.on_screen.items() if words in each.title]

    await eventually(lambda: bool(there()))
    return there()[0]


def test_the_notice_offers_the_profile_and_not_now_keeps_quiet(house: House, bus: DbusDaemon) -> None:
    house.configure(IN_USE, DNS)

    async def work() -> None:
        async with panel(bus) as watcher, daemon_on(bus.address) as desktop:
            with house.agent():
                await shown_by(watcher)
                await asyncio.to_thread(working, house)
                house.portal.command("assign", account_id=ACCOUNT, role_name=NEW)
                await asyncio.to_thread(look_again, house)
                number, shown = await notice(desktop, f"You now have {NEW} in ")

                assert shown.title.endswith(": add a profile?")
                assert [*shown.labels.values()] == ["Add a profile", "Add a profile", "Not now"]

                later = next(action for action, label in shown.labels.items() if label == "Not now")
                desktop.click(number, later)
                await eventually(lambda: remembered(house)[0].get("hidden") == [[ACCOUNT, NEW]])
                count = len(desktop.notified)
                await asyncio.to_thread(look_again, house)

                assert not any("You now have" in each.title for each in desktop.notified[count:])

    asyncio.run(work())
