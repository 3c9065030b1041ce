"""`credtray start` and `restart`: the agent goes on without the terminal that started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from credtray.cli.agent_start import reason_of
from credtray.demo.identity_center.faults import Hang
from credtray.desktop.icon_place import icon_words
from tests.cli.real_world import World
from tests.cli.terminal_session import TerminalSession

NO_ICON = "It has no icon: "
SETUP = ("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--activate", "--no-start", "--yes")


@pytest.fixture
def ended(world: World) -> Iterator[World]:
    """A user whose agent ends with the test."""
    yield world
    world.credtray("stop")


def with_python(world: World, command: str, python: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that takes this for its Python when it starts another process."""
    code = (
        "import sys; sys.executable = sys.argv[1]; from credtray.cli.main import main; "
        f"exit(main([{command!r}]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(python)],
        env=world.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def agent(world: World) -> int | None:
    """Return the pid of the running agent."""
    found: int | None = json.loads(world.credtray("status", "--json").stdout)["agent"]["pid"]
    return found


def test_started_in_the_background_it_is_told_in_three_lines(ended: World) -> None:
    started = ended.credtray("start", "--no-tray")
    pid = agent(ended)
    first, icon, last = started.stdout.splitlines()

    assert (started.returncode, started.stderr) == (0, "")
    assert first == f"credtray is running (pid {pid}, version 0.1.0)."
    assert icon == f"{NO_ICON}it was started without (--no-tray)."
    assert last == "Stop it: credtray stop"


def test_started_twice_it_runs_once(ended: World) -> None:
    ended.credtray("start", "--no-tray")
    pid = agent(ended)
    again = ended.credtray("start", "--no-tray")
    as_json = json.loads(ended.credtray("start", "--json").stdout)

    assert (again.returncode, agent(ended)) == (0, pid)
    assert again.stdout.startswith(f"credtray is already running (pid {pid}, ")
    assert as_json["started"] is False
    assert as_json["agent"] == {"running": True, "pid": pid, "version": "0.1.0"}
    assert as_json["tray"]["back_end"] is None


def test_restart_replaces_the_agent_or_starts_one(ended: World) -> None:
    before = ended.credtray("restart", "--no-tray", "--json")
    first = agent(ended)
    after = ended.credtray("restart", "--no-tray", "--json")

    assert json.loads(before.stdout)["agent"]["pid"] == first
    assert json.loads(after.stdout)["agent"]["pid"] == agent(ended) != first
    assert json.loads(after.stdout)["started"] is True


def test_restart_leaves_the_keys_in_the_file_and_the_next_agent_takes_them_over(ended: World) -> None:
    ended.credtray("start", "--no-tray")
    ended.credtray(*SETUP)
    before = ended.credentials.read_bytes()
    ended.portal.inject("GetRoleCredentials", Hang())  # nothing can be fetched anew
    restarted = ended.credtray("restart")
    [profile] = json.loads(ended.credtray("status", "--json").stdout)["profiles"]

    assert restarted.returncode == 0, restarted.stderr
    assert b"aws_secret_access_key" in before
    assert ended.credentials.read_bytes() == before
    assert profile["active"] is True
    ended.credtray("stop")
    assert b"aws_secret_access_key" not in ended.credentials.read_bytes()


def test_restart_starts_it_as_it_was_started_before(ended: World) -> None:
    ended.credtray("start", "--no-tray")
    without = json.loads(ended.credtray("restart", "--json").stdout)
    asked_for = json.loads(ended.credtray("restart", "--tray", "--json").stdout)
    still = json.loads(ended.credtray("restart", "--json").stdout)

    assert "--no-tray" in without["tray"]["reason"]
    assert "--no-tray" not in asked_for["tray"]["reason"]
    assert "--no-tray" not in still["tray"]["reason"]


def test_restart_that_fails_tells_what_is_left_in_the_file(ended: World) -> None:
    ended.credtray("start", "--no-tray")
    ended.credtray(*SETUP)
    failed = with_python(ended, "restart", ended.home / "gone")
    said = " ".join(failed.stderr.split())

    assert failed.returncode == 3
    assert said.startswith("error: The agent could not be started: ")
    assert f"; the keys for synderys-dns are still in {ended.credentials}, end at " in said
    assert said.endswith("Remove the keys: credtray deactivate synderys-dns")
    assert "aws_secret_access_key" in ended.credentials.read_text()
    ended.credtray("deactivate", "synderys-dns")
    assert "aws_secret_access_key" not in ended.credentials.read_text()


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_enabled_now_it_runs_now_and_at_login(ended: World) -> None:
    first = ended.credtray("autostart", "enable", "--now")
    again = ended.credtray("autostart", "enable", "--now", "--json")

    assert [line.partition(":")[0] for line in first.stdout.splitlines()] == [
        "credtray will start at login",
        "credtray is now in your application menu",
        f"credtray is running (pid {agent(ended)}, version 0.1.0).",
        "It has no icon",
        "Stop it",
    ]
    assert json.loads(again.stdout)["changed"] is False


@pytest.mark.posix("sessions of processes")
def test_agent_outlives_the_terminal_it_was_started_in(ended: World) -> None:
    with TerminalSession(ended, "start", "--no-tray") as terminal:
        terminal.expect("Stop it: credtray stop")
        code = terminal.end()
    pid = agent(ended)

    assert code == 0
    assert pid is not None
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/cwd").readlink() == ended.home
    assert Path(f"/proc/{pid}/fd/2").readlink() == Path(os.devnull)


@pytest.mark.posix("a directory that is not safe")
def test_agent_that_cannot_start_is_told_with_its_cause(ended: World) -> None:
    place = ended.listening.parent
    place.write_text("somebody's file")
    refused = ended.credtray("start")
    by_itself = ended.credtray("run")
    place.unlink()

    cause = by_itself.stderr.removeprefix("error: ").partition("\nhint: ")
    assert refused.returncode == 3
    assert refused.stderr == f"error: The agent could not be started: {cause[0]}\nhint: {cause[2]}"


def test_python_that_is_gone_is_told(ended: World) -> None:
    done = with_python(ended, "start", ended.home / "gone")

    assert done.returncode == 3
    assert done.stderr.startswith("error: The agent could not be started: ")
    assert "gone: " in done.stderr


@pytest.mark.parametrize(
    ("said", "code", "told", "hint"),
    [
        ("error: It is full\nhint: Make room.\n", 1, "It is full", "Make room."),
        ("\x1b[1;38;5;196merror:\x1b[0m It is\nfull\n", 1, "It is full", ""),
        ("Traceback\nKeyError: no 'x'\n", 1, "KeyError: no 'x'", None),
        ("", -9, "it ended with signal 9 and said nothing", None),
        ("", 1, "it ended with exit code 1 and said nothing", None),
    ],
)  # fmt: skip
def test_last_words_of_an_agent_are_the_cause(said: str, code: int, told: str, hint: str | None) -> None:
    error = reason_of(said, code)

    assert error.detail == told
    assert error.advice == (type(error).hint if hint is None else hint)


@pytest.mark.parametrize("back_end", ["status_notifier", "xembed", "pystray", "something new"])
def test_icon_is_somewhere(back_end: str) -> None:
    assert icon_words(back_end, None).startswith("Its icon is ")


def test_icon_that_is_not_there_has_a_reason() -> None:
    assert icon_words(None, "there is no panel") == "It has no icon: there is no panel."
    assert icon_words(None, None) == "It has no icon: your desktop has not answered yet."
