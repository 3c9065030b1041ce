"""Where a path really leads, and whether it is safe to write there.

Follows symbolic links only when the user (or root) made them, and creates directories for their owner alone.
Never creates or opens a file.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from credtray.core.errors import CredtrayError, FileInUse, FileRefused, FileUnwritable
from credtray.core.shell_words import CLOSED_TO_OTHERS
from credtray.files import made_record
from credtray.files.in_the_way import in_the_way, keeps_modes, unsupported

# What the operating system's errors mean to a person.
#
# One table from errno to a sentence; nothing here handles an error, it only gives it its name.


_MEANINGS = MappingProxyType(
    {
        errno.ENOSPC: (FileUnwritable, "the disk is full"),
        errno.EDQUOT: (FileUnwritable, "the disk quota is used up"),
        errno.EFBIG: (FileUnwritable, "the file would be larger than the limit allows"),
        errno.EROFS: (FileUnwritable, "the file system is read-only"),
        errno.EACCES: (FileUnwritable, "permission denied"),
        errno.EPERM: (FileUnwritable, "the system does not permit it (an immutable file?)"),
        errno.EIO: (FileUnwritable, "the disk reports an input/output error"),
        errno.ESTALE: (FileUnwritable, "the network file system has lost the file"),
        errno.EMFILE: (FileUnwritable, "too many files are open in this program"),
        errno.ENFILE: (FileUnwritable, "too many files are open on this computer"),
        errno.ENOMEM: (FileUnwritable, "there is not enough memory"),
        errno.EINTR: (FileUnwritable, "the call was interrupted"),
        errno.ELOOP: (FileRefused, "it is a symbolic link, or the links form a loop"),
        errno.ENOTDIR: (FileRefused, "part of the path is not a directory"),
        errno.EISDIR: (FileRefused, "it is a directory"),
        errno.EEXIST: (FileRefused, "something else is there"),
        errno.ENAMETOOLONG: (FileRefused, "the name is too long"),
        errno.EXDEV: (FileRefused, "the new file would be on another file system; credtray never copies it"),
        errno.EBUSY: (
            FileRefused,
            "it is a mount point, which could only be overwritten in place",
        ),
    }
)

IN_USE = frozenset({32, 33})
"""Sharing and lock violation of Windows: another program has the file open. Their errno is EACCES."""
_FULL = MappingProxyType({39: errno.ENOSPC, 112: errno.ENOSPC, 1295: errno.EDQUOT})
"""Codes of Windows for a full disk or a used-up quota; Python knows the meaning of the second alone."""
_OF_THE_PLACE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
"""What a look along the path may explain."""
_BELOW_A_FILE = errno.ENOENT if sys.platform == "win32" else errno.ENOTDIR


def translation(error: OSError, path: Path, doing: str) -> CredtrayError:
    """Return the error of our tree for *error*, saying what was being done to which file, and why not."""
    code = getattr(error, "winerror", None) or 0
    if code in IN_USE:
        return FileInUse(f"{doing} {path}")
    number = _FULL.get(code, error.errno or 0)
    kind, reason = _MEANINGS.get(
        number, (FileUnwritable, os.strerror(number) if number else "unknown reason")
    )
    there = in_the_way(path) if error.errno in {*_OF_THE_PLACE, _BELOW_A_FILE} else None
    if there is not None:
        return kind(f"{doing} {path}: {there.path} {there.text}", hint=there.cure)
    return kind(f"{doing} {path}: {reason}")


@contextmanager
def translated(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError of the body into ``FileUnwritable`` or ``FileRefused``."""
    try:
        yield
    except OSError as error:
        raise translation(error, path, doing) from error


def close(fd: int) -> None:
    """Close a descriptor, whatever the system says to that: a failed write was already told by fsync."""
    with suppress(OSError):
        os.close(fd)


_MAX_LINKS = 40  # as Linux counts
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def resolve(path: Path) -> Path:
    """Return where *path* leads, without any symbolic link left in it.

    A link is the user's choice (dotfile managers): it is followed and kept. The last parts may be missing
    when no link leads to them; the last part of all may be missing in any case.

    Raises:
        FileRefused: links in a circle, a link into nowhere, a link that somebody else made.
        FileUnwritable: a part of the path cannot be looked at.
    """
    with translated(path, "following"):
        return _resolved(path)


def _walk(path: Path) -> Path:
    # An agent outlives the directory it was started in: only a relative path needs to know it.
    whole = path if path.is_absolute() else Path.cwd() / path
    todo = list(reversed(whole.parts))
    at = Path(todo.pop())
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            at = at.parent
            continue
        candidate = at / part
        try:
            found = candidate.lstat()
        except FileNotFoundError:
            if links and todo:
                there = in_the_way(path)
                hint = None if there is None else there.cure
                raise FileRefused(
                    f"{path} points to nothing: {candidate} does not exist", hint=hint
                ) from None
            return candidate.joinpath(*reversed(todo))
        if not stat.S_ISLNK(found.st_mode):
            at = candidate
            continue
        links += 1
        if links > _MAX_LINKS:
            raise FileRefused(f"{path} is a loop of symbolic links")
        if found.st_uid not in {own_uid(), 0}:
            raise FileRefused(f"{candidate} is a symbolic link that belongs to another user")
        target = candidate.readlink()
        if target.is_absolute():
            at = Path(target.anchor)
        todo += [part for part in reversed(target.parts) if part != target.anchor]
    return at


def is_there(path: Path) -> bool:
    """Tell whether something has that name; a link into nowhere is something.

    Raises:
        FileUnwritable: it cannot be looked at, which says nothing about whether it is there.
    """
    with translated(path, "looking at"):
        try:
            path.lstat()
        except FileNotFoundError:
            check_reachable(path)
            return False
    return True


def check_reachable(path: Path) -> None:
    """Refuse to call missing what is on a drive, or a share, that is not there just now.

    Windows says "not found" of both. Who takes that for an empty file takes all keys out of the other one.

    Raises:
        FileUnwritable: on Windows, where the path begins there is nothing.
    """
    if sys.platform == "win32" and path.anchor and not os.path.exists(path.anchor):  # noqa: PTH110 -- never raises
        raise FileUnwritable(f"{path}: {path.anchor} cannot be reached", hint=_CONNECT)


_CONNECT = "Connect that drive or share, or name another place."


def make_directory(path: Path) -> None:
    """Create *path* and what is missing above it, each 0700 whatever the umask; others stay as they are.

    What was created survives a power cut, and is recorded: see ``made_record``.

    Raises:
        FileUnwritable, FileRefused: it cannot be created.
    """
    with translated(path, "creating the directory"):
        missing = _missing(path)
        if missing:
            _record(missing)
        _make(missing)


def _missing(path: Path) -> list[Path]:
    """Return the directories that are not there, from the outermost to *path*."""
    missing: list[Path] = []
    at = path
    while not is_there(at):
        missing.insert(0, at)
        at = at.parent
    return missing


def _make(missing: list[Path]) -> None:
    for directory in missing:
        with suppress(FileExistsError):
            _make_private(directory)
        _sync_names_in(directory.parent)


def _record(missing: list[Path]) -> None:
    """Note what is about to be made; where that is not possible it is made all the same."""
    with suppress(OSError, CredtrayError):
        place = made_record.place()
        above = _missing(place)
        _make(above)
        made_record.note_directories(place, [*above, *missing])


def private_directory(path: Path) -> Path:
    """Make sure *path* is a directory for this user alone (0700), creating or tightening it; return it.

    Raises:
        FileRefused: it is a link, no directory, or belongs to somebody else.
        FileUnwritable: it cannot be created.
    """
    make_directory(path)
    with translated(path, "checking the directory"):
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise FileRefused(f"{path} is not a directory")
        if sys.platform != "win32" and keeps_modes(path):
            if found.st_uid != own_uid():
                raise FileRefused(f"{path} belongs to another user")
            if stat.S_IMODE(found.st_mode) & 0o077:
                path.chmod(0o700)
    return path


def check_directory(path: Path, found: os.stat_result) -> None:
    """Refuse a directory in which others can swap files under our hands.

    Raises:
        FileRefused: it belongs to somebody else, or others may write to it and it is not sticky.
    """
    foreign = found.st_uid not in {own_uid(), 0}
    if (foreign or _others_may_write(found)) and not keeps_modes(path):
        return  # chmod and chown do nothing there: who mounts it decides who reaches it
    if foreign:
        raise _not_ours(path)
    if not found.st_mode & stat.S_ISVTX and _others_may_write(found):
        raise FileRefused(
            f"others may write to the directory {path}", hint=f"Run: {CLOSED_TO_OTHERS.on(str(path))}"
        )


def _not_ours(path: Path) -> FileRefused:
    there = in_the_way(path / "file")
    if there is None:
        return FileRefused(f"the directory {path} belongs to another user")
    return FileRefused(f"{there.path} {there.text}", hint=there.cure)


if sys.platform == "win32":
    from credtray.files import on_windows

    def _make_private(directory: Path) -> None:
        on_windows.make_private(directory)

    def flush(fd: int) -> None:
        """Wait until the disk has what was written to an open file; raises OSError."""
        os.fsync(fd)

    def sync_directory(fd: int) -> None:
        """Windows offers no such call for directories."""

    def _sync_names_in(directory: Path) -> None:
        """As above."""

    def own_uid() -> int:
        """Windows reports uid 0 for every file: access lists decide there."""
        return 0

    def _resolved(path: Path) -> Path:
        return Path(os.path.realpath(path))

    def _others_may_write(_found: os.stat_result) -> bool:
        return False

else:
    import fcntl
    import grp
    import pwd

    def _make_private(directory: Path) -> None:
        directory.mkdir(mode=0o700)
        with unsupported():
            directory.chmod(0o700)  # a umask of 0777 would have taken our own bits too

    _NO_FULL_SYNC = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})  # SMB, NFS, FUSE

    def flush(fd: int) -> None:
        """Wait until the disk has what was written to an open file or directory; raises OSError.

        fsync of macOS hands it to the drive, which keeps it in memory: only F_FULLFSYNC makes the drive
        write (fcntl(2) there), and not every file system knows that.
        """
        full = getattr(fcntl, "F_FULLFSYNC", None)
        if full is not None:
            try:
                fcntl.fcntl(fd, full)
            except OSError as error:
                if error.errno not in _NO_FULL_SYNC:
                    raise
            else:
                return
        os.fsync(fd)

    _NO_DIRECTORY_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})  # SMB, some FUSE file systems

    def sync_directory(fd: int) -> None:
        """Make the names in an open directory survive a power cut, where the file system can.

        Raises:
            OSError: it could not.
        """
        try:
            flush(fd)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY_SYNC:
                raise

    def _sync_names_in(directory: Path) -> None:
        try:
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            return  # one may write into a directory and not read it
        try:
            sync_directory(fd)
        finally:
            close(fd)

    def own_uid() -> int:
        """Whose files are ours."""
        return os.geteuid()

    def _resolved(path: Path) -> Path:
        return _walk(path)

    def _others_may_write(found: os.stat_result) -> bool:
        writable = stat.S_IMODE(found.st_mode) & _OTHERS_WRITE
        return bool(writable) and not (writable == stat.S_IWGRP and _is_private_group(found.st_gid))

    def _is_private_group(gid: int) -> bool:
        """Tell whether only this user is in the group (Fedora: umask 002, one group for each user)."""
        try:
            user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
        except KeyError:
            return False
        return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
