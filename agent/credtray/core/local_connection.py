"""Which kernel question tells who is at the other end of a Unix socket, and how to read its answer.

Asks nothing itself: the caller holds the socket. Imports nothing heavy: the credentials fast path uses it.
"""

from __future__ import annotations

import ipaddress

from credtray.core.errors import BadFrame


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


def peer_pid(answer: bytes, platform: str, byteorder: str) -> int | None:
    """Return the peer's process id, the first word of ``ucred``; None where the answer does not tell."""
    if platform != "linux":
        return None
    return int.from_bytes(answer[:4], "little" if byteorder == "little" else "big") or None


def peer_uid(answer: bytes, byteorder: str) -> int:
    """Return the peer's user id: the second 32-bit word of ``ucred`` and of ``xucred`` alike."""
    return int.from_bytes(answer[4:8], "little" if byteorder == "little" else "big")


# Tells from the kernel's table of TCP connections which user is at the other end of a loopback connection.
#
# Pure: the table comes as text (Linux /proc/net/tcp and tcp6, proc_pid_net(5)). Knows no other system's
# table.


_LOCAL, _REMOTE, _UID = 1, 2, 7

Address = tuple[str, int]
"""IP address and port."""


def owner_in(table: str, peer: Address, ours: Address, byteorder: str) -> int | None:
    """Return the user id of the socket that is bound to *peer* and connected to *ours*; None: not listed.

    *byteorder* is this computer's, ``sys.byteorder``.
    """
    for line in table.splitlines()[1:]:
        fields = line.split()
        ends = [_read(fields[place], byteorder) for place in (_LOCAL, _REMOTE) if len(fields) > _UID]
        if ends == [peer, ours]:
            return int(fields[_UID])
    return None


def _read(text: str, byteorder: str) -> Address | None:
    """Read ``0100007F:1F90``: 32-bit words of the address in this computer's byte order, and the port."""
    host, _, port = text.partition(":")
    try:
        raw = bytes.fromhex(host)
        number = int(port, 16)
    except ValueError:
        return None
    if byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    if len(raw) not in {4, 16}:
        return None
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), number


# Cuts what comes over a socket into frames: lines of bounded length.
#
# Knows neither the socket nor what the frames say; see ``protocol``.


class Frames:
    """Cuts a stream of bytes into frames; holds at most ``limit`` bytes."""

    __slots__ = ("_held", "_limit", "_searched")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they came.

        Raises:
            BadFrame: the frame has no end within the limit.
        """
        self._held += data
        if len(self._held) > self._limit:
            size = len(self._held)
            self._held.clear()
            raise BadFrame(f"no end of the frame within {size} bytes")

    def next(self) -> bytes | None:
        """Return the next whole frame without its newline, or None until more bytes came."""
        end = self._held.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._held)  # a long reply comes in many pieces: look at each byte once
            return None
        frame = bytes(self._held[:end])
        del self._held[: end + 1]
        self._searched = 0
        return frame
