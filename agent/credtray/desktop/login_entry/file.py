"""The file in which a desktop keeps one program that starts at login. Knows nothing of what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from credtray.core.errors import AutostartRefused, FileRefused, FileUnwritable
from credtray.files.atomic_file import read_bounded, write_atomically
from credtray.files.directory_safety import translated

_LARGEST = 64 * 1024
"""Bytes; an entry has less than one."""
_MODE = 0o644
"""Nothing in it is secret, and some desktops look at it as another user."""


class EntryFile:
    """One such file; never one that a link leads to. Every method raises AutostartRefused."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """Return its content, or None when it is not there."""
        with _refused():
            return None if self._is_missing() else read_bounded(self.path, _LARGEST)

    def write(self, content: bytes) -> None:
        """Put it there whole or not at all, for everybody to read."""
        with _refused():
            self._is_missing()
            write_atomically(self.path, content, mode=_MODE)

    def remove(self) -> None:
        """Remove it, if it is there."""
        with _refused():
            if not self._is_missing():
                with translated(self.path, "removing"):
                    self.path.unlink(missing_ok=True)

    def _is_missing(self) -> bool:
        with translated(self.path, "looking at"):
            try:
                self.path.lstat()
            except FileNotFoundError:
                return True
            if self.path.is_symlink():
                raise AutostartRefused(
                    f"{self.path} is a symbolic link, which credtray did not create",
                    hint="Move it away, then try again.",
                )
        return False


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (FileRefused, FileUnwritable) as error:
        raise AutostartRefused(error.detail) from error
