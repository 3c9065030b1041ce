"""The doctor beside a real agent: one that runs, and one that hangs."""

from __future__ import annotations

import json
import signal
from typing import Any

from tests.cli.real_world import World


def found(world: World, *words: str) -> dict[str, dict[str, Any]]:
    outcome = world.credtray("doctor", "--json", *words)
    assert outcome.stderr == ""
    document = json.loads(outcome.stdout)
    assert outcome.returncode == (1 if document["worst"] == "broken" else 0)
    return {item["code"]: item for item in document["findings"]}


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
