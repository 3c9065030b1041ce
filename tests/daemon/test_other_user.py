"""Mallory: another user of this computer, who is after the keys. Needs root to become that user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from credtray.core.errors import AgentRefused
from credtray.core.protocol import Credentials, encode
from credtray.ipc_client import AgentClient
from tests.daemon.conftest import ROOT, Agent, end_agent

MALLORY = 65534
PYTHON = Path("/usr/bin/python3")
SETPRIV = shutil.which("setpriv")

pytestmark = [
    pytest.mark.posix("another user asks by setpriv"),
    pytest.mark.skipif(
        os.geteuid() != 0 or SETPRIV is None or not PYTHON.exists(),
        reason="root, setpriv and a system Python",
    ),
]

CONNECT = f"""
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(5)
try:
    client.connect(sys.argv[1])
    client.sendall({encode(Credentials("foo"))!r})
    print("got", client.recv(65536))
except OSError as error:
    print(type(error).__name__)
"""

IMPERSONATE = """
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
server.listen()
print("listening", flush=True)
while True:
    client, _ = server.accept()
    client.sendall(b'{"credtray":1,"reply":"credentials","credentials":{"Version":1,"AccessKeyId":"EVIL"}}\\n')
    client.recv(65536)
"""


def as_mallory(code: str, *arguments: str) -> subprocess.Popen[str]:
    become = [str(SETPRIV), f"--reuid={MALLORY}", f"--regid={MALLORY}", "--clear-groups"]
    return subprocess.Popen(
        [*become, str(PYTHON), "-I", "-c", code, *arguments], stdout=subprocess.PIPE, text=True, cwd="/"
    )


@pytest.fixture
def open_runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR that everybody can look into (those of pytest are private)."""
    directory = Path(tempfile.mkdtemp(prefix="credtray-test-"))
    directory.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory
    shutil.rmtree(directory)


def test_another_user_cannot_connect(open_runtime: Path, agent: Agent) -> None:
    said = as_mallory(CONNECT, str(agent.socket)).communicate(timeout=10)[0]

    assert said == "PermissionError\n"


def test_another_user_is_refused_even_when_the_modes_let_everybody_in(
    open_runtime: Path, agent: Agent
) -> None:
    agent.socket.parent.chmod(0o755)
    agent.socket.chmod(0o666)
    said = [as_mallory(CONNECT, str(agent.socket)).communicate(timeout=10)[0] for _ in range(3)]
    logged = end_agent(agent.process)

    assert set(said) <= {"got b''\n", "ConnectionResetError\n", "BrokenPipeError\n"}
    assert logged.count(f"user {MALLORY} tried to use the socket") == 1


@pytest.fixture
def impostor(open_runtime: Path) -> Iterator[Path]:
    (open_runtime / "credtray").mkdir()
    (open_runtime / "credtray").chmod(0o777)
    path = open_runtime / "credtray" / "agent.sock"
    process = as_mallory(IMPERSONATE, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    yield path
    process.kill()
    process.communicate()


def test_fast_client_prints_nothing_that_an_impostor_says(impostor: Path) -> None:
    door = str(ROOT / "agent" / "credtray" / "__main__.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", door, "credentials", "foo"], capture_output=True, timeout=30, check=False
    )

    assert done.returncode != 0
    assert done.stdout == b""
    assert f"user {MALLORY} listens there".encode() in done.stderr


def test_client_refuses_an_impostor(impostor: Path) -> None:
    with pytest.raises(AgentRefused, match=f"user {MALLORY}"):
        AgentClient.connect()


def test_agent_refuses_the_directory_an_impostor_prepared(impostor: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.daemon.stub_agent"],
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert process.returncode != 0
    assert process.stdout == b""
    assert b"AgentRefused" in process.stderr
