"""Who is signed in, with the real agent and commands, and the embedded Identity Center: alice and bob."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator

import pytest

from credtray.core.protocol import Login, Status
from credtray.demo.home import ThrowAwayHome
from credtray.demo.identity_center import START_URL
from credtray.demo.stage import Plan, Stage, set_stage
from credtray.history.entries import Kind
from credtray.ipc_client import AgentClient
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.notification_fakes import daemon_on
from tests.end_to_end.house import House, until
from tests.end_to_end.test_agent import caller
from tests.end_to_end.test_desk import eventually, opened, panel, shown_by

DNS = "synderys-dns"
ALICE, BOB = "alice", "bob"
SPEED = 3_600.0
"""An hour a second: tokens and keys are renewed every three quarters of a second."""
CYCLES = 100
EVERY = 10
"""Renewals between two new sign-ins."""


def working(house: House) -> None:
    """Alice signs in, and the keys of one profile are in the credentials file."""
    house.run("login")
    house.run("activate", DNS)
    until(lambda: house.session()["person"] == ALICE)


def bob_comes(house: House) -> str:
    """Return what the login says when bob is the one who is signed in in the browser."""
    house.portal.command("auto_approve", user="bob")
    done = house.run("login", "--fresh", "--yes", code=1)
    return done.stdout + done.stderr


def test_another_persons_keys_reach_nobody_until_somebody_agrees(house: House) -> None:
    house.configure(DNS, "synderys-readonly")
    with house.agent():
        working(house)
        before = house.written()
        said = " ".join(bob_comes(house).split())

        assert f"Signed in to synderys as {BOB}" in said
        assert f"{BOB} signed in to synderys, but last time it was {ALICE}" in said
        assert "credtray login synderys --keep" in said

        # What alice has is hers until it ends; what bob could have nobody gets, by no way.
        assert house.written() == before
        assert ALICE in caller(house, DNS, AWS_CONFIG_FILE="/dev/null")
        for words in (
            ("credentials", "synderys-readonly"),
            ("env", "synderys-readonly"),
            ("exec", "--env", "synderys-readonly", "--", "true"),
        ):
            refused = house.run(*words, code=None)

            assert refused.returncode != 0
            assert "Another person is signed in" in refused.stderr
            assert "ASIA" not in refused.stdout
        assert house.session()["state"] == "refused"
        assert f"signed in as {BOB}, not as {ALICE}" in house.run("status").stdout

        kept = json.loads(house.run("login", "--keep", "--json").stdout)
        house.run("activate", "synderys-readonly")

        assert kept == {"session": "synderys", "person": BOB, "already": False}
        assert f"signed in as {BOB}" in house.run("status").stdout
        assert BOB in caller(house, "synderys-readonly", AWS_CONFIG_FILE="/dev/null")
        told = house.run("history").stdout

        assert f"{BOB} signed in to synderys: no keys are given: last time it was {ALICE}" in told
        assert f"{BOB} is the one who signs in to synderys from now on" in told


def test_without_an_agent_a_login_refuses_another_person_too(house: House) -> None:
    house.configure(DNS)
    with house.agent():
        working(house)
    said = bob_comes(house)

    assert "Another person is signed in" in said
    assert BOB not in caller(house, DNS, AWS_CONFIG_FILE="/dev/null")
    assert house.session()["expected_person"] == ALICE
    assert house.run("login", "--keep").stdout == f"{BOB} signs in to synderys from now on.\n"
    assert house.session()["expected_person"] is None


def test_an_agent_that_starts_again_knows_who_it_was(house: House) -> None:
    house.configure(DNS)
    with house.agent() as process:
        working(house)
        bob_comes(house)
        process.kill()
        process.wait(10)
    with house.agent():
        until(lambda: house.calls("GetCallerIdentity") >= 3)

        assert house.session()["person"] == BOB
        assert house.session()["expected_person"] == ALICE
        assert house.run("credentials", DNS, code=1).stdout == ""


# --- on a desktop ------------------------------------------------------------------------------------


def test_the_notice_offers_the_choices_and_keeps_with_one_press(house: House, bus: DbusDaemon) -> None:
    house.configure(DNS)

    async def work() -> None:
        async with panel(bus) as watcher, daemon_on(bus.address) as desktop:
            with house.agent():
                host = await shown_by(watcher)
                await asyncio.to_thread(working, house)
                await opened(host, lambda labels: "Signed in as alice" in labels)
                await asyncio.to_thread(bob_comes, house)
                await eventually(lambda: any("not as alice" in each.title for each in desktop.notified))
                number, notice = next(
                    (number, each)
                    for number, each in desktop.on_screen.items()
                    if "not as alice" in each.title
                )
                keep = next(action for action, label in notice.labels.items() if label == "Keep bob")

                assert [*notice.labels.values()] == [
                    "Open credtray",
                    "Sign in as alice",
                    "Keep bob",
                    "Use a clean browser",
                ]

                for _ in range(2):  # whoever is in a hurry presses twice
                    desktop.click(number, keep)
                await eventually(lambda: house.session()["expected_person"] is None)
                await opened(host, lambda labels: "Signed in as bob" in labels)
                await eventually(lambda: number not in desktop.on_screen)

    asyncio.run(work())


# --- no false alarm ----------------------------------------------------------------------------------


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    home = ThrowAwayHome.make()
    try:
        with set_stage(Plan(attended=False, speed=SPEED), dict(os.environ), home) as found:
            for name, value in found.environment.items():
                monkeypatch.setenv(name, value)
            yield found
    finally:
        home.remove()


def renewals(stage: Stage) -> int:
    return sum(stage.portal.journal.count(name) for name in ("CreateToken", "GetRoleCredentials"))


@pytest.mark.timeout(240)
def test_renewals_and_new_sign_ins_of_one_person_never_alarm(stage: Stage) -> None:
    words = ("--session", "synderys", "--start-url", START_URL, "--region", "us-east-1", "--accounts", "all")
    stage.credtray("set up", "setup", *words, "--roles", "ReadOnly,DNS,Security", "--yes")
    agent = stage.start_agent()
    while not stage.status("agent").agent.running:
        assert agent.running, agent.talk
    stage.asked("kept", "activate", "synderys-readonly", DNS, "synderys-security")
    stage.clock.run(SPEED)
    began, sign_ins = renewals(stage), 0
    while renewals(stage) - began < CYCLES:
        goal = renewals(stage) + EVERY
        while renewals(stage) < goal:
            with AgentClient.connect() as client:
                assert client.ask(Status(), within=30).sessions[0].expected_person is None
            time.sleep(0.05)  # a pace that leaves the machine to others
        stage.clock.run(1)  # people take their time
        with AgentClient.connect() as client:
            result = client.ask(Login(fresh=True, agreed=True), within=60)
        stage.clock.run(SPEED)
        sign_ins += 1

        assert not result.other_person
    asked = stage.portal.journal.count("GetCallerIdentity")
    told = stage.credtray("history", "history", "--json").out

    assert Kind.OTHER_PERSON.value not in told
    assert 0 < asked <= sign_ins + 2  # one for each, and for the token that setup left
