from __future__ import annotations

import os
import socket
import sys

import pytest

from credtray.core.peer import peer_pid, peer_question, peer_uid

ANSWER = (4711).to_bytes(4, "big") + (1000).to_bytes(4, "big") + bytes(4)


def test_the_words_of_the_answer_are_process_and_user() -> None:
    assert (peer_pid(ANSWER, "linux", "big"), peer_uid(ANSWER, "big")) == (4711, 1000)


def test_a_system_that_tells_no_process_is_not_believed_to() -> None:
    assert peer_pid(ANSWER, "darwin", "big") is None


def test_a_process_outside_our_namespace_is_none() -> None:
    assert peer_pid(bytes(12), "linux", "little") is None


@pytest.mark.skipif(sys.platform != "linux", reason="SO_PEERCRED")
def test_the_kernel_names_this_process() -> None:
    one, other = socket.socketpair()
    with one, other:
        answer = one.getsockopt(*(peer_question(sys.platform) or (0, 0, 0)))

    assert peer_pid(answer, sys.platform, sys.byteorder) == os.getpid()
    assert peer_uid(answer, sys.byteorder) == os.geteuid()
