"""The doctor beside a real agent: one that runs, and one that hangs."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.cli.real_world import World


def examined(world: World, *words: str, **variables: str) -> dict[str, Any]:
    outcome = world.credtray("doctor", "--json", *words, **variables)
    assert outcome.stderr == ""
    document: dict[str, Any] = json.loads(outcome.stdout)
    assert outcome.returncode == (1 if document["worst"] == "broken" else 0)
    return document


def by_code(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["code"]: item for item in document["findings"]}


def found(world: World, *words: str) -> dict[str, dict[str, Any]]:
    return by_code(examined(world, *words))


def test_what_a_running_agent_tells_is_among_the_findings(world: World) -> None:
    world.configure()
    with world.agent():
        before = found(world)
        assert world.credtray("login").returncode == 0
        after = found(world, "synderys-dns")

    assert "agent_running" in before
    assert "desktop_part_missing" in before
    assert before["signed_out"]["session"] == "synderys"
    assert "signed_out" not in after
    assert after["signed_in"]["severity"] == "fine"


@pytest.mark.posix("SIGSTOP")
def test_an_agent_that_hangs_holds_nobody_up(world: World) -> None:
    world.configure()
    with world.agent() as agent:
        agent.send_signal(signal.SIGSTOP)
        try:
            stopped = found(world)
        finally:
            agent.send_signal(signal.SIGCONT)

    assert stopped["agent_silent"]["severity"] == "broken"
    assert "signed_out" in stopped


def test_the_endpoint_of_the_environment_is_tried_and_one_that_is_gone_is_found(world: World) -> None:
    world.configure()
    with world.config.open("a") as config:
        config.write("[profile plain]\nregion = eu-central-1\n")
    with world.agent():
        assert world.credtray("login").returncode == 0
        variables = json.loads(world.credtray("endpoint", "synderys-dns", "--json").stdout)["environment"]
        before = examined(world, "plain", **variables)
    after = examined(world, "plain", **variables)
    uses = [
        [(each["uses"], each["kept_fresh_by_credtray"]) for each in document["profiles"][0]["clients"]]
        for document in (before, after)
    ]

    assert "endpoint_refused" not in by_code(before)
    assert by_code(after)["endpoint_refused"]["severity"] == "broken"
    assert ("container credentials endpoint", True) in uses[0]
    assert ("container credentials endpoint", False) in uses[1]
    assert ("container credentials endpoint", True) not in uses[1]
