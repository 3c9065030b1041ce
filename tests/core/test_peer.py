from __future__ import annotations

import os
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.peer import (
    PIPE,
    peer_pid,
    peer_question,
    peer_uid,
    pid_question,
    pipe_note,
    read_pipe_note,
)

ANSWER = (4711).to_bytes(4, "big") + (1000).to_bytes(4, "big") + bytes(4)


def test_the_words_of_the_answer_are_process_and_user() -> None:
    assert (peer_pid(ANSWER, "big"), peer_uid(ANSWER, "big")) == (4711, 1000)


def test_macos_has_a_question_of_its_own_for_the_process() -> None:
    assert (peer_question("darwin"), pid_question("darwin")) == ((0, 1, 76), (0, 2, 4))
    assert peer_pid((4711).to_bytes(4, "little"), "little") == 4711


def test_a_system_that_tells_no_process_is_not_asked() -> None:
    assert (pid_question("freebsd14"), pid_question("win32"), peer_pid(b"", "little")) == (None, None, None)


def test_a_process_outside_our_namespace_is_none() -> None:
    assert peer_pid(bytes(12), "little") is None


@pytest.mark.skipif(sys.platform != "linux", reason="SO_PEERCRED")
def test_the_kernel_names_this_process() -> None:
    one, other = socket.socketpair()
    with one, other:
        answer = one.getsockopt(*(pid_question(sys.platform) or (0, 0, 0)))

    assert peer_pid(answer, sys.byteorder) == os.getpid()
    assert peer_uid(answer, sys.byteorder) == os.geteuid()


def test_a_note_names_the_pipe_and_the_proof() -> None:
    assert read_pipe_note(pipe_note("0123456789abcdef" * 2, "f" * 32)) == (
        r"\\.\pipe\credtray-0123456789abcdef0123456789abcdef",
        b"f" * 32,
    )


@given(st.binary(max_size=100) | st.from_regex(rb"[0-9a-f./\\ ]{32} [0-9a-f ]{32}\n?"))
def test_no_note_leads_to_another_computer_or_another_kind_of_pipe(note: bytes) -> None:
    read = read_pipe_note(note)

    assert read is None or (read[0].startswith(PIPE) and read[0].removeprefix(PIPE).isalnum())


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b" ",
        pipe_note("a" * 31, "b" * 33),
        pipe_note("\\" * 32, "b" * 32),
        pipe_note("a" * 32, "b" * 32) * 2,
    ],
)
def test_what_is_no_note_of_ours_names_nothing(note: bytes) -> None:
    assert read_pipe_note(note) is None
