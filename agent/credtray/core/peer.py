"""How the agent and its clients know each other: by the kernel on a Unix socket, by a proof on a named pipe.

Asks nothing itself: the caller holds the connection. Imports nothing: the credentials fast path uses it.
"""

from __future__ import annotations

PIPE = "\\\\.\\pipe\\credtray-"
"""How the names of our pipes on Windows begin."""
NOTE_LIMIT = 256
"""Bytes; more than any note has."""
_DIGITS = 32
"""Characters of the name's end and of the proof: 128 bits each."""


def peer_question(platform: str) -> tuple[int, int, int] | None:
    """Return (level, option, size) for ``getsockopt``, or None where the system has no such question.

    Linux: SOL_SOCKET, SO_PEERCRED, ``struct ucred {pid, uid, gid}`` (unix(7)).
    macOS and FreeBSD: SOL_LOCAL, LOCAL_PEERCRED, ``struct xucred {version, uid, ...}`` (unix(4)).
    """
    if platform == "linux":
        return 1, 17, 12
    if platform == "darwin" or platform.startswith("freebsd"):
        return 0, 1, 76
    return None


def pid_question(platform: str) -> tuple[int, int, int] | None:
    """Return (level, option, size) for the peer's process; None where the system has no such question.

    Linux: as ``peer_question``. macOS: SOL_LOCAL, LOCAL_PEERPID, a ``pid_t`` (sys/un.h).
    """
    if platform == "darwin":
        return 0, 2, 4
    return peer_question(platform) if platform == "linux" else None


def peer_pid(answer: bytes, byteorder: str) -> int | None:
    """Return the peer's process id: the first word of ``ucred``, and all of a ``pid_t``.

    None for no answer, and for a process outside our namespace.
    """
    return int.from_bytes(answer[:4], "little" if byteorder == "little" else "big") or None


def peer_uid(answer: bytes, byteorder: str) -> int:
    """Return the peer's user id: the second 32-bit word of ``ucred`` and of ``xucred`` alike."""
    return int.from_bytes(answer[4:8], "little" if byteorder == "little" else "big")


def pipe_note(end: str, proof: str) -> bytes:
    """Return what the agent notes for its clients, in a file that only its user can read.

    Args:
        end: of the pipe's name.
        proof: what the agent says first on each connection, so that a client knows that it is the agent.
    """
    return f"{end} {proof}\n".encode()


def read_pipe_note(note: bytes) -> tuple[str, bytes] | None:
    """Return the pipe's name and the proof; None for what is no note of ours.

    Nothing but letters and digits ends up in the name: a path in there could lead to another computer.
    """
    end, _, proof = note.removesuffix(b"\n").partition(b" ")
    if len(end) == len(proof) == _DIGITS and end.isalnum() and proof.isalnum():
        return PIPE + end.decode(), proof
    return None
