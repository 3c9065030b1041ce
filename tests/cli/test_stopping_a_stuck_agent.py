"""`credtray stop` with an agent that answers nothing, where a signal or the system does not do as hoped."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from credtray.cli import agent_process
from credtray.core import shell_words
from credtray.core.errors import AgentNotRunning, AgentSilent
from credtray.core.forms import Form
from credtray.desktop.paths import agent_lock
from credtray.files.file_lock import FileLock
from credtray.ipc_client import AgentClient
from tests.cli.fake_backend import credtray

AGENT = 4_000_000
"""No process has that number."""
CONNECT = "credtray.agent_connect_pipe" if sys.platform == "win32" else "credtray.agent_connect"


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an agent listen that says nothing, and wait for no end of it."""

    def connect() -> AgentClient:
        raise AgentSilent

    monkeypatch.setattr(AgentClient, "connect", connect)
    monkeypatch.setattr(f"{CONNECT}.listener", lambda: AGENT)
    monkeypatch.setattr(agent_process, "_STUCK_SECONDS", 0.0)


@pytest.fixture
def held() -> Iterator[None]:
    """The lock of an agent that is still there."""
    agent_lock().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(agent_lock(), timeout=0):
        yield


def refused(_pid: int, _number: int) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize(
    ("form", "command"),
    [(Form.POSIX, "kill -9 4000000"), (Form.POWERSHELL, "Stop-Process -Force -Id 4000000")],
)
@pytest.mark.usefixtures("held")
def test_process_that_may_not_be_ended_is_named_with_a_command(
    form: Form, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_words, "SYSTEM", form)
    monkeypatch.setattr(os, "kill", refused)
    monkeypatch.setattr(agent_process, "_ended_when_asked", lambda _pid: False)
    stopped = credtray("stop")

    assert stopped.code == AgentSilent.exit_code
    assert "its process 4000000 cannot be ended" in stopped.err
    assert f"As an administrator, run: {command}" in stopped.err


@pytest.mark.parametrize(
    ("form", "command"),
    [
        (Form.POSIX, "pgrep -fl credtray; then end it: kill -9 PID"),
        (Form.POWERSHELL, "Get-Process *credtray*"),
    ],
)
def test_unknown_process_is_found_by_a_command(
    form: Form, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_words, "SYSTEM", form)
    monkeypatch.setattr(f"{CONNECT}.listener", lambda: None)
    stopped = credtray("stop")

    assert stopped.code == AgentSilent.exit_code
    assert f"Find it: {command}" in stopped.err


def test_agent_that_ends_by_itself_meanwhile_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_pid: int, _number: int) -> None:
        raise ProcessLookupError

    agent_lock().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    monkeypatch.setattr(os, "kill", gone)
    stopped = credtray("stop")

    assert (stopped.code, stopped.err) == (0, "")


def test_no_agent_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect() -> AgentClient:
        raise AgentNotRunning

    monkeypatch.setattr(AgentClient, "connect", connect)

    assert credtray("stop").out == "No agent is running.\n"
