"""A team file for `credtray setup FILE`: an organisation's sign-ins, and settings good for all its people.

Read from a path or over https; it only ever adds. Nothing that is run can be set by it, and neither a proxy
nor a CA bundle: whoever wrote it chooses where people sign in, not what their computers do.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from credtray.aws.service_call import Reply, Request
from credtray.core.addresses import check_region, shown, start_url_kind
from credtray.core.errors import CredtrayError, Offline, UsageError
from credtray.core.expiry import SHORTEST_SIGN_IN
from credtray.core.naming import DEFAULT_TEMPLATE, check_template
from credtray.core.settings import TABLES, Toml, Where, dotted, from_mapping
from credtray.core.words import did_you_mean, parse_duration
from credtray.desktop.paths import asset_path
from credtray.files.atomic_file import read_bounded
from credtray.store import organisation

MARK = "credtray_team"
VERSION = 1
MAX_BYTES = 256 * 1024
SESSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")
"""A name that every tool reads back."""
_MOST_FILES = 20
_HOURS = re.compile(r"[0-9]{1,4}([.][0-9]{1,2})?\Z")
_LONGEST_SIGN_IN = timedelta(days=90)
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_OF_SESSION = ("start_url", "region", "scopes", "template", "profile_region", "accounts", "roles")
"""What the team file says of a session beside settings."""
_SETTINGS: Mapping[str, frozenset[str]] = {
    "": frozenset({"confirm_production", "warn_before"}),
    "sessions": frozenset({"duration", "warn_before"}),
    "profiles": frozenset({"production", "description", "notes", "tags", "favourite", "region"}),
}
"""The settings it may hold, by table."""


@dataclass(frozen=True, slots=True)
class TeamSession:
    """One sign-in of the organisation; None: the person is asked, or setup's default counts."""

    name: str
    start_url: str
    region: str
    scopes: tuple[str, ...] | None = None
    duration: timedelta | None = None
    template: str = DEFAULT_TEMPLATE
    profile_region: str | None = None
    accounts: str | None = None
    roles: str | None = None


@dataclass(frozen=True, slots=True)
class TeamFile:
    """What one file says."""

    source: str
    sessions: tuple[TeamSession, ...]
    settings: tuple[tuple[Where, Toml], ...] = field(default=())
    """In the file's order."""

    def without(self, settings: Collection[Where]) -> TeamFile:
        """Return the file with fewer settings."""
        return replace(self, settings=tuple(item for item in self.settings if item[0] not in settings))

    def of(self, session: str) -> TeamFile:
        """Return what the file says that has to do with one of its sessions, or with none."""
        own = tuple(item for item in self.settings if item[0][0] != "sessions" or item[0][1] == session)
        return replace(self, settings=own)


# --- those that are installed -----------------------------------------------------------------------


def installed() -> dict[str, TeamSession]:
    """Return the sessions of the team files on this computer, by name; of two with a name, the first counts.

    A file that cannot be used offers nothing here: who names it by its path learns why.
    """
    found: dict[str, TeamSession] = {}
    for team in _installed_files():
        for item in team.sessions:
            found.setdefault(item.name, item)
    return found


def installed_with(session: str) -> TeamFile | None:
    """Return the installed team file that ``installed`` takes this session from."""
    return next(
        (team for team in _installed_files() if session in {item.name for item in team.sessions}), None
    )


def _installed_files() -> Iterator[TeamFile]:
    for folder in (_of_organisation(), asset_path("team")):
        try:
            names = sorted(folder.glob("*.toml")) if folder is not None else []
        except OSError:
            continue
        for path in names[:_MOST_FILES]:
            with suppress(CredtrayError):
                yield understood(read_bounded(path, MAX_BYTES) or b"", str(path))


def _of_organisation() -> Path:
    """Return where an administrator puts team files for everybody on this computer."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMFILES", r"C:\Program Files")) / "credtray" / "team"
    elif sys.platform == "darwin":  # noqa: RET505 -- type checkers take the branch of their platform
        return Path("/Library/Application Support/credtray/team")
    else:
        return organisation.ON_LINUX.with_name("team")


# --- getting it -------------------------------------------------------------------------------------


def is_source(word: str) -> bool:
    """Tell whether a word for `credtray setup` is a path or an address, and not the name of a session."""
    return any(char in word for char in "/\\") or word.endswith(".toml")


def load(source: str, send: Callable[[Request], Reply]) -> TeamFile:
    """Read a team file.

    Args:
        source: a path, or an https address.
        send: carries one request; it keeps limits of time and size of its own.

    Raises:
        UsageError: it is no team file; the line or the key is named.
        CredtrayError: it cannot be read or fetched.
    """
    if "://" in source:
        return understood(_fetched(source, send), _without_secrets(source))
    data = read_bounded(Path(source).expanduser(), MAX_BYTES)
    if data is None:
        raise UsageError(f"There is no file {source}")
    return understood(data, source)


def _fetched(url: str, send: Callable[[Request], Reply]) -> bytes:
    place = shown(_without_secrets(url))
    if urlsplit(url).scheme != "https":
        raise UsageError(f"{place} is not https: anybody on the way could choose where you sign in")
    try:
        reply = send(Request("GET", url.partition("#")[0], {"Accept": "application/toml, text/plain, */*"}))
    except Offline as error:  # its own words are about the portal, and nothing is tried again here
        hint = "Nothing was changed. Check the network, the VPN or the proxy."
        raise UsageError(f"{place} cannot be had: {error.detail}", hint=hint) from None
    if reply.status in _REDIRECTS:
        raise UsageError(
            f"{place} leads on to {shown(_target(_without_secrets(url), reply))}",
            hint="If that is where your team file is, name that address.",
        )
    if reply.status != _OK:
        raise UsageError(f"{place} cannot be had: HTTP {reply.status}")
    if len(reply.body) > MAX_BYTES:
        raise UsageError(f"{place} is no team file: it is larger than {MAX_BYTES >> 10} KiB")
    return reply.body


def _without_secrets(url: str) -> str:
    """Return an address as messages name it: a part for signing in, and the query, may be a password.

    Raises:
        UsageError: it is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError("That is not an address", hint="It begins with https:// and a host.") from None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _target(url: str, reply: Reply) -> str:
    told = reply.headers.get("location", "")
    try:
        return urljoin(url, told)
    except ValueError:
        return told


# --- understanding it -------------------------------------------------------------------------------


def understood(data: bytes, source: str) -> TeamFile:
    """Read the content of a team file.

    Raises:
        UsageError: it is none, or a part of it cannot be used. Nothing of it counts then.
    """
    try:
        said = tomllib.loads(data.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else shown(str(error))
        raise _unfit(source, f"it is not TOML: {reason}") from None
    if type(said.get(MARK)) is not int:
        raise _unfit(source, f"it does not begin with {MARK} = {VERSION}")
    if said.pop(MARK) != VERSION:
        raise _unfit(source, "it was written for another version of credtray", hint="Update credtray.")
    try:
        sessions = tuple(_sessions(said))
        settings = tuple(_settings(said))
        from_mapping(_nested(settings))
    except CredtrayError as error:
        raise _unfit(source, error.detail or str(error)) from None
    if not sessions:
        raise _unfit(source, "it names no session")
    return TeamFile(source, sessions, settings)


def _unfit(source: str, why: str, hint: str = "Ask who gave it to you. Nothing was changed.") -> UsageError:
    return UsageError(f"{shown(source)} cannot be used as a team file: {why}", hint=hint)


def _sessions(said: Mapping[str, Any]) -> Iterator[TeamSession]:
    for name, parts in _table(said, "sessions").items():
        if not SESSION_NAME.match(name):
            raise UsageError(f"{shown(name)} is no name for a session: letters, digits and . _ @ + - are")
        texts = {key: parts[key] for key in _OF_SESSION if key in parts and key != "scopes"}
        wrong = next((key for key, value in texts.items() if not isinstance(value, str) or not value), None)
        if wrong is not None:
            raise UsageError(f"{dotted(('sessions', name, wrong))} must be text")
        missing = [key for key in ("start_url", "region") if key not in texts]
        if missing:
            raise UsageError(f"{dotted(('sessions', name, missing[0]))} is missing")
        start_url_kind(texts["start_url"])
        check_region(texts["region"])
        check_template(texts.get("template", DEFAULT_TEMPLATE))
        if texts.get("profile_region", "none") != "none":
            check_region(texts["profile_region"])
        length = read_length(str(parts["duration"])) if "duration" in parts else None
        yield TeamSession(name, scopes=_scopes(name, parts), duration=length, **texts)


def _scopes(name: str, parts: Mapping[str, Any]) -> tuple[str, ...] | None:
    scopes = parts.get("scopes")
    if scopes is None:
        return None
    if not isinstance(scopes, list) or not scopes or not all(isinstance(each, str) for each in scopes):
        raise UsageError(f"{dotted(('sessions', name, 'scopes'))} must be a list of texts")
    return tuple(scopes)


def _settings(said: Mapping[str, Any]) -> Iterator[tuple[Where, Toml]]:
    """Yield the settings; a key that is neither one of them nor a session's is refused."""
    for key, value in said.items():
        if key in TABLES:
            for name, parts in _table(said, key).items():
                yield from _of_table(key, name, parts)
        else:
            yield _allowed((key,), value, _SETTINGS[""] | TABLES.keys())


def _of_table(table: str, name: str, parts: Mapping[str, Any]) -> Iterator[tuple[Where, Toml]]:
    others = frozenset(_OF_SESSION if table == "sessions" else ())
    for key, value in parts.items():
        if key not in others:
            yield _allowed((table, name, key), value, _SETTINGS[table] | others)


def _allowed(where: Where, value: Toml, known: frozenset[str]) -> tuple[Where, Toml]:
    if where[-1] in known:
        return where, value
    raise UsageError(f"{dotted(where)} cannot be set by a team file.{did_you_mean(where[-1], known)}")


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    found = said.get(name, {})
    if not isinstance(found, Mapping) or not all(isinstance(each, Mapping) for each in found.values()):
        raise UsageError(f"{name} must be tables such as [{name}.NAME]")
    return found


def _nested(settings: tuple[tuple[Where, Toml], ...]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for where, value in settings:
        place = data
        for key in where[:-1]:
            place = place.setdefault(key, {})
        place[where[-1]] = value
    return data


def read_length(text: str) -> timedelta | None:
    """Read how long a sign-in lasts: hours (``8``, ``7.5``) or a duration (``12h``); None for nothing.

    Raises:
        UsageError: it is neither, or not between 15 minutes and 90 days, which is what AWS allows.
    """
    said = text.strip().lower().removesuffix("hours").removesuffix("hour").replace(" ", "")
    if not said:
        return None
    try:
        length = timedelta(hours=float(said)) if _HOURS.match(said) else parse_duration(said)
    except ValueError:
        raise UsageError(f"{text!a} is not a number of hours, nor a duration such as 8h or 90m") from None
    length = timedelta(minutes=round(length.total_seconds() / 60))
    if not SHORTEST_SIGN_IN <= length <= _LONGEST_SIGN_IN:
        raise UsageError(f"{text!a}: AWS allows sign-ins of 15 minutes to 90 days")
    return length
