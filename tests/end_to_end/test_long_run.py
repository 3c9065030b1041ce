"""B8: the real agent for a long time at a quick pace, and all that programs ask of it; nothing grows."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credtray.core.errors import CredtrayError
from credtray.core.protocol import Asks, Credentials, Status
from credtray.demo.home import ThrowAwayHome
from credtray.demo.identity_center import START_URL
from credtray.demo.stage import Child, Plan, Stage, set_stage
from credtray.ipc_client import AgentClient
from tests.portal import ask
from tests.soak import SOAK

SECONDS = 30 * 60 if SOAK else 20
SPEED = 1_440.0
"""Thirty days in half an hour: the keys of an hour are renewed about every two seconds."""
EVERY = 5.0 if SOAK else 0.5
"""Seconds between two looks at the process."""
PROFILES = ("synderys-readonly", "synderys-dns", "synderys-security")
MOST_MEMORY = 120.0
"""MB."""
MOST_GROWTH = 0.1
"""MB for each thousand cycles; what a short run shows is the warming up."""

LATE_STARTS = 2
"""Threads and descriptors that may come once and stay; a leak has brought many more by then."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc of Linux")


@dataclass(frozen=True)
class IconState:
    """What one process holds."""

    cycles: int
    """Calls of CreateToken and GetRoleCredentials so far."""
    memory: float
    """MB resident."""
    threads: int
    descriptors: int

    @classmethod
    def at(cls, pid: int, cycles: int) -> IconState:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        memory = int(fields["VmRSS"].split()[0]) / 1024
        return cls(cycles, memory, int(fields["Threads"]), len(list(Path(f"/proc/{pid}/fd").iterdir())))


@dataclass
class Life:
    """What went on around the agent."""

    asked: int = 0
    refused: int = 0
    fetched: int = 0


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    home = ThrowAwayHome.make()
    try:
        with set_stage(Plan(attended=False, speed=SPEED), dict(os.environ), home) as found:
            for name, value in found.environment.items():
                monkeypatch.setenv(name, value)
            found.portal.set_lifetimes(sign_in=timedelta(days=89), interval=timedelta(seconds=1))
            yield found
    finally:
        home.remove()


def cycles(stage: Stage) -> int:
    return sum(stage.portal.journal.count(name) for name in ("CreateToken", "GetRoleCredentials"))


def live(told: dict[str, Any], seconds: float, life: Life) -> None:
    """Ask the agent in every way there is, as programs do all day."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        requests: tuple[Asks[Any], ...] = (Status(), Credentials(PROFILES[life.asked % len(PROFILES)]))
        for request in requests:
            life.asked += 1
            try:
                with AgentClient.connect() as client:
                    client.ask(request, within=30)
            except CredtrayError:
                life.refused += 1  # at this pace keys may have ended when they arrive
        for authorization in (Path(told["token_file"]).read_text(), "wrong"):
            answer = ask(told["url"], headers={"Authorization": authorization}, timeout=60)
            life.fetched += answer.status == 200
        with suppress(CredtrayError):
            AgentClient.connect().close()  # one that hangs up at once
        time.sleep(0.01)  # a pace that leaves the machine to others


def slope(looks: list[IconState]) -> float:
    """Return MB for each thousand cycles, by least squares."""
    return (
        statistics.linear_regression([each.cycles for each in looks], [each.memory for each in looks])[0]
        * 1000
    )


def begun(stage: Stage) -> tuple[Child, dict[str, Any]]:
    """Sign in, start the agent and give it work; return it and what `credtray endpoint` told."""
    words = ("--session", "synderys", "--start-url", START_URL, "--region", "us-east-1", "--accounts", "all")
    stage.credtray("set up", "setup", *words, "--roles", "ReadOnly,DNS,Security", "--yes")
    agent = stage.start_agent()
    while not stage.status("agent").agent.running:
        assert agent.running, agent.talk
    stage.asked("kept", "activate", *PROFILES)
    told: dict[str, Any] = json.loads(stage.credtray("endpoint", "endpoint", PROFILES[1], "--json").out)
    stage.clock.run(SPEED)
    return agent, told


def summary(early: list[IconState], late: list[IconState], life: Life) -> str:
    asked = f"{late[-1].cycles} cycles, {life.asked} + {life.fetched} requests ({life.refused} refused)"
    memory = f"{early[0].memory:.1f} to {late[-1].memory:.1f} MB"
    grown = f"{slope([*early, *late]):+.3f} MB per 1,000 cycles"
    return f"{asked}, {memory}, {grown}, {late[-1].threads} threads, {fewest(late)} descriptors"


def fewest(looks: list[IconState]) -> int:
    return min(each.descriptors for each in looks)


@pytest.mark.timeout(SECONDS + 300)
def test_nothing_grows_while_the_agent_works_for_days(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    agent, told = begun(stage)
    life, looks = Life(), [IconState.at(agent.pid, cycles(stage))]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        live(told, EVERY, life)
        looks.append(IconState.at(agent.pid, cycles(stage)))
    third = len(looks) // 3
    early, late = looks[third : 2 * third], looks[2 * third :]

    with capsys.disabled():
        sys.stdout.write(f" {summary(early, late, life)} ")
    assert agent.running, agent.talk
    assert life.refused < life.asked / 10
    assert life.fetched > 0
    assert late[-1].cycles > SECONDS / 2
    assert max(each.memory for each in looks) < MOST_MEMORY
    # A pool begins its next thread when all others are busy for the first time, which may be late.
    assert min(each.threads for each in late) <= min(each.threads for each in early) + LATE_STARTS
    assert fewest(late) <= fewest(early) + LATE_STARTS
    if SOAK:
        assert slope([*early, *late]) < MOST_GROWTH
