"""Tells from the kernel's table of TCP connections which user is at the other end of a loopback connection.

Pure: the table comes as text (Linux /proc/net/tcp and tcp6, proc_pid_net(5)). Knows no other system's table.
"""

from __future__ import annotations

import ipaddress

_LOCAL, _REMOTE, _UID, _INODE = 1, 2, 7, 9

Address = tuple[str, int]
"""IP address and port."""


def owner_in(table: str, peer: Address, ours: Address, byteorder: str) -> int | None:
    """Return the user id of the socket that is bound to *peer* and connected to *ours*; None: not listed.

    *byteorder* is this computer's, ``sys.byteorder``.
    """
    return _field_in(table, peer, ours, byteorder, _UID)


def inode_in(table: str, peer: Address, ours: Address, byteorder: str) -> int | None:
    """Return the inode of that socket, by which its process is found; None: not listed, or closed."""
    return _field_in(table, peer, ours, byteorder, _INODE) or None


def _field_in(table: str, peer: Address, ours: Address, byteorder: str, wanted: int) -> int | None:
    port = f":{peer[1]:04X} "
    for line in table.splitlines()[1:]:
        if port not in line:
            continue
        fields = line.split()
        ends = [_read(fields[place], byteorder) for place in (_LOCAL, _REMOTE) if len(fields) > wanted]
        if ends == [peer, ours]:
            return int(fields[wanted])
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
