"""What `credtray settings` shows: each setting with its value, and whether it is the default. Words only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from credtray.core.settings import Entry, as_toml, dotted, literal


def lines(entries: Iterable[Entry], path: Path, *, exists: bool) -> Iterator[str]:
    """Yield the list, one setting a line; what differs from the default says so."""
    found = tuple(entries)
    width = max(len(dotted(each.keys)) for each in found)
    yield f"File: {path}{'' if exists else ' (not created yet; all defaults)'}"
    yield ""
    for entry in found:
        note = f"   (default: {shown(entry.default)})" if entry.changed else ""
        yield f"{'*' if entry.changed else ' '} {dotted(entry.keys):{width}}  {shown(entry.value)}{note}"
    yield ""
    changed = sum(entry.changed for entry in found)
    yield (
        f"* differs from the default ({changed} of {len(found)})"
        if changed
        else "All settings have their default values."
    )
    yield "For one session or profile: credtray settings set profiles.NAME.tags billing weekly"


def shown(value: Any) -> str:
    """Return a value as a person would type it into the file."""
    return "not set" if value is None else literal(value)


def document(entries: Iterable[Entry], path: Path, *, exists: bool) -> dict[str, Any]:
    """Return the same for a program."""
    return {"file": str(path), "exists": exists, "settings": [entry_document(each) for each in entries]}


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return one setting for a program: its path in parts and in words, its value, its default."""
    return {
        "key": dotted(entry.keys),
        "keys": list(entry.keys),
        "value": plain(entry.value),
        "default": plain(entry.default),
        "changed": entry.changed,
    }


def plain(value: Any) -> Any:
    """Return the value as JSON holds it."""
    return None if value is None else as_toml(value)
