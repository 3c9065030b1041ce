"""Finds out why a file cannot be written: looks along its path, from the top, and names the first obstacle.

Looks only; raises nothing. What it sees may be another thing a moment later: it is for telling, not deciding.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from credtray.files.obstacles import InTheWay, Obstacle

# Tells file systems that keep modes from those that show the same mode for everything, whatever one sets.
#
# There chmod does nothing, and the mode of a file does not say who can read it: drives of Windows in WSL,
# shared folders of virtual machines, CIFS, exFAT and other file systems of Windows. Linux only.


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


_GET_FLAGS = 0x80086601
"""FS_IOC_GETFLAGS of 64-bit Linux (linux/fs.h)."""
_IMMUTABLE = 0x10 | 0x20
"""FS_IMMUTABLE_FL and FS_APPEND_FL; UF_IMMUTABLE and UF_APPEND of macOS are 0x2 and 0x4."""
_FLAGS_OF_BSD = 0x2 | 0x4 | 0x20000 | 0x40000


def in_the_way(path: Path, home: Path | None = None) -> InTheWay | None:
    """Return what keeps this user from writing the file *path*; None: nothing that can be seen."""
    with suppress(OSError, ValueError):
        if sys.platform == "win32":  # access lists decide there, and no such look tells what they say
            return _no_directory(path.absolute(), home or _home())
        else:  # noqa: RET505 -- mypy knows only so which part is for which system
            return _along(path.absolute(), home or _home())
    return None


def _no_directory(path: Path, home: Path) -> InTheWay | None:
    for at in reversed(path.parents):
        if at.exists() and not at.is_dir():
            return InTheWay(Obstacle.NO_DIRECTORY, spoken_path(at, home))
    return None


def _along(path: Path, home: Path) -> InTheWay | None:
    steps = [*reversed(path.parents), path]
    for at in steps:
        try:
            found = at.stat()
        except FileNotFoundError:
            if at.is_symlink():
                return InTheWay(Obstacle.DANGLING, spoken_path(at, home), str(at.readlink()))
            return _not_ours_to_change(at.parent, home)  # all below it is to be made
        if at == path:
            break
        there = _on_the_way(at, found, home)
        if there is not None:
            return there
    return _not_ours_to_change(path.parent, home) or _file(path, home)


def _on_the_way(at: Path, found: os.stat_result, home: Path) -> InTheWay | None:
    """Return why nothing below this directory can be reached, or may be trusted."""
    if not stat.S_ISDIR(found.st_mode):
        return InTheWay(Obstacle.NO_DIRECTORY, spoken_path(at, home))
    if not _may(at, os.X_OK):
        return _closed(at, found, home)
    if home in at.parents and found.st_uid not in {_me(), 0} and keeps_modes(at):
        return _owner(at, found, home)
    return None


def _not_ours_to_change(directory: Path, home: Path) -> InTheWay | None:
    """Return why nothing can be made or replaced in the directory."""
    found = directory.stat()
    if not stat.S_ISDIR(found.st_mode):
        return InTheWay(Obstacle.NO_DIRECTORY, spoken_path(directory, home))
    if _may(directory, os.W_OK | os.X_OK):
        if found.st_uid not in {_me(), 0} and keeps_modes(
            directory
        ):  # it could be written, and its owner could swap files
            return _owner(directory, found, home)
        return _marked(directory, home)
    if _read_only(directory):
        return InTheWay(Obstacle.READ_ONLY, spoken_path(directory, home))
    return _closed(directory, found, home)


def _file(path: Path, home: Path) -> InTheWay | None:
    found = path.stat()
    if found.st_uid != _me() and keeps_modes(path):
        return _owner(path, found, home)
    if not _may(path, os.R_OK) or not found.st_mode & stat.S_IWUSR:
        return InTheWay(Obstacle.MODE, spoken_path(path, home))
    return _marked(path, home)


def _closed(at: Path, found: os.stat_result, home: Path) -> InTheWay | None:
    if found.st_uid != _me():
        return _owner(at, found, home)
    return _marked(at, home) or InTheWay(Obstacle.MODE, spoken_path(at, home))


def _owner(at: Path, found: os.stat_result, home: Path) -> InTheWay:
    aws = home / ".aws"
    return InTheWay(
        Obstacle.OWNER,
        spoken_path(at, home),
        _name(found.st_uid),
        by_root=_me() == 0 and home.stat().st_uid == found.st_uid,
        elsewhere=home not in at.parents,
        whole=spoken_path(aws, home) if aws in at.parents else None,
    )


def _marked(at: Path, home: Path) -> InTheWay | None:
    return InTheWay(Obstacle.IMMUTABLE, spoken_path(at, home)) if _immutable(at) else None


def spoken_path(path: Path, home: Path) -> str:
    """Return the path as a person writes it: ``~/.aws/config``."""
    if path == home:
        return "~"
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111 -- pathlib raises where there is none


if sys.platform == "win32":

    def _me() -> int:
        return 0

    def _may(path: Path, what: int) -> bool:
        return os.access(path, what)

    def _read_only(_directory: Path) -> bool:
        return False

    def _name(_uid: int) -> str:
        return "another user"

    def _immutable(_path: Path) -> bool:
        return False

else:
    import fcntl
    import pwd

    def _me() -> int:
        return os.geteuid()

    def _may(path: Path, what: int) -> bool:
        return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)

    def _read_only(directory: Path) -> bool:
        return bool(os.statvfs(directory).f_flag & os.ST_RDONLY)

    def _name(uid: int) -> str:
        with suppress(KeyError):
            return pwd.getpwuid(uid).pw_name
        return f"the user with the number {uid}"

    def _immutable(path: Path) -> bool:
        flags = getattr(path.stat(), "st_flags", None)
        if flags is not None:
            return bool(flags & _FLAGS_OF_BSD)
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                answer = fcntl.ioctl(fd, _GET_FLAGS, bytes(8))
            finally:
                os.close(fd)
            return bool(struct.unpack("=l", answer[:4])[0] & _IMMUTABLE)
        return False
