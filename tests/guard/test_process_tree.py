"""What is seen of processes: in tables like those of Linux, Windows and `ps`, and for real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.guard.agents import Agent, Asker, Process, asker_in
from credtray.guard.process_tree import chain_above, chain_in, mac_processes, with_own_marks


def process(
    proc: Path, pid: int, name: str, parent: int, *words: str, environ: bytes = b"", started: int = 7
) -> None:
    directory = proc / str(pid)
    directory.mkdir(parents=True)
    numbers = " ".join(["0"] * 17)
    (directory / "stat").write_text(f"{pid} ({name}) S {parent} {numbers} {started} 0 0\n")
    (directory / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    (directory / "environ").write_bytes(environ)


def test_the_chain_goes_up_to_the_first_process(tmp_path: Path) -> None:
    process(tmp_path, 1, "systemd", 0)
    process(tmp_path, 10, "claude", 1, "claude", started=42)
    process(tmp_path, 11, "aws) S 1 (x", 10, "/usr/bin/aws", "s3")

    assert [each.id for each in chain_above(11, tmp_path)] == [(11, 7), (10, 42), (1, 7)]
    assert asker_in(chain_above(11, tmp_path)) == Asker(Agent("Claude Code", (10, 42)), (11, 7))


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        (b"PATH=/bin\0CLAUDECODE=1\0", True),
        (b"CLAUDECODE=\0", False),
        (b"XCLAUDECODE=1\0", False),
        (b"TEXT=CLAUDECODE=1\0", False),
        (b"CLAUDECODE", False),
        (b"\xff\xfe=1\0CLAUDECODE=1", True),
        (b"", False),
    ],
)
def test_a_mark_is_a_variable_with_a_value(tmp_path: Path, environ: bytes, *, found: bool) -> None:
    process(tmp_path, 11, "credtray", 1, environ=environ)

    assert (asker_in(chain_above(11, tmp_path)) is not None) is found


@pytest.mark.parametrize("stat", ["", "11 (x", "11 (x) S", "11 (x) S y z", "11 (x) S 1 2 3"])
def test_a_table_that_says_nonsense_ends_the_chain(tmp_path: Path, stat: str) -> None:
    process(tmp_path, 11, "x", 1)
    (tmp_path / "11" / "stat").write_text(stat)

    assert chain_above(11, tmp_path) == ()


def test_a_circle_of_parents_comes_to_an_end(tmp_path: Path) -> None:
    process(tmp_path, 11, "a", 12)
    process(tmp_path, 12, "b", 11)

    assert len(chain_above(11, tmp_path)) == 64
    assert len(chain_in(11, {11: (12, "a"), 12: (11, "b")})) == 2


def test_a_process_that_has_gone_has_no_chain(tmp_path: Path) -> None:
    assert chain_above(11, tmp_path) == ()
    assert chain_in(11, {}) == ()


def test_windows_has_the_names_of_programs_only() -> None:
    table = {9: (8, "credtray.exe"), 8: (6, "bash.exe"), 6: (4, "claude.exe"), 4: (0, "explorer.exe")}

    assert asker_in(chain_in(9, table)) == Asker(Agent("Claude Code", (6, 0)), (8, 0))


def test_ps_of_macos_tells_paths_with_blanks() -> None:
    text = "    1     0 /sbin/launchd\n  700     1 /Applications/My Apps/claude\n 9 700 /bin/zsh\nnonsense\n"
    table = mac_processes(lambda: text)

    assert table[700] == (1, "/Applications/My Apps/claude")
    assert asker_in(chain_in(9, table)) == Asker(Agent("Claude Code", (700, 0)), (9, 0))


def test_a_ps_that_fails_names_nobody() -> None:
    def fail() -> str:
        raise OSError("no such program")

    assert mac_processes(fail) == {}


def test_our_own_marks_are_known_on_every_system() -> None:
    chain = (Process((9, 0), frozenset({"credtray"})), Process((8, 0), frozenset({"zsh"})))

    assert asker_in(with_own_marks(chain, {"CODEX_THREAD_ID": "x"})) is not None
    assert asker_in(with_own_marks(chain, {"CODEX_THREAD_ID": ""})) is None
    assert with_own_marks((), {"CODEX_THREAD_ID": "x"}) == ()


@pytest.mark.linux_desktop("reads /proc")
def test_a_real_process_below_a_real_agent_is_found(tmp_path: Path) -> None:
    program = tmp_path / "aider"
    program.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '60'], env={'CODEX_CI': '1'})\n"
        "print(child.pid, flush=True)\nsys.stdin.read()\nchild.kill()\n"
    )
    program.chmod(0o755)
    with subprocess.Popen(
        [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={}
    ) as agent:
        assert agent.stdout is not None
        child = int(agent.stdout.readline())
        found = asker_in(chain_above(child))
        agent.communicate("")

    assert found is not None
    assert (found.agent.label, found.agent.pid, found.command[0]) == ("aider", agent.pid, child)
    assert found.agent.process[1] > 0


def test_our_own_process_has_a_chain() -> None:
    assert next(iter(chain_above(os.getpid()))).pid == os.getpid()
