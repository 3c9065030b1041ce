"""How rules make findings out of kinds: the cure's places filled in, names made printable, sights joined.

Decides nothing about the facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from credtray.core.diagnosis.finding import Finding, Group, Kind, Severity, Sight
from credtray.core.durations import short
from credtray.core.settings import dotted
from credtray.core.words import argument, word

_GENERAL = MappingProxyType(
    {
        "header": "SESSION",
        "setting": "sessions.SESSION",
        "hint": "To see what exactly is wrong: credtray doctor",
    }
)


class _Places(dict[str, str]):
    """A place nobody filled in stays a word a person sees is to be replaced."""

    def __missing__(self, key: str) -> str:
        return _GENERAL.get(key, key.upper())


def found(
    kind: Kind,
    *seen: Sight,
    severity: Severity | None = None,
    profiles: Iterable[str] = (),
    session: str | None = None,
    fill: dict[str, str] | None = None,
) -> Finding:
    """Return a finding.

    The cure's ``{session}`` is the session's name as the last word of a command, ``{header}`` as in a header
    of the config file, ``{setting}`` its table in settings.toml; other places come from *fill*.
    """
    places = _Places(fill or {})
    if session is not None:
        places["session"] = argument(clean(session))
        places["header"] = word(clean(session)) if {" ", "\t"} & {*session} else clean(session)
        places["setting"] = word(dotted(("sessions", clean(session))))
    cure = kind.cure.format_map(places)
    return Finding(kind, severity or kind.severity, seen, cure, tuple(profiles), session)


def general_cure(kind: Kind) -> str:
    """Return the cure with its places as words in capitals, for a reference."""
    return kind.cure.format_map(_Places())


def clean(text: str) -> str:
    """Return foreign text with what cannot be printed replaced, at most 300 characters."""
    return "".join(char if char.isprintable() else "?" for char in text[:300])


def moment(instant: datetime, now: datetime) -> str:
    """Write an instant for a person: ``14:05 UTC, 2 h 3 min ago`` or ``in 40 min``."""
    form = "%H:%M UTC" if abs(instant - now).days < 1 else "%Y-%m-%d %H:%M UTC"
    distance = short(abs(instant - now))
    when = f"in {distance}" if instant > now else f"{distance} ago"
    return f"{instant.astimezone(UTC).strftime(form)}, {when}"


def joined(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings of the same kind, severity, cure and session; the worst first, then by group.

    Findings that differ in nothing but what was seen are one to a person.
    """
    together: dict[tuple[str, str, str, str | None], list[Finding]] = {}
    for item in findings:
        key = (item.code, item.severity, item.cure, item.session)
        together.setdefault(key, []).append(item)
    return tuple(sorted(map(_one, together.values()), key=_order))


def _one(same: list[Finding]) -> Finding:
    seen = dict.fromkeys(sight for item in same for sight in item.seen)
    profiles = dict.fromkeys(name for item in same for name in item.profiles)
    return replace(same[0], seen=tuple(seen), profiles=tuple(profiles))


def _order(item: Finding) -> tuple[int, int]:
    return item.severity.rank, list(Group).index(item.kind.group)
