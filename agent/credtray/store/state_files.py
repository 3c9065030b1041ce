"""Keeps state.json, undo.json and the endpoint's tokens; what state.json means is in core/state_document.

Looking changes nothing: a torn file is moved aside when the next one is written, a newer one is left alone.
"""

from __future__ import annotations

import binascii
import hashlib
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec

from credtray.core import state_document
from credtray.core.config.setup_edits import Change
from credtray.core.errors import CredtrayError, FileInUse, FileRefused
from credtray.core.models import Secret
from credtray.core.ports import EndpointMemory
from credtray.core.shapes import from_json
from credtray.core.state import State
from credtray.files.atomic_file import CACHE_LIMIT, LEFTOVER_PREFIX, read_bounded, write_atomically
from credtray.files.directory_safety import private_directory

_log = logging.getLogger(__name__)

_RESTART = (
    "Your choices could not be read, so the profiles in the credentials file are kept, and changes are not "
    "saved. When the file can be read again, run: credtray restart"
)
_UPDATE = "The profiles in the credentials file are kept, and changes are not saved. Update credtray."


class StateFile:
    """Implements ``ports.StateFile``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hands_off: CredtrayError | None = None
        """Why nothing is written: what the file holds is not known."""
        self._torn = False

    def load(self, tries: int = 1) -> State:
        """Return the remembered state; one that knows of no choice where nothing usable is there.

        Never raises: preferences are worth less than credentials that stay fresh.

        Args:
            tries: how often to try, 2.5 s each, while another program on Windows keeps the file shut.
        """
        try:
            data = self._read(tries)
        except CredtrayError as error:
            _log.warning("state not read: %s", error)
            return self._unread(type(error)(error.detail, hint=_RESTART))
        if data is None:
            return _fresh()
        try:
            return state_document.decode(data)
        except state_document.NewerVersion:
            _log.warning(
                "%s was written by a newer credtray; it stays unchanged and nothing is remembered", self._path
            )
            return self._unread(FileRefused(f"{self._path} was written by a newer credtray", hint=_UPDATE))
        except ValueError:
            _log.warning("%s is damaged; what it remembered is lost", self._path)
            self._torn = True
        return replace(_fresh(), choices_unknown=True)

    def _unread(self, error: CredtrayError) -> State:
        self._hands_off = error
        return replace(_fresh(), choices_unknown=True, unsaved=error.problem)

    def _read(self, tries: int) -> bytes | None:
        for _ in range(1, tries):
            with suppress(FileInUse):
                return read_bounded(self._path, CACHE_LIMIT)
        return read_bounded(self._path, CACHE_LIMIT)

    def save(self, document: bytes) -> None:
        """Write the document atomically, 0600.

        Raises:
            FileUnwritable, FileRefused: the old document is still there, or was never read.
        """
        if self._hands_off is not None:
            raise self._hands_off
        if self._torn:
            self._torn = False
            self._move_aside()
        write_atomically(self._path, document)

    def _move_aside(self) -> None:
        aside = self._path.with_suffix(".broken")
        try:
            self._path.replace(aside)
        except OSError as error:
            _log.warning("%s is damaged and could not be moved aside: %s", self._path, error.strerror)
        else:
            _log.warning("%s is damaged; it was moved to %s", self._path, aside.name)


def _fresh() -> State:
    return State(seed=secrets.token_hex(8))


# Keeps undo.json: what the sections of the config file were before credtray changed them. Never a secret.
#
# The credentials file needs no such record: the mark in each of our sections says what was there before.


VERSION = 1
_MOST = 50
"""Changes that can be taken back; older ones are in the backup of the file."""


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    changes: list[Change] = []


class UndoFile:
    """The changes that can be taken back, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def changes(self) -> list[Change]:
        """Return them; none where the file is missing or torn.

        Raises:
            FileUnwritable, FileRefused: it cannot be read, or a newer credtray wrote it.
        """
        data = read_bounded(self._path, CACHE_LIMIT)
        if data is None:
            return []
        try:
            document = from_json(data, _Document)
            for change in document.changes:
                change.originals()
                change.results()
        except (msgspec.DecodeError, binascii.Error, RecursionError, UnicodeDecodeError):
            if _version(data) > VERSION:
                raise self._newer() from None
            return []
        if document.version > VERSION:
            raise self._newer()
        return document.changes

    def remember(
        self,
        at: datetime,
        what: str,
        originals: Mapping[str, bytes | None],
        results: Mapping[str, bytes | None] = MappingProxyType({}),
    ) -> Change:
        """Add a change, sections as they were before and as they were left, and return it.

        Raises:
            FileUnwritable, FileRefused: it is not remembered; nothing else happened.
        """
        change = Change.of(at, what, originals, results)
        self._write([*self.changes(), change])
        return change

    def forget(self, change: Change) -> None:
        """Drop a change that was taken back."""
        self._write([each for each in self.changes() if each != change])

    def _newer(self) -> FileRefused:
        return FileRefused(
            f"{self._path} was written by a newer credtray",
            hint="Use the version that made the change to undo it.",
        )

    def _write(self, changes: list[Change]) -> None:
        write_atomically(self._path, msgspec.json.encode(_Document(changes=changes[-_MOST:])))


class _Versioned(msgspec.Struct):
    version: int = VERSION


def _version(data: bytes) -> int:
    try:
        return from_json(data, _Versioned).version
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return VERSION


# Keeps what outlives the agent of the local endpoint: its port, who may ask, and one token file for each.
#
# Decides nothing. A token file lies in a directory of its own, named by the port and a hash of the profile:
# a container mounts the directory (a mounted file would stay the old one when it is replaced), and a
# program that knows the address of another port finds no token to send there.


_TOKEN = "token"  # noqa: S105 -- the name of the file
_PORT_NAME = re.compile(r"[0-9]{1,5}")
_PROFILE_NAME = re.compile(r"[0-9a-f]{32}")


class _TokensDocument(msgspec.Struct, frozen=True, kw_only=True):
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
            found = from_json(data or b"{}", _TokensDocument)
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
        document = _TokensDocument(
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


# Keeps where the page of `credtray open` was and who was in, so that it can come back after a restart.


class PageMemory(msgspec.Struct, frozen=True, kw_only=True):
    """An open page."""

    version: int = VERSION
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    room: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    guests: Annotated[
        list[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]], msgspec.Meta(max_length=64)
    ]
    """SHA-256 of the cookies: nobody enters with one."""
    at: datetime
    """When it was seen open last."""


class PageFile:
    """One small file (0600)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> PageMemory | None:
        """Return what is remembered; None where there is nothing, or nothing that can be read."""
        try:
            data = read_bounded(self._path, CACHE_LIMIT)
            found = None if data is None else from_json(data, PageMemory)
        except (CredtrayError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return found if found is not None and found.version <= VERSION and found.at.tzinfo else None

    def save(self, memory: PageMemory) -> None:
        """Remember this; what cannot be written is forgotten with the agent."""
        with suppress(CredtrayError):
            private_directory(self._path.parent)
            write_atomically(self._path, msgspec.json.encode(memory))

    def clear(self) -> None:
        """Forget it."""
        _unlink([self._path])
