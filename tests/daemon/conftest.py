"""A real agent process with a tiny handler, and what its clients need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Agent:
    """A process that runs tests/daemon/stub_agent.py."""

    process: subprocess.Popen[str]
    socket: Path
    """Where clients look; on Windows the file that tells the pipe's name."""

    def kill(self) -> None:
        self.process.kill()

    def suspend(self) -> None:
        """Let it do nothing any more, not even notice that."""
        suspend(self.process)


class Raw(Protocol):
    """A connection that nobody has asked anything on."""

    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, most: int, /) -> bytes: ...
    def close(self) -> None: ...


if sys.platform == "win32":
    import ctypes

    from credtray.agent_connect_pipe import connect

    _SUSPEND_RESUME = 0x0800

    def suspend(process: subprocess.Popen[Any]) -> None:
        handle = ctypes.windll.kernel32.OpenProcess(_SUSPEND_RESUME, False, process.pid)
        assert ctypes.windll.ntdll.NtSuspendProcess(ctypes.c_void_p(handle)) == 0
        ctypes.windll.kernel32.CloseHandle(ctypes.c_void_p(handle))

    def resume(process: subprocess.Popen[str]) -> None:
        """Terminating a suspended process is all that Windows needs."""

    def raw(agent: Agent) -> Raw:
        return connect(60)

    def _listening() -> Path:
        return Path(os.environ["LOCALAPPDATA"], "credtray", "agent.pipe")

else:
    import socket

    def suspend(process: subprocess.Popen[Any]) -> None:
        process.send_signal(signal.SIGSTOP)

    def resume(process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGCONT)

    def raw(agent: Agent) -> Raw:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        client.connect(str(agent.socket))
        return client

    def _listening() -> Path:
        return Path(os.environ["XDG_RUNTIME_DIR"], "credtray", "agent.sock")


def until_closed(client: Raw) -> bytes:
    """Return all that comes."""
    held = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            held += data
    client.close()
    return held


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
    resume(process)
    process.kill()
    return process.communicate(timeout=60)[1]


@contextmanager
def running_agent() -> Iterator[Agent]:
    """Have one that serves, until the end of the ``with``."""
    process = start_agent()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        yield Agent(process, _listening())
    finally:
        end_agent(process)


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running_agent() as running:
        yield running


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Poll until it holds, at most for so long."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
