"""Keeps what outlives the agent of the local endpoint: its port, who may ask, and one token file for each.

Decides nothing. A token file lies in a directory of its own, named by the port and a hash of the profile:
a container mounts the directory (a mounted file would stay the old one when it is replaced), and a program
that knows the address of another port finds no token to send there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from credtray.core.ports import EndpointMemory
from credtray.core.secret import Secret
from credtray.files.atomic_file import CACHE_LIMIT, LEFTOVER_PREFIX, read_bounded, write_atomically
from credtray.files.directory_safety import private_directory

VERSION = 1
_TOKEN = "token"  # noqa: S105 -- the name of the file
_PORT_NAME = re.compile(r"[0-9]{1,5}")
_PROFILE_NAME = re.compile(r"[0-9a-f]{32}")


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    profiles: list[str] = []
    revoked: list[str] = []


class EndpointTokens:
    """Implements ``ports.EndpointStore``; everything lies below one directory (0700)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._document = directory / "endpoint.json"

    def load(self) -> EndpointMemory:
        """Return what is remembered; nothing where the document is missing, torn or of a newer version.

        Raises:
            FileRefused, FileUnwritable: it cannot be read.
        """
        data = read_bounded(self._document, CACHE_LIMIT)
        try:
            found = msgspec.json.decode(data or b"{}", type=_Document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return EndpointMemory()
        if found.version > VERSION:
            return EndpointMemory()
        return EndpointMemory(found.port, frozenset(found.profiles), frozenset(found.revoked))

    def save(self, memory: EndpointMemory) -> None:
        """Remember this.

        Raises:
            FileRefused, FileUnwritable: the old document is still there.
        """
        document = _Document(
            port=memory.port, profiles=sorted(memory.profiles), revoked=sorted(memory.revoked)
        )
        private_directory(self._directory)
        write_atomically(self._document, msgspec.json.encode(document))

    def path(self, port: int, profile: str) -> str:
        """Return the path of a profile's token file; it tells nothing about the profile."""
        return str(self._path(port, profile))

    def _path(self, port: int, profile: str) -> Path:
        name = hashlib.sha256(profile.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._directory / str(port) / name / _TOKEN

    def write(self, port: int, profile: str, token: Secret) -> None:
        """Write a token file (0600, no line end: botocore 1.44 sends what it reads).

        Raises:
            FileRefused, FileUnwritable: there is no new token file.
        """
        path = self._path(port, profile)
        for directory in (self._directory, path.parent.parent, path.parent):
            private_directory(directory)
        write_atomically(path, token.reveal().encode("ascii"))

    def remove(self, port: int, profile: str) -> None:
        """Take a token file away for good, with its directory; what cannot go holds a token of no worth."""
        path = self._path(port, profile)
        with suppress(OSError):
            path.unlink()
        for directory in (path.parent, path.parent.parent):
            with suppress(OSError):  # not empty: of other profiles
                directory.rmdir()

    def clear(self, port: int | None) -> None:
        """Take all token files away; directories stay for *port* only, which containers may have mounted."""
        with suppress(OSError):
            _unlink(self._directory.glob(f"{LEFTOVER_PREFIX}*"))
            for ports in [each for each in self._directory.iterdir() if _PORT_NAME.fullmatch(each.name)]:
                self._clear(ports, keep=ports.name == str(port))

    def _clear(self, ports: Path, *, keep: bool) -> None:
        for directory in [each for each in ports.iterdir() if _PROFILE_NAME.fullmatch(each.name)]:
            _unlink([directory / _TOKEN, *directory.glob(f"{LEFTOVER_PREFIX}*")])
            if not keep:
                with suppress(OSError):
                    directory.rmdir()
        if not keep:
            with suppress(OSError):
                ports.rmdir()


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
