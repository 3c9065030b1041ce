"""What the operating system's errors mean to a person.

One table from errno to a sentence; nothing here handles an error, it only gives it its name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from credtray.core.errors import CredtrayError, FileRefused, FileUnwritable
from credtray.files.in_the_way import in_the_way

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

_OF_THE_PLACE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
"""What a look along the path may explain."""


def translation(error: OSError, path: Path, doing: str) -> CredtrayError:
    """Return the error of our tree for *error*, saying what was being done to which file, and why not."""
    kind, reason = _MEANINGS.get(
        error.errno or 0, (FileUnwritable, os.strerror(error.errno) if error.errno else "unknown reason")
    )
    there = in_the_way(path) if error.errno in _OF_THE_PLACE else None
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
