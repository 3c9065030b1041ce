"""Which kernel question tells who is at the other end of a Unix socket, and how to read its answer.

Asks nothing itself: the caller holds the socket. Imports nothing heavy: the credentials fast path uses it.
"""

from __future__ import annotations


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
