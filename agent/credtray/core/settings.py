"""The user's settings with typed defaults, and how a TOML mapping becomes one.

The reference page docs/reference/settings.md is generated from the field docstrings below.
Knows nothing of the file itself: see agent/credtray/store/settings_file.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from credtray.core.addresses import check_region
from credtray.core.durations import parse_duration
from credtray.core.errors import RegionRefused, SettingsInvalid
from credtray.core.nearest import did_you_mean
from credtray.core.presets import usual_length
from credtray.core.proxy_address import SUPPORTED, proxy_problem

Section = str
"""A name that can stand between the brackets of a section's header."""
Region = str
"""The name of an AWS region."""
ProxyAddress = str
"""The address of a proxy."""
Panel = str
"""``"auto"``, ``"light"`` or ``"dark"``."""


class Delivery(StrEnum):
    """How the programs of an active profile get its role credentials."""

    FILE = "file"
    """Its keys are written into a section of the credentials file."""
    PROCESS = "process"
    """Held in memory for ``credtray credentials``; nothing is written."""
    ENDPOINT = "endpoint"
    """Held in memory for the local endpoint, which is open then; nothing is written."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of one sso-session: the table ``[sessions.NAME]``."""

    duration: timedelta | None = None
    """How long a sign-in lasts, until credtray has learned it, such as ``"4h"``."""
    device_flow: bool = False
    """Sign in with a code on any device instead of a browser on this machine."""
    warn_before: tuple[timedelta, ...] | None = None
    """When to say that this session's sign-in ends soon, such as ``["1h", "10m"]``; else as for all."""
    browser: str | None = None
    """Command for this session's pages, such as ``"firefox -P work %s"``; else the desktop's own."""
    open_by_itself: bool = False
    """Open one window by itself when a sign-in has ended, only while the screen is unlocked and online."""
    proxy: ProxyAddress | None = None
    """Proxy of this session, such as ``"http://proxy.example.com:3128"``; else as the environment says."""
    ca_bundle: str | None = None
    """File of the authorities to trust for this session, such as ``"/etc/ssl/proxy.pem"``; else AWS's."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """Settings of one profile: the table ``[profiles.NAME]``."""

    section: Section | None = None
    """Section of the credentials file for the keys, such as ``"dns-keys"``; else the profile's name."""
    delivery: Delivery = Delivery.FILE
    """How programs get the keys while the profile is active: ``"file"``, ``"process"`` or ``"endpoint"``."""
    region: Region | None = None
    """Region handed out with the keys, such as ``"eu-central-1"``; else the config file's."""
    description: str | None = None
    """What the role is for, in one line, such as ``"Reads the bills"``; shown in the menu and in lists."""
    notes: str | None = None
    """Anything worth knowing before it is used, such as ``"Ask Kim before Friday"``."""
    tags: tuple[str, ...] = ()
    """Words to find the profile by. Example: ``["billing", "weekly"]``."""
    favourite: bool = False
    """Show the profile before the others."""
    production: bool = False
    """Mark the profile in menus: what is done with it is done to production."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; every field has a default that suits most people."""

    warn_before: tuple[timedelta, ...] = (timedelta(minutes=30), timedelta(minutes=10))
    """When to say that a sign-in ends soon. Example: ``["30m", "10m"]``; an empty list says nothing."""
    remove_keys_at_end: bool = True
    """Take expired keys out of the credentials file."""
    remove_keys_at_sign_out: bool = True
    """Take the keys of a session out of the credentials file when it is signed out."""
    remove_keys_on_stop: bool = True
    """Take the keys credtray renews out of the credentials file when the agent stops; pasted ones stay."""
    confirm_production: bool = False
    """Ask again before a click in the menu makes a profile marked ``production`` active or the default."""
    icon: Panel = "auto"
    """For which panel the tray icon is drawn: ``"auto"``, ``"light"`` or ``"dark"``."""
    sessions: Mapping[str, SessionSettings] = field(default_factory=lambda: MappingProxyType({}))
    profiles: Mapping[str, ProfileSettings] = field(default_factory=lambda: MappingProxyType({}))

    def sign_in_length(self, session: str) -> timedelta:
        """Return the configured length of a sign-in, or the preset's, or the service's default."""
        chosen = self.session(session).duration
        return chosen if chosen is not None else usual_length(session)

    def section(self, profile: str) -> str:
        """Return the section of the credentials file that takes this profile's keys."""
        return self.profile(profile).section or profile

    def session(self, name: str) -> SessionSettings:
        """Return what is set for this sso-session."""
        return self.sessions.get(name, _NO_SESSION)

    def profile(self, name: str) -> ProfileSettings:
        """Return what is set for this profile."""
        return self.profiles.get(name, _NO_PROFILE)

    def warnings(self, session: str) -> tuple[timedelta, ...]:
        """Return how long before the end of this session's sign-in to warn, the earliest first."""
        chosen = self.session(session).warn_before
        return self.warn_before if chosen is None else chosen

    def longest_warning(self, session: str) -> timedelta:
        """Return the earliest warning threshold of this session; zero when there is none."""
        return max(self.warnings(session), default=timedelta())


_NO_SESSION = SessionSettings()
_NO_PROFILE = ProfileSettings()


Where = tuple[str, ...]
"""The path of a value: ``("profiles", "my prof", "tags")``."""


def from_mapping(data: Mapping[str, Any]) -> Settings:
    """Read what the TOML parser returned.

    Raises:
        SettingsInvalid: an unknown name (the nearest known one is offered) or a value of the wrong kind; its
            ``keys`` say which.
    """
    return Settings(**_table(Settings, data, ()))


def read_value(kind: str, value: Any, where: Where) -> Any:
    """Return a value of the TOML parser as a field of this type (as written in the class) holds it.

    Raises:
        SettingsInvalid: a value of the wrong kind.
    """
    return _READERS[kind](value, where)


def types_of(kind: type) -> dict[str, str]:
    """Return field -> its type as written, for one of the classes of settings."""
    return {item.name: str(item.type) for item in fields(kind)}


def unknown(kind: type, where: Where) -> SettingsInvalid:
    """Return the error for a name that the class has no field for."""
    return _refused(where, f"is not a setting.{did_you_mean(where[-1], types_of(kind))}")


def _refused(where: Where, text: str) -> SettingsInvalid:
    error = SettingsInvalid(f"{dotted(where)} {text}")
    error.keys = where
    return error


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(where: Where) -> str:
    """Return a path as TOML writes it: ``profiles."my prof".tags``."""
    return ".".join(key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False) for key in where)


def _table(kind: type, data: Mapping[str, Any], where: Where) -> dict[str, Any]:
    known = types_of(kind)
    for name in data:
        if name not in known:
            raise unknown(kind, (*where, name))
    return {name: read_value(known[name], value, (*where, name)) for name, value in data.items()}


def _boolean(value: Any, where: Where) -> bool:
    if not isinstance(value, bool):
        raise _refused(where, f"must be true or false, not {value!r}")
    return value


def _text(value: Any, where: Where) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _refused(where, f"must be a printable text, not {value!r}")
    return value


def _section(value: Any, where: Where) -> str:
    if not isinstance(value, str) or "]" in value:
        raise _refused(where, f"must be a printable text without ']', not {value!r}")
    return _text(value, where)


def _region(value: Any, where: Where) -> str:
    try:
        check_region(value if isinstance(value, str) else "")
    except RegionRefused:
        raise _refused(where, f'must be a region such as "eu-central-1", not {value!r}') from None
    return str(value)


def _proxy(value: Any, where: Where) -> str:
    problem = proxy_problem(value) if isinstance(value, str) else ("must be a text", SUPPORTED)
    if problem is not None:  # not quoted: it may hold a password
        error = _refused(where, problem[0])
        error.advice = problem[1]
        raise error
    return str(value)


def _words(value: Any, where: Where) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _refused(where, f'must be a list of words such as ["billing"], not {value!r}')
    return tuple(dict.fromkeys(_text(item, where) for item in value))


def _delivery(value: Any, where: Where) -> Delivery:
    try:
        return Delivery(value)
    except ValueError:
        raise _refused(where, f'must be "file", "process" or "endpoint", not {value!r}') from None


def _panel(value: Any, where: Where) -> str:
    if not isinstance(value, str) or value not in {"auto", "light", "dark"}:
        raise _refused(where, f'must be "auto", "light" or "dark", not {value!r}')
    return value


def _duration(value: Any, where: Where) -> timedelta:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except (ValueError, OverflowError):
        raise _refused(where, f'must be a duration such as "30m" or "4h", not {value!r}') from None


def _durations(value: Any, where: Where) -> tuple[timedelta, ...]:
    if not isinstance(value, list):
        raise _refused(where, f'must be a list such as ["30m", "10m"], not {value!r}')
    return tuple(sorted({_duration(item, where) for item in value}, reverse=True))


def _named(kind: type) -> Callable[[Any, Where], Mapping[str, Any]]:
    def read(value: Any, where: Where) -> Mapping[str, Any]:
        tables = value.values() if isinstance(value, Mapping) else (None,)
        if not all(isinstance(item, Mapping) for item in tables):
            raise _refused(where, f"must be tables such as [{dotted(where)}.NAME], not {value!r}")
        return MappingProxyType(
            {name: kind(**_table(kind, table, (*where, name))) for name, table in value.items()}
        )

    return read


_READERS: Mapping[str, Callable[[Any, Where], Any]] = {
    "bool": _boolean,
    "Panel": _panel,
    "Section | None": _section,
    "Region | None": _region,
    "str | None": _text,
    "ProxyAddress | None": _proxy,
    "Delivery": _delivery,
    "tuple[str, ...]": _words,
    "tuple[timedelta, ...] | None": _durations,
    "timedelta | None": _duration,
    "tuple[timedelta, ...]": _durations,
    "Mapping[str, SessionSettings]": _named(SessionSettings),
    "Mapping[str, ProfileSettings]": _named(ProfileSettings),
}
