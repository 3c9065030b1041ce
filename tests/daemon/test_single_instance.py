from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from credtray.core.errors import AgentRefused
from credtray.core.protocol import Ping
from credtray.daemon.single_instance import SingleInstance, Start
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


def test_killed_holder_is_followed_within_a_second(agent: Agent) -> None:
    agent.kill()
    agent.process.wait()
    assert agent.socket.exists()  # nobody cleaned up
    started = time.monotonic()
    lock = SingleInstance(agent.socket.parent)
    outcome = lock.acquire()
    took = time.monotonic() - started
    lock.release()
    heir = start_agent()
    line = first_line(heir)
    with AgentClient.connect() as client:
        client.ask(Ping())
    end_agent(heir)

    assert outcome is Start.ACQUIRED
    assert took < 0.1
    assert line == "serving\n"


def test_stopped_holder_is_not_robbed(agent: Agent) -> None:
    agent.kill(signal.SIGSTOP)
    second = start_agent()
    line = first_line(second)
    code = second.wait(10)
    end_agent(second)

    assert (line, code) == ("already running\n", 0)


def test_lock_is_held_until_released(tmp_path: Path) -> None:
    first, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
    outcomes = [first.acquire(), first.acquire(), second.acquire()]
    first.release()
    outcomes.append(second.acquire())
    second.release()

    assert outcomes == [Start.ACQUIRED, Start.ACQUIRED, Start.ALREADY_RUNNING, Start.ACQUIRED]
    assert (first.held, second.held) == (False, False)


def test_lock_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    lock = SingleInstance(tmp_path)
    lock.acquire()
    lock.release()
    os.umask(before)

    assert (tmp_path / "agent.lock").stat().st_mode & 0o777 == 0o600


def test_link_planted_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agent.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AgentRefused, match="cannot be opened"):
        SingleInstance(tmp_path).acquire()

    assert not (tmp_path / "elsewhere").exists()


def test_lock_on_a_removed_file_locks_nobody_out_of_a_new_one(tmp_path: Path) -> None:
    old = SingleInstance(tmp_path)
    old.acquire()
    (tmp_path / "agent.lock").unlink()
    new = SingleInstance(tmp_path)
    outcome = new.acquire()
    old.release()
    new.release()

    assert outcome is Start.ACQUIRED


class Swept(SingleInstance):
    """Somebody empties the directory just between our opening and locking the file."""

    sweeps = 1

    def _open(self) -> int:
        descriptor = super()._open()
        if self.sweeps:
            self.sweeps -= 1
            self._path.unlink()
        return descriptor


def test_file_removed_before_it_was_locked_is_not_mistaken_for_the_lock(tmp_path: Path) -> None:
    first, second = Swept(tmp_path), SingleInstance(tmp_path)
    outcomes = [first.acquire(), second.acquire()]
    first.release()
    second.release()

    assert outcomes == [Start.ACQUIRED, Start.ALREADY_RUNNING]
