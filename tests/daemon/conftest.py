"""A real agent process with a tiny handler, and what its clients need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Agent:
    """A process that runs tests/daemon/stub_agent.py."""

    process: subprocess.Popen[str]
    socket: Path

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)


def start_agent() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.daemon.stub_agent"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_agent(process: subprocess.Popen[str]) -> str:
    """End the process, whatever it is doing, and return what it wrote to stderr; once is enough."""
    if process.stderr is None or process.stderr.closed:
        return ""
    process.send_signal(signal.SIGCONT)
    process.kill()
    return process.communicate(timeout=60)[1]


@pytest.fixture
def agent() -> Iterator[Agent]:
    process = start_agent()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        yield Agent(process, Path(os.environ["XDG_RUNTIME_DIR"]) / "credtray" / "agent.sock")
    finally:
        end_agent(process)


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Poll until it holds, at most for so long."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
