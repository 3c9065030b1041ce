"""What an organisation sets for everybody who uses a computer: what of it can be used, and what it changes.

Pure: takes what was read (see ``organisation``) and a person's own settings. A mistake costs the setting it
is in and no other one: for that the person's own value counts, or the default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from credtray.core.errors import SettingLocked, SettingsInvalid
from credtray.core.settings import (
    KINDS,
    TABLES,
    Settings,
    Where,
    dotted,
    kind_of,
    literal,
    read_value,
    types_of,
)
from credtray.core.words import plain

_LONGEST_TEXT = 300
_MOST_MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Lock:
    """One setting that the organisation has taken over."""

    value: Any
    """As the field holds it."""
    place: str
    """Where it is written, as a person would name it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one place was found to say."""

    place: str
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """As the settings file would hold it."""
    mistakes: tuple[str, ...] = ()
    """Why there is not more of it."""


@dataclass(frozen=True, slots=True)
class Locked:
    """All that the organisation sets."""

    locks: Mapping[Where, Lock] = field(default_factory=lambda: MappingProxyType({}))
    places: tuple[str, ...] = ()
    """Where something is written, the one that counts most first; empty: nothing is set."""
    mistakes: tuple[str, ...] = ()
    """What cannot be used, each with its place."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the settings, as a person would name them."""
        return tuple(plain(dotted(keys)) for keys in self.locks)

    def lock_of(self, keys: Where) -> Lock | None:
        """Return what decides about this setting in a person's place; None: the person does.

        A setting for all that is locked is so for each session and profile as well, or it would lock nothing.
        """
        return self.locks.get(keys) or self.locks.get((keys[-1],))

    def check(self, keys: Where) -> None:
        """Refuse to change a setting that is locked.

        Raises:
            SettingLocked: it is.
        """
        lock = self.lock_of(keys)
        if lock is not None:
            # The address of a proxy may hold a password.
            what = "" if keys[-1] == "proxy" else f" to {plain(literal(lock.value))}"
            raise SettingLocked(f"{plain(dotted(keys))} is set{what} in {lock.place}")

    def check_change(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Refuse a text of settings that differs from another one in what is locked.

        Raises:
            SettingLocked: it does.
        """
        if self.locks:
            old, new = dict(_leaves(before)), dict(_leaves(after))
            for keys in chain(old, new):
                if old.get(keys) != new.get(keys):
                    self.check(keys)

    def over(self, settings: Settings) -> Settings:
        """Return a person's settings with what is locked in its place."""
        if not self.locks:
            return settings
        values = {name: getattr(settings, name) for name in types_of(Settings)}
        for name in TABLES:
            values[name] = {key: self._freed(name, each) for key, each in values[name].items()}
        for keys, lock in self.locks.items():
            if len(keys) == 1:
                values[keys[0]] = lock.value
            else:
                table, name, setting = keys
                one = values[table].get(name) or TABLES[table]()
                values[table][name] = replace(one, **{setting: lock.value})
        return Settings(**values | {name: MappingProxyType(values[name]) for name in TABLES})

    def _freed(self, table: str, own: Any) -> Any:
        """Return what a person set for one session or profile, without what is locked for all of them.

        A stricter rule for coding agents stays: it takes nothing from what the organisation wants.
        """
        kind = TABLES[table]
        for_all = {name for name in types_of(kind) if (name,) in self.locks}
        if "agents" in for_all and own.agents is not None:
            order = KINDS["Agents | None"].choices
            if order.index(own.agents) > order.index(self.locks[("agents",)].value):
                for_all.remove("agents")
        return replace(own, **{name: getattr(kind(), name) for name in for_all})


def understood(found: Iterable[Said]) -> Locked:
    """Return what holds of all that is said; of two places that set the same, the first counts."""
    locks: dict[Where, Lock] = {}
    mistakes: list[str] = []
    places = []
    for said in found:
        places.append(said.place)
        own = {}
        told = list(said.mistakes)
        for keys, value in _leaves(said.data):
            try:
                own[keys] = Lock(read_value(kind_of(keys), value, keys), said.place)
            except SettingsInvalid as error:
                told.append(error.detail)
        locks = own | locks
        mistakes += [f"{said.place}: {plain(each, _LONGEST_TEXT)}" for each in told]
    while (contradiction := next(_contradictions(locks), None)) is not None:
        keys, text = contradiction
        mistakes.append(f"{locks.pop(keys).place}: {plain(dotted(keys))} {text}")
    return Locked(MappingProxyType(locks), tuple(places), tuple(mistakes[:_MOST_MISTAKES]))


def _leaves(data: Mapping[str, Any]) -> Iterator[tuple[Where, Any]]:
    """Yield each setting; what should be a table and is none is yielded as it is, to be refused."""
    for name, value in data.items():
        if name not in TABLES or not isinstance(value, Mapping):
            yield (name,), value
            continue
        for key, each in value.items():
            if isinstance(each, Mapping):
                yield from (((name, key, setting), item) for setting, item in each.items())
            else:
                yield (name, key), each


def _contradictions(locks: Mapping[Where, Lock]) -> Iterator[tuple[Where, str]]:
    """Yield each lock that another one makes senseless, and why."""
    writers: dict[str, Where] = {}
    for keys, lock in locks.items():
        match keys:
            case ("sessions", name, "duration"):
                own = ("sessions", name, "warn_before")
                warned_by = own if own in locks else ("warn_before",)
                warn = locks.get(warned_by)
                if warn is not None and any(each >= lock.value for each in warn.value):
                    wrong, other = (own, keys) if warned_by == own else (keys, warned_by)
                    yield wrong, f"{_against(other, locks)}: it would warn before the sign-in begins"
            case ("profiles", _, "section"):
                first = writers.setdefault(lock.value, keys)
                if first != keys:
                    yield keys, f"{_against(first, locks)}: two profiles cannot share a section"


def _against(keys: Where, locks: Mapping[Where, Lock]) -> str:
    return f"contradicts {plain(dotted(keys))}, which is {plain(literal(locks[keys].value))}"
