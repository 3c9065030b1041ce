"""Ctrl-C and Ctrl-Break, sent as a console of Windows sends them: to every process in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.real_world import SECONDS, World, wait_until

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

CTRL_C = 0
CTRL_BREAK = pytest.param(1, marks=pytest.mark.wine_lacks("Ctrl-Break in its console and its C runtime"))
STAGE = """
import ctypes, json, signal, subprocess, sys
program = subprocess.Popen(json.loads(sys.argv[1]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
for number in (signal.SIGINT, signal.SIGBREAK):
    signal.signal(number, signal.SIG_IGN)
try:
    assert ctypes.WinDLL("kernel32").GenerateConsoleCtrlEvent(int(sys.stdin.readline()), 0)
    print(program.wait())
finally:
    program.kill()
"""
CHILD = """
import pathlib, signal, sys, threading
heard, over = [], threading.Event()
for number in (signal.SIGINT, signal.SIGBREAK):
    signal.signal(number, lambda number, frame: (heard.append(signal.Signals(number).name), over.set()))
pathlib.Path(sys.argv[1]).touch()
while not over.wait(0.1):
    pass
pathlib.Path(sys.argv[1]).write_text(" ".join(heard))
sys.exit(7)
"""


class Stage:
    """A console of its own, with one program in it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def press(self, key: int) -> int:
        """Send the key to all in the console; return the program's exit code."""
        said, _ = self._process.communicate(str(key), timeout=SECONDS)
        return int(said)


@contextmanager
def in_a_console(command: Sequence[str], environ: dict[str, str]) -> Iterator[Stage]:
    with subprocess.Popen(
        [sys.executable, "-I", "-c", STAGE, json.dumps(command)],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        creationflags=subprocess.CREATE_NO_WINDOW,
    ) as process:
        yield Stage(process)  # at the end its input is closed, and it ends what still runs


@pytest.mark.parametrize("key", [CTRL_C, CTRL_BREAK])
def test_agent_in_a_console_takes_its_keys_out_and_ends_well(world: World, key: int) -> None:
    world.configure()
    world.credtray("login")
    with in_a_console(world.command("run"), world.environment) as stage:
        wait_until(world.listening.exists)
        world.credtray("activate", "synderys-dns")
        before = world.credentials.read_text()
        code = stage.press(key)

    assert "[synderys-dns]" in before
    assert code == 0
    assert "[synderys-dns]" not in world.credentials.read_text()
    assert not world.listening.exists()


@pytest.mark.parametrize("key", [CTRL_C, CTRL_BREAK])
def test_exec_leaves_the_key_to_its_command_and_ends_as_that_does(
    world: World, tmp_path: Path, key: int
) -> None:
    world.configure()
    world.credtray("login")
    ready = tmp_path / "ready"
    child = [sys.executable, "-I", "-c", CHILD, str(ready)]
    command = world.command("exec", "synderys-dns", "--env", "--", *child)
    with in_a_console(command, world.environment) as stage:
        wait_until(ready.exists)
        code = stage.press(key)

    assert (code, ready.read_text()) == (7, ["SIGINT", "SIGBREAK"][key])
