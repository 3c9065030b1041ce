"""Tells file systems that keep modes from those that show the same mode for everything, whatever one sets.

There chmod does nothing, and the mode of a file does not say who can read it: drives of Windows in WSL,
shared folders of virtual machines, CIFS, exFAT and other file systems of Windows. Linux only.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WITHOUT = frozenset(
    {"9p", "drvfs", "vboxsf", "cifs", "smb3", "smbfs", "exfat", "vfat", "msdos", "ntfs", "ntfs3", "ntfs-3g"}
    | {"fuseblk", "fuse.vmhgfs-fuse", "fuse.ntfs-3g", "fuse.exfat", "fuse.prl_fs", "prl_fs", "virtiofs-drvfs"}
)
"""Types in /proc/mounts; ``fuseblk`` is what ntfs-3g and exfat-fuse are shown as."""
_KEEPS = frozenset({"metadata", "permissions", "acl", "cifsacl", "modefromsid"})
"""Mount options with which such a file system keeps modes (DrvFs: ``metadata``; NTFS-3G: ``permissions``)."""

_NOT_THERE = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})

Mounts = Callable[[], bytes]
"""Gives /proc/self/mounts."""


@contextmanager
def unsupported() -> Iterator[None]:
    """Go on where setting a mode is refused because there is none to set: the file was just made by us."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_THERE:
            raise


def _mounts() -> bytes:
    with suppress(OSError):
        return Path("/proc/self/mounts").read_bytes()
    return b""


def keeps_modes(path: Path, mounts: Mounts = _mounts) -> bool:
    """Tell whether the mode of something in *path* means anything; True where that is not known."""
    if os.name == "nt":
        return True
    kind, options = _mount_of(path, mounts())
    if kind not in _WITHOUT:
        return True
    return any(option.partition("=")[0] in _KEEPS for option in _split(options))


def _split(options: str) -> list[str]:
    """Return the options; DrvFs hides its own ones in one: ``aname=drvfs;uid=1000;metadata``."""
    return options.replace(";", ",").split(",")


def _mount_of(path: Path, mounts: bytes) -> tuple[str, str]:
    """Return type and options of the mount the path lies on: the last one at the longest place above it."""
    place = os.fsencode(path)
    best, found = -1, ("", "")
    for line in mounts.splitlines():
        fields = line.split(b" ")
        if len(fields) < 4:  # noqa: PLR2004 -- device, place, type, options
            continue
        at = _plain(fields[1])
        inside = at in {b"/", place} or place.startswith(at + b"/")
        if inside and len(at) >= best:
            best, found = (
                len(at),
                (fields[2].decode("ascii", "replace"), fields[3].decode("utf-8", "replace")),
            )
    return found


def _plain(text: bytes) -> bytes:
    """Return a place without the octal escapes of blanks, tabs, line feeds and backslashes (getmntent(3))."""
    for escape, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        text = text.replace(escape, char)
    return text
