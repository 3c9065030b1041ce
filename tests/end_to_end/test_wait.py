"""`credtray wait` with a real agent, and without one: many processes, one sign-in."""

from __future__ import annotations

import json

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
