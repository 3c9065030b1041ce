"""Which program asks: from a table of processes like Linux's."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from credtray.history.callers import Program, asker_among, asker_behind, program_at
from tests.web.test_loopback_peer import HEAD

PEER, OURS = ("127.0.0.1", 0xD431), ("127.0.0.1", 8080)


def process(proc: Path, pid: int, name: str, parent: int, *words: str, sockets: tuple[int, ...] = ()) -> None:
    directory = proc / str(pid)
    (directory / "fd").mkdir(parents=True)
    (directory / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1\n")
    (directory / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    for place, inode in enumerate(sockets):
        (directory / "fd" / str(place)).symlink_to(f"socket:[{inode}]")


def test_who_asks_is_the_parent_of_the_command(tmp_path: Path) -> None:
    process(tmp_path, 10, "terraform", 1, "terraform", "apply")
    process(tmp_path, 11, "credtray", 10, "python3", "credtray")

    assert asker_behind(11, tmp_path) == Program(10, "terraform")


def test_a_shell_that_only_runs_the_command_is_passed_over(tmp_path: Path) -> None:
    process(tmp_path, 10, "node) (x", 1, "node")
    process(tmp_path, 11, "sh", 10, "sh", "-c", "credtray credentials dev")
    process(tmp_path, 12, "credtray", 11)

    assert asker_behind(12, tmp_path) == Program(10, "node) (x")


def test_a_shell_in_which_it_was_typed_is_who_asks(tmp_path: Path) -> None:
    process(tmp_path, 9, "gnome-terminal-", 1)
    process(tmp_path, 10, "bash", 9, "bash")
    process(tmp_path, 11, "credtray", 10)

    assert asker_behind(11, tmp_path) == Program(10, "bash")


def test_a_command_whose_parent_has_gone_is_itself(tmp_path: Path) -> None:
    process(tmp_path, 1, "systemd", 0)
    process(tmp_path, 11, "credtray", 1)

    assert asker_behind(11, tmp_path) == Program(11, "credtray")


@pytest.mark.parametrize(
    ("programs", "asker"),
    [
        (("credtray.exe", "aws.exe", "cmd.exe"), "aws.exe"),
        (("python.exe", "credtray.exe", "terraform.exe", "cmd.exe"), "terraform.exe"),
        (("python.exe", "python.exe", "Credtray.EXE", "terraform.exe"), "terraform.exe"),
        (("python.exe", "pwsh.exe"), "pwsh.exe"),
        (("credtray.exe",), "credtray.exe"),  # who started it has ended
    ],
)
def test_on_windows_the_programs_that_start_us_are_passed_over(programs: tuple[str, ...], asker: str) -> None:
    table = {10 - place: (9 - place, name) for place, name in enumerate(programs)}

    assert asker_among(10, table) == Program(10 - programs.index(asker), asker)


def test_on_windows_processes_that_are_each_others_parents_end_somewhere() -> None:
    assert asker_among(1, {1: (2, "a.exe"), 2: (1, "b.exe")}) == Program(2, "b.exe")
    assert asker_among(7, {}) == Program(7)


@pytest.mark.windows
def test_windows_tells_who_started_this_test() -> None:
    assert asker_behind(os.getpid()).pid == os.getppid()


@pytest.mark.parametrize("text", ["", "garbage", "11 (x"])
def test_what_cannot_be_read_leaves_the_number(tmp_path: Path, text: str) -> None:
    (tmp_path / "11").mkdir()
    (tmp_path / "11" / "stat").write_text(text)

    assert asker_behind(11, tmp_path) == Program(11)
    assert asker_behind(12, tmp_path) == Program(12)


def table(proc: Path, inode: int) -> None:
    (proc / "net").mkdir()
    (proc / "net" / "tcp").write_text(
        HEAD + "   2: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000"
        f"  1001        0 {inode} 1 0\n"
    )


@pytest.mark.posix("links that lead nowhere")
@pytest.mark.skipif(sys.byteorder != "little", reason="the table is of such a machine")
def test_the_owner_of_a_connection_is_found_by_its_socket(tmp_path: Path) -> None:
    table(tmp_path, 77)
    process(tmp_path, 10, "aws", 1, sockets=(1, 77))
    process(tmp_path, 12, "bash", 1, sockets=(5,))

    assert program_at(PEER, OURS, proc=tmp_path) == Program(10, "aws")
    assert program_at(PEER, OURS, (10, 99), tmp_path) == Program(10, "aws")


@pytest.mark.posix("links that lead nowhere")
def test_a_connection_that_is_gone_or_nobodys_is_not_known(tmp_path: Path) -> None:
    assert program_at(PEER, OURS, proc=tmp_path) is None

    table(tmp_path, 0)
    process(tmp_path, 10, "aws", 1, sockets=(0,))
    assert program_at(PEER, OURS, proc=tmp_path) is None


@pytest.mark.linux_desktop("/proc")
def test_this_very_process_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = server.getsockname()
        with socket.create_connection(ours) as client:
            found = program_at(client.getsockname(), ours)

    assert found is not None
    assert found.pid == os.getpid()
