"""The user's settings with typed defaults, and how a TOML mapping becomes one.

The reference page docs/reference/settings.md is generated from the field docstrings below.
Knows nothing of the file itself: see agent/credtray/store/settings_file.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from credtray.core.addresses import DEFAULT_SIGN_IN_LENGTH, SUPPORTED, check_region, proxy_problem
from credtray.core.errors import RegionRefused, SettingsInvalid
from credtray.core.models import Delivery
from credtray.core.shapes import fitted
from credtray.core.words import did_you_mean, exact, parse_duration

Section = str
"""A name that can stand between the brackets of a section's header."""
Region = str
"""The name of an AWS region."""
ProxyAddress = str
"""The address of a proxy."""
WorkingDay = str
"""Usual hours, with the days where they are not every day."""
Panel = str
"""``"auto"``, ``"light"`` or ``"dark"``."""
Agents = str
"""``"allow"``, ``"ask"`` or ``"never"``."""


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
    agents: Agents | None = None
    """Whether coding agents get its keys: ``"allow"``, ``"never"``, or you are asked. Example: ``"ask"``."""
    registries: tuple[str, ...] = ()
    """Registries of Amazon ECR that this profile opens, by host or account, such as ``["111122223333"]``."""


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
    history: bool = True
    """Keep a history of what happens, and of which programs are given keys: see `credtray history`."""
    watch_roles: bool = True
    """Look once a day and after each sign-in which roles you have, and tell of new and removed ones."""
    confirm_production: bool = False
    """Ask again before a click in the menu makes a profile marked ``production`` active or the default."""
    working_day: WorkingDay | None = None
    """Your usual hours, such as ``"Mon-Fri 09:00-17:30"``: asks once a day for a sign-in that covers them."""
    agents: Agents | None = None
    """Whether coding agents get keys: ``"allow"``, ``"never"``, or you are asked. Example: ``"ask"``."""
    icon: Panel = "auto"
    """For which panel the tray icon is drawn: ``"auto"``, ``"light"`` or ``"dark"``."""
    sessions: Mapping[str, SessionSettings] = field(default_factory=lambda: MappingProxyType({}))
    profiles: Mapping[str, ProfileSettings] = field(default_factory=lambda: MappingProxyType({}))

    def sign_in_length(self, session: str) -> timedelta:
        """Return the configured length of a sign-in, or the service's default."""
        chosen = self.session(session).duration
        return chosen if chosen is not None else DEFAULT_SIGN_IN_LENGTH

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
TABLES: Mapping[str, type] = {"sessions": SessionSettings, "profiles": ProfileSettings}
"""Tables of tables: ``[sessions.NAME]`` and ``[profiles.NAME]``."""


def from_mapping(data: Mapping[str, Any]) -> Settings:
    """Read what the TOML parser returned.

    Raises:
        SettingsInvalid: an unknown name (the nearest known one is offered) or a value of the wrong kind; its
            ``keys`` say which.
    """
    return Settings(**_fields(Settings, data, ()))


def _fields(kind: type, data: Mapping[str, Any], where: Where) -> dict[str, Any]:
    known = types_of(kind)
    for name in data:
        if name not in known:
            raise unknown(kind, (*where, name))
    return {
        name: read_value(known[name], value, (*where, name)) if known[name] in KINDS else _tables(name, value)
        for name, value in data.items()
    }


def _tables(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(each, Mapping) for each in value.values()):
        raise _refused((name,), f"must be tables such as [{name}.NAME], not {value!r}")
    kind = TABLES[name]
    return MappingProxyType({key: kind(**_fields(kind, each, (name, key))) for key, each in value.items()})


def types_of(kind: type) -> dict[str, str]:
    """Return field -> its type as written, for one of the classes of settings."""
    return {item.name: str(item.type) for item in fields(kind)}


def unknown(kind: type, where: Where) -> SettingsInvalid:
    """Return the error for a name that the class has no field for."""
    return _refused(where, f"is not a setting.{did_you_mean(where[-1], types_of(kind))}")


def _refused(where: Where, text: str, hint: str | None = None) -> SettingsInvalid:
    error = SettingsInvalid(f"{dotted(where)} {text}", hint=hint)
    error.keys = where
    return error


_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(where: Where) -> str:
    """Return a path as TOML writes it: ``profiles."my prof".tags``."""
    return ".".join(key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False) for key in where)


# --- what a setting may hold -------------------------------------------------------------------------


class SettingType(NamedTuple):
    """What the fields of one type may hold."""

    shape: Any
    """The type of the value in the file; msgspec refuses every other."""
    expected: str
    """What a refusal says it must be. Empty: ``read`` says what is wrong, and the value is not quoted."""
    read: Callable[[Any], Any] = lambda value: value
    """Makes of it what the field holds. Raises ValueError; with reason and hint where *expected* is empty."""
    each: SettingType | None = None
    """What the items of a list may hold."""
    choices: tuple[str, ...] = ()
    """All that a person can type, where it is little."""


def read_value(kind: str, value: Any, where: Where) -> Any:
    """Return a value of the TOML parser as a field of this type (as written in the class) holds it.

    Raises:
        SettingsInvalid: a value of the wrong kind.
    """
    return _read(KINDS[kind], value, where)


def _read(kind: SettingType, value: Any, where: Where) -> Any:
    try:
        found = fitted(value, kind.shape)
        return kind.read(found if kind.each is None else [_read(kind.each, item, where) for item in found])
    except (ValueError, OverflowError, RegionRefused) as problem:
        if not kind.expected:
            raise _refused(where, *problem.args) from None
        raise _refused(where, f"must be {kind.expected}, not {value!r}") from None


def _text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError
    return value


def _section(value: str) -> str:
    if "]" in value:
        raise ValueError
    return _text(value)


def _proxy(value: Any) -> str:
    problem = proxy_problem(value) if isinstance(value, str) else ("must be a text", SUPPORTED)
    if problem is not None:
        raise ValueError(*problem)
    return str(value)


def _durations(found: list[timedelta]) -> tuple[timedelta, ...]:
    return tuple(sorted(set(found), reverse=True))


_DAY, _TIME = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)", r"([01]\d|2[0-3]):[0-5]\d"
_HOURS = Annotated[str, Meta(pattern=rf"^({_DAY}(-{_DAY})? )?{_TIME}-{_TIME}\Z")]
_PANELS = ("auto", "light", "dark")
_AGENTS = ("allow", "ask", "never")
_A_TEXT = SettingType(str, "a printable text", _text)
_A_DURATION = SettingType(str, 'a duration such as "30m" or "4h"', parse_duration)
_DURATIONS = SettingType(list, 'a list such as ["30m", "10m"]', _durations, _A_DURATION)

KINDS: Mapping[str, SettingType] = {
    "bool": SettingType(bool, "true or false", choices=("true", "false")),
    "Panel": SettingType(Literal[_PANELS], '"auto", "light" or "dark"', choices=_PANELS),
    "Agents | None": SettingType(Literal[_AGENTS], '"allow", "ask" or "never"', choices=_AGENTS),
    "Delivery": SettingType(Delivery, '"file", "process" or "endpoint"', choices=tuple(Delivery)),
    "str | None": _A_TEXT,
    "Section | None": SettingType(str, "a printable text without ']'", _section),
    "Region | None": SettingType(str, 'a region such as "eu-central-1"', check_region),
    "WorkingDay | None": SettingType(_HOURS, 'hours such as "09:00-17:30" or "Mon-Fri 09:00-17:30"'),
    "ProxyAddress | None": SettingType(Any, "", _proxy),  # it may hold a password
    "timedelta | None": _A_DURATION,
    "tuple[timedelta, ...]": _DURATIONS,
    "tuple[timedelta, ...] | None": _DURATIONS,
    "tuple[str, ...]": SettingType(
        list, 'a list of words such as ["billing"]', lambda found: tuple(dict.fromkeys(found)), _A_TEXT
    ),
}
"""By the type of a field as written in its class; tables of tables are none."""


# One setting by its path: what it may hold, as words a person types, and as TOML writes it. Pure.
#
# Knows no file; which words a path is made of is read in cli/settings.


_WORDS_OF_BOOLEANS = {"true": True, "false": False}

Toml = str | bool | list[str]
"""All that a setting is in the file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as it is."""

    keys: Where
    value: Any
    """As the field holds it."""
    default: Any

    @property
    def changed(self) -> bool:
        """True when it is not the default."""
        return bool(self.value != self.default)


def names_of(kind: type) -> list[str]:
    """Return the names of one class's settings; the tables of tables are none."""
    return [name for name in types_of(kind) if kind is not Settings or name not in TABLES]


def kind_of(keys: Where) -> str:
    """Return the type of the setting at this path, as written in its class.

    Raises:
        SettingsInvalid: there is no such setting; the nearest name is offered.
    """
    head, *rest = keys
    if head not in TABLES:
        if head not in types_of(Settings) or rest:
            raise unknown(Settings, (head,)) if not rest else _no_table(keys)
        return types_of(Settings)[head]
    if len(rest) != 2:  # noqa: PLR2004 -- a name and a setting
        names = ", ".join(names_of(TABLES[head])[:3])
        raise SettingsInvalid(
            f"{dotted(keys)} is not one setting",
            hint=f"Name one: '{head}.NAME.SETTING', quoted when NAME has blanks; SETTING is {names}, ...",
        )
    kind = TABLES[head]
    if rest[1] not in types_of(kind):
        raise unknown(kind, keys)
    return types_of(kind)[rest[1]]


def _no_table(keys: Where) -> SettingsInvalid:
    return SettingsInvalid(f"{dotted(keys)} is not a setting.{did_you_mean(keys[0], TABLES)}")


def typed(keys: Where, words: tuple[str, ...]) -> Toml:
    """Return what the words of a person mean for this setting, as the file is to hold it.

    A list is several words, one word with commas, or a JSON list; anything else is one text.

    Raises:
        SettingsInvalid: no such setting, or not of the right kind.
    """
    kind = kind_of(keys)
    value: Toml = " ".join(words)
    if KINDS[kind].each is not None:
        value = _list(words)
    elif kind == "bool":
        value = _WORDS_OF_BOOLEANS.get(" ".join(words), " ".join(words))
    return as_toml(read_value(kind, value, keys))


def _list(words: tuple[str, ...]) -> list[str]:
    text = " ".join(words).strip()
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return found
    several = words if len(words) > 1 else text.split(",")
    return [word.strip(" ,") for word in several if word.strip(" ,")]


def as_toml(value: Any) -> Toml:
    """Return the value of a field, or one from the file, as the file holds it."""
    match value:
        case bool():
            return value
        case timedelta():
            return exact(value)
        case tuple() | list():
            return [str(as_toml(item)) for item in value]
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def literal(value: Any) -> str:
    """Return the value of a field as TOML writes it: ``["30m", "10m"]``."""
    return json.dumps(as_toml(value), ensure_ascii=False)  # for such values JSON and TOML agree


def entry_at(settings: Settings, keys: Where) -> Entry:
    """Return what is in effect at this path, whether the file says it or not.

    Raises:
        SettingsInvalid: there is no such setting.
    """
    kind_of(keys)
    if keys[0] not in TABLES:
        return Entry(keys, getattr(settings, keys[0]), getattr(Settings(), keys[0]))
    rest = Settings(**{name: getattr(settings, name) for name in names_of(Settings)})
    return Entry(keys, _in_table(settings, keys), _in_table(rest, keys))


def _in_table(settings: Settings, keys: Where) -> Any:
    """Return the value, and where it is not set what holds instead."""
    table, name, field = keys
    if (table, field) == ("sessions", "duration"):
        return settings.sign_in_length(name)
    if (table, field) == ("sessions", "warn_before"):
        return settings.warnings(name)
    if (table, field) == ("profiles", "section"):
        return settings.section(name)
    chosen = settings.session(name) if table == "sessions" else settings.profile(name)
    return getattr(chosen, field)


def entries(settings: Settings) -> Iterator[Entry]:
    """Yield every setting for all, and those of sessions and profiles that are not the default."""
    for name in names_of(Settings):
        yield entry_at(settings, (name,))
    for table in TABLES:
        for name, chosen in getattr(settings, table).items():
            for part in fields(chosen):
                entry = entry_at(settings, (table, name, part.name))
                if entry.changed:
                    yield entry
