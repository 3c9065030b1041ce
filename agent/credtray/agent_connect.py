"""Connects to the agent and makes sure that it is ours before a byte is read from it.

Imports nothing that costs: the credentials fast path lives on it. Sends nothing.
"""

from __future__ import annotations

import _socket
import os
import sys
import time

from credtray.desktop.socket_path import socket_paths
from credtray.unix_peer import peer_pid, peer_question, peer_uid, pid_question

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

_FULL_QUEUE_PAUSE = 0.02
_PATIENCE = 2.0


def connect(patience: float) -> _socket.socket:
    """Return a connected socket; its timeout is ``patience`` seconds.

    Raises:
        ConnectionRefusedError: nobody listens.
        PermissionError: whoever listens is another user; the text says who and where.
        BlockingIOError: the agent takes no more connections.
    """
    for path in socket_paths():
        client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        client.settimeout(patience)
        try:
            _connect(client, path, time.monotonic() + patience)
            _check_peer(client, path)
        except (PermissionError, BlockingIOError):
            client.close()
            raise
        except OSError:  # absent, stale, or a path too long for a socket
            client.close()
        else:
            return client
    raise ConnectionRefusedError


def listener() -> int | None:
    """Return the process id of the agent, also of one that answers nothing; None where nobody can tell.

    Raises:
        ConnectionRefusedError, PermissionError, BlockingIOError: as ``connect``.
    """
    client = connect(_PATIENCE)
    try:
        question = pid_question(sys.platform)
        answer = client.getsockopt(*question) if question is not None else b""
    finally:
        client.close()
    return peer_pid(answer, sys.byteorder)


def _connect(client: _socket.socket, path: str, deadline: float) -> None:
    while True:
        try:
            client.connect(path)
        except BlockingIOError:  # Linux: the queue of waiting connections is full
            if time.monotonic() >= deadline:
                raise
            time.sleep(_FULL_QUEUE_PAUSE)
        except PermissionError:
            raise FileNotFoundError from None  # in a directory of somebody else: not a place of ours
        else:
            return


def _check_peer(client: _socket.socket, path: str) -> None:
    question = peer_question(sys.platform)
    if question is None:
        raise PermissionError(f"{path}: this system cannot tell who listens there")
    answer = client.getsockopt(*question)
    uid = peer_uid(answer, sys.byteorder)
    if uid != os.geteuid():
        raise PermissionError(f"{path}: user {uid} listens there, not you")
