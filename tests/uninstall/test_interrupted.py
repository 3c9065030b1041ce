"""Uninstalling beside agents of every state, twice at once, and killed at every step."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm_start
from tests.cli.real_world import wait_until
from tests.cli.terminal_session import TerminalSession
from tests.soak import SOAK
from tests.uninstall.homes import differences, environment, lay_traces, snapshot, uninstalled

ROOT = Path(__file__).resolve().parents[2]
KEYS = b"[old-script]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x/y+z\n"
STEP = 1 if SOAK else 8
"""Of some sixty removals so many are passed over between two that are tried."""
KILLED_AT = """
import os, signal, sys
left = int(sys.argv[1])
def counting(call):
    def counted(*words, **named):
        global left
        left -= 1
        if left < 0:
            print("killed", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*words, **named)
    return counted
for name in ("unlink", "rmdir", "rename", "replace"):
    setattr(os, name, counting(getattr(os, name)))
from credtray.cli.main import main
sys.exit(main(["uninstall", "--yes"]))
"""
OTHER_VERSION = """
import socket, sys
from pathlib import Path
path = Path(sys.argv[1])
path.parent.mkdir(mode=0o700, exist_ok=True)
listener = socket.socket(socket.AF_UNIX)
listener.bind(str(path))
path.chmod(0o600)
listener.listen()
print("there", flush=True)
while True:
    client, _ = listener.accept()
    while client.recv(65536):
        client.sendall(b'{"credtray":99,"reply":"done"}\\n')
"""


def furnished(home: Path) -> dict[str, tuple[str, int, bytes]]:
    """Put keys of somebody else there, look, and leave our traces."""
    (home / ".aws").mkdir(mode=0o700)
    (home / ".aws" / "credentials").write_bytes(KEYS)
    (home / ".aws" / "credentials").chmod(0o600)
    before = snapshot(home)
    lay_traces(home)
    return before


def agent(home: Path) -> warm_start.Process:
    """Start an agent and wait until it serves."""
    process = warm_start.start(
        "credtray",
        "run",
        "--no-tray",
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until((home / "run" / "credtray" / "agent.sock").exists)
    return process


@pytest.mark.posix("the agent's socket")
def test_running_agent_is_ended_first(home: Path) -> None:
    before = furnished(home)
    with agent(home) as process:
        done = uninstalled(home)
        code = process.wait(10)

    assert (done.returncode, code) == (0, 0), done.stderr
    assert "agent              stopped" in done.stdout
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("signals")
def test_agent_that_hangs_is_ended_too(home: Path) -> None:
    before = furnished(home)
    with agent(home) as process:
        os.kill(process.pid, signal.SIGSTOP)
        done = uninstalled(home)
        process.wait(10)

    assert done.returncode == 0, done.stderr
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("signals")
def test_what_a_killed_agent_left_goes(home: Path) -> None:
    before = furnished(home)
    with agent(home) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    there = (home / "run" / "credtray" / "agent.sock").exists()
    done = uninstalled(home)

    assert there
    assert done.returncode == 0, done.stderr
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("signals")
def test_agent_of_another_version_is_ended_too(home: Path) -> None:
    before = furnished(home)
    path = home / "run" / "credtray" / "agent.sock"
    command = [sys.executable, "-c", OTHER_VERSION, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = uninstalled(home)
        code = other.wait(10)

    assert (done.returncode, code) == (0, -signal.SIGTERM), done.stderr
    assert differences(before, snapshot(home)) == {}


def test_two_at_once_finish_both(home: Path) -> None:
    before = furnished(home)
    words = ("credtray", "uninstall", "--yes")
    with (
        warm_start.start(*words, env=environment(home)) as one,
        warm_start.start(*words, env=environment(home)) as other,
    ):
        said = one.communicate(timeout=120), other.communicate(timeout=120)
        codes = one.wait(), other.wait()

    assert codes == (0, 0), said
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("another process holds the lock")
def test_beside_an_agent_that_is_starting_nothing_is_removed(home: Path) -> None:
    furnished(home)
    before = snapshot(home)
    hold = (
        "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    lock = home / "run" / "credtray" / "agent.lock"
    command = [sys.executable, "-c", hold, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = uninstalled(home)
        holder.communicate()

    assert done.returncode == 1
    assert "another credtray is starting, or being uninstalled" in done.stderr
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("SIGKILL")
def test_killed_at_any_step_a_second_run_finishes(home: Path, tmp_path: Path) -> None:
    before = furnished(home)
    laid = tmp_path / "laid"
    shutil.copytree(home, laid, symlinks=True)
    environ = {**environment(home), "PYTHONPATH": str(ROOT / "agent")}
    kills = 0
    while True:
        command = [sys.executable, "-c", KILLED_AT, str(kills)]
        killed = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert KEYS in (home / ".aws" / "credentials").read_bytes()
        done = uninstalled(home)
        assert done.returncode == 0, done.stderr
        assert differences(before, snapshot(home)) == {}, kills
        for entry in home.iterdir():
            shutil.rmtree(entry)
        shutil.copytree(laid, home, symlinks=True, dirs_exist_ok=True)
        kills += STEP

    assert kills > 40


@pytest.mark.posix("a copy of the package that is started by its path")
def test_another_copy_finishes_when_the_package_has_gone(home: Path, tmp_path: Path) -> None:
    before = furnished(home)
    copy = tmp_path / "elsewhere" / "credtray"
    shutil.copytree(ROOT / "agent" / "credtray", copy, ignore=shutil.ignore_patterns("__pycache__"))
    entry = home / ".config" / "autostart" / "credtray.desktop"
    entry.write_text(entry.read_text().replace(sys.executable, "/gone/bin/python"))
    command = [sys.executable, "-I", str(copy / "__main__.py"), "uninstall", "--yes"]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert f"runs from a checkout. Delete it if you like: {tmp_path}" in done.stdout.replace("\n", " ")
    assert differences(before, snapshot(home)) == {}


# --- in a terminal ---------------------------------------------------------------------------------------


class Home:
    """What ``TerminalSession`` needs of a world."""

    def __init__(self, home: Path) -> None:
        self._home = home

    @property
    def environment(self) -> dict[str, str]:
        return {**environment(self._home), "TERM": "xterm-256color"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "credtray", *words]


@pytest.mark.posix("a pseudo-terminal")
def test_person_is_shown_the_list_and_asked_three_times(home: Path) -> None:
    before = furnished(home)
    with TerminalSession(Home(home), "uninstall") as terminal:
        terminal.expect("login entry")
        terminal.expect("Uninstall?")
        terminal.type("y")
        terminal.expect("[profile corp-admin]")
        terminal.expect("Remove it, too?")
        terminal.type("y")
        terminal.expect("credentials.credtray-backup")
        terminal.expect("Remove backups and state, too?")
        terminal.type("y")
        terminal.expect("Removed:")
        code = terminal.end()

    assert code == 0
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("a pseudo-terminal")
def test_no_is_an_answer(home: Path) -> None:
    furnished(home)
    before = snapshot(home)
    with TerminalSession(Home(home), "uninstall") as terminal:
        terminal.expect("Uninstall?")
        terminal.type("n")
        terminal.expect("Nothing was changed.")
        code = terminal.end()

    assert code == 1
    assert differences(before, snapshot(home)) == {}
