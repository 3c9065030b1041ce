from __future__ import annotations

import subprocess

from credtray.core.protocol import Ping
from credtray.files.file_lock import FileLock
from credtray.ipc_client import AgentClient
from tests.daemon.conftest import Agent, end_agent, start_agent


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_of_twenty_started_at_once_exactly_one_serves_and_the_others_say_so() -> None:
    processes = [start_agent() for _ in range(20)]
    said = [first_line(process) for process in processes]
    with AgentClient.connect() as client:
        client.ask(Ping())
    codes = [process.wait(10) for process, line in zip(processes, said, strict=True) if line != "serving\n"]
    for process in processes:
        end_agent(process)

    assert sorted(said) == ["already running\n"] * 19 + ["serving\n"]
    assert codes == [0] * 19


def test_killed_holder_is_followed_at_once(agent: Agent) -> None:
    agent.kill()
    agent.process.wait()
    assert agent.socket.exists()  # nobody cleaned up
    with FileLock(agent.socket.parent / "agent.lock", timeout=0):  # the first try gets it
        pass
    heir = start_agent()
    line = first_line(heir)
    with AgentClient.connect() as client:
        client.ask(Ping())
    end_agent(heir)

    assert line == "serving\n"


def test_stopped_holder_is_not_robbed(agent: Agent) -> None:
    agent.suspend()
    second = start_agent()
    line = first_line(second)
    code = second.wait(10)
    end_agent(second)

    assert (line, code) == ("already running\n", 0)
