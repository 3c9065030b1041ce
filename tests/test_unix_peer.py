from __future__ import annotations

import os
import socket
import sys

import pytest

from credtray.unix_peer import peer_pid, peer_question, peer_uid, pid_question

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


@pytest.mark.posix("SO_PEERCRED")
def test_the_kernel_names_this_process() -> None:
    one, other = socket.socketpair()
    with one, other:
        answer = one.getsockopt(*(pid_question(sys.platform) or (0, 0, 0)))

    assert peer_pid(answer, sys.byteorder) == os.getpid()
    assert peer_uid(answer, sys.byteorder) == os.geteuid()
