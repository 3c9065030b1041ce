"""One setting by its path: what it may hold, as words a person types, and as TOML writes it. Pure.

Knows no file; which words a path is made of is read in cli/settings/keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import Enum
from typing import Any

from credtray.core.durations import exact
from credtray.core.errors import SettingsInvalid
from credtray.core.nearest import did_you_mean
from credtray.core.settings import (
    KINDS,
    TABLES,
    Settings,
    Where,
    dotted,
    read_value,
    types_of,
    unknown,
)

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
