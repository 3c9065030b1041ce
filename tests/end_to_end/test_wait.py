"""`credtray wait` with a real agent, and without one: many processes, one sign-in."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

import pytest

from tests.cli.terminal_session import ENTER, TerminalSession
from tests.end_to_end.house import House, until

P = "synderys-dns"
WAIT = ("wait", P, "--for", "45m")


def test_jobs_that_wait_share_one_sign_in(house: House) -> None:
    house.configure()
    with house.agent():
        signed_out = house.run(*WAIT, code=5)
        jobs = [house.start(*WAIT, "--login", "--json") for _ in range(6)]
        found = [(job.communicate(timeout=60), job.returncode) for job in jobs]
        again = house.run(*WAIT)

    assert "nobody is signed in to synderys" in signed_out.stderr
    assert [code for _, code in found] == [0] * 6
    assert {json.loads(out)["profile"] for (out, _), _ in found} == {P}
    assert len(house.visits()) == 1
    assert again.stdout.startswith(f"{P} works until about ")


def test_sign_in_of_another_program_is_waited_for(house: House) -> None:
    house.configure()
    with house.agent():
        too_late = house.run(*WAIT, "--timeout", "1s", code=6)
        job = house.start(*WAIT, "--timeout", "1m")
        house.run("login")
        out, err = job.communicate(timeout=60)

    assert "credtray login synderys" in too_late.stderr
    assert job.returncode == 0, err
    assert out.startswith(P)


def test_without_an_agent_it_works_the_same(house: House) -> None:
    house.configure()
    job = house.start(*WAIT, "--timeout", "1m")
    assert job.stderr is not None
    until(lambda: "Waiting for a sign-in" in (job.stderr.readline() if job.stderr else ""))
    house.run("login")
    job.communicate(timeout=60)
    keys_too_short = house.run("wait", P, "--for", "2h", "--keys", code=5)
    house.run(*WAIT, "--login")

    assert job.returncode == 0
    assert "last 1 h" in keys_too_short.stderr
    assert len(house.visits()) == 1
    assert house.written() == ""


@dataclass
class Inside:
    """The house as a terminal finds it."""

    house: House

    @property
    def environment(self) -> dict[str, str]:
        return self.house.environ

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "credtray", *words]


@pytest.mark.posix("pseudo-terminals")
def test_a_job_at_a_terminal_offers_the_sign_in_and_begins_after_it(house: House) -> None:
    house.configure()
    with (
        house.agent(),
        TerminalSession(Inside(house), "exec", P, "--for", "45m", "--", "echo", "begun") as job,
    ):
        job.expect("nobody is signed in to synderys")
        job.expect("Sign in now?")
        visits = list(house.visits())
        job.type("y")
        job.expect("begun")

        assert visits == []
        assert job.end() == 0
        assert len(house.visits()) == 1


@pytest.mark.posix("pseudo-terminals")
def test_a_stray_enter_at_a_terminal_opens_no_browser_and_begins_nothing(house: House) -> None:
    house.configure()
    with (
        house.agent(),
        TerminalSession(Inside(house), "exec", P, "--for", "45m", "--", "echo", "begun") as job,
    ):
        job.expect("Sign in now?")
        job.type(ENTER)
        job.expect("Nothing was started. Run: credtray login synderys")

        assert job.end() == 5
        assert "begun" not in job.screen
        assert house.visits() == []


@pytest.mark.posix("pseudo-terminals")
def test_a_wait_at_a_terminal_that_is_to_wait_for_nobody_asks_nothing(house: House) -> None:
    house.configure()
    with house.agent(), TerminalSession(Inside(house), *WAIT, "--timeout", "0") as job:
        assert job.end() == 5
        assert "Sign in now?" not in job.screen
