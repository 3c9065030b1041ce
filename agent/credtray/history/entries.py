"""One line of the history: what happened, when, to whom. Pure: values, and their JSON lines. Never a secret.

``derive`` makes entries of the loop's events; ``sentences`` tells them to a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from credtray.core.models import Way
from credtray.core.shapes import from_json
from credtray.core.words import on_every_clock

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Kind(StrEnum):
    """What happened."""

    KEYS_GIVEN = "keys_given"
    """A program or a person was given the keys of a profile, by a ``Way``."""
    KEYS_FETCHED = "keys_fetched"
    KEYS_REFUSED = "keys_refused"
    """The portal refused them: the role is not, or no longer, assigned."""
    KEYS_FAILED = "keys_failed"
    KEYS_DENIED = "keys_denied"
    """Somebody asked for keys, and there were none to give."""
    ENDPOINT_REFUSED = "endpoint_refused"
    """Somebody asked at the endpoint with a wrong token."""
    TOKEN_RENEWED = "token_renewed"  # noqa: S105 - a name
    RENEWAL_FAILED = "renewal_failed"
    RENEWAL_REFUSED = "renewal_refused"
    SIGN_IN_BEGUN = "sign_in_begun"
    SIGNED_IN = "signed_in"
    SIGN_IN_CANCELLED = "sign_in_cancelled"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_ENDED = "sign_in_ended"
    SIGNED_OUT = "signed_out"
    OTHER_PERSON = "other_person"
    """Another person signed in than the last time: nobody gets keys."""
    PERSON_KEPT = "person_kept"
    """Somebody agreed to that."""
    ROLES_CAME = "roles_came"
    """The portal lists roles that it did not list before."""
    ROLES_WENT = "roles_went"
    """It lists roles no longer."""
    NOTICED = "noticed"
    """A person was told something, by a notification or in the log."""
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    SWITCHED = "switched"
    FILE_FAILED = "file_failed"
    """The credentials file could not be written, or a section of it is not ours."""
    SLEPT = "slept"
    WOKE = "woke"
    OFFLINE = "offline"
    ONLINE = "online"
    AGENT_STARTED = "agent_started"
    AGENT_STOPPED = "agent_stopped"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened at one moment; fields that do not apply have their defaults."""

    at: _Instant
    kind: Kind
    session: str | None = None
    profile: str | None = None
    until: _Instant | None = None
    """Until when what came is good: a sign-in, a token, keys."""
    about: bool = False
    """``until`` is an estimate."""
    way: Way | None = None
    pid: int | None = None
    program: str | None = None
    count: int = 1
    """How often, up to ``last``: the same program, within a minute of the first time."""
    last: _Instant | None = None
    code: str | None = None
    """Of the error (docs/reference/errors.md)."""
    text: str | None = None
    """The error in words, or what a notice said."""
    person: str | None = None
    """Who signed in."""

    @property
    def latest(self) -> datetime:
        """When it happened last."""
        return self.at if self.last is None else self.last


TOGETHER = timedelta(minutes=1)
"""The same thing again within this time of the first is one entry with a count."""

COUNTED = frozenset({Kind.KEYS_GIVEN, Kind.KEYS_DENIED, Kind.ENDPOINT_REFUSED})
"""What may come many times a minute; everything else has a line for each time."""


def alike(entry: Entry) -> tuple[object, ...] | None:
    """Return by what an entry is the same thing again; None for one that never is.

    A program that is started again and again is one program: its process ids do not matter.
    """
    if entry.kind not in COUNTED or entry.way is Way.FILE:
        return None
    caller = entry.pid if entry.program is None else entry.program
    return entry.kind, entry.profile, entry.way, caller, entry.code


def together(first: Entry, again: Entry) -> Entry:
    """Return two entries that are alike as one."""
    pid = first.pid if first.pid == again.pid else None
    count = first.count + again.count
    return msgspec.structs.replace(first, pid=pid, count=count, last=again.latest)


def counted(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries, what came again within a minute as one, in the order of the first times."""
    found: list[Entry] = []
    places: dict[tuple[object, ...], int] = {}
    for entry in entries:
        key = alike(entry)
        place = None if key is None else places.get(key)
        if place is not None and timedelta() <= entry.at - found[place].at < TOGETHER:
            found[place] = together(found[place], entry)
            continue
        if key is not None:
            places[key] = len(found)
        found.append(entry)
    return found


# --- JSON lines --------------------------------------------------------------------------------------

VERSION = 1
_HEADER = "credtray_history"


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of the history holds."""

    entries: tuple[Entry, ...] = ()
    unreadable: int = 0
    """Lines that are none: torn by a crash, or edited."""
    newer: bool = False
    """It was begun by a newer credtray: what this one knows of it is in ``entries``."""


def header() -> bytes:
    """Return the first line of each file."""
    return msgspec.json.encode({_HEADER: VERSION}) + b"\n"


def encode(entries: Iterable[Entry]) -> bytes:
    """Return the lines of these entries."""
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def decode(data: bytes) -> Lines:
    """Return what a file holds; a line that cannot be read is counted, and costs no other line."""
    entries: list[Entry] = []
    unreadable, newer = 0, False
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        version = _version(line)
        if version is not None:
            newer = newer or version > VERSION
            continue
        try:
            entry = from_json(line, Entry)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            unreadable += 1
            continue
        if all(map(on_every_clock, (entry.at, entry.latest, entry.until or entry.at))):
            entries.append(entry)
        else:
            unreadable += 1
    return Lines(entries=tuple(entries), unreadable=unreadable, newer=newer)


def _version(line: bytes) -> int | None:
    """Return the version in the first line of a file; None for every other line."""
    if _HEADER.encode() not in line[: len(_HEADER) + 4]:
        return None
    try:
        return from_json(line, dict[str, int]).get(_HEADER)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
