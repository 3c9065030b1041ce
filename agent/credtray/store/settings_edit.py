"""Changes one value in the text of settings.toml; every comment and every other line stays as it is.

Writes no file. What comes out is read again: it says what the text said before, and the new value, and it has
every other line, byte for byte.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from credtray.core.errors import SettingsInvalid
from credtray.core.settings import Where, dotted
from credtray.core.settings_values import Toml, literal
from credtray.store.settings_parse import lines_of, lines_setting, mapping, settings_of

_HEADER = re.compile(r"[ \t#]*\[")
"""Of a table, also one that is commented out: whoever takes the # away must not swallow what follows."""


def edited(text: str, keys: Where, value: Toml | None) -> str:
    """Return the text with this value set, or with None taken out.

    Raises:
        SettingsInvalid: the text is broken already or would be with this value, or is written in a way
            that cannot be edited safely.
    """
    before = mapping(text)
    settings_of(text)
    wanted = _changed(before, keys, value)
    if wanted == before:
        return text
    for way in _ways(before, keys, value):
        after = _with_line_ends(text, way(text))
        if _says(after, wanted) and _only_touches(text, after, keys):
            settings_of(after)
            return after
    raise SettingsInvalid(f"{dotted(keys)} cannot be changed here without changing more", hint=_BY_HAND)


_BY_HAND = "Change it by hand: credtray settings edit"


def _changed(before: dict[str, Any], keys: Where, value: Toml | None) -> dict[str, Any]:
    after = copy.deepcopy(before)
    table = after
    for key in keys[:-1]:
        if value is None and key not in table:
            return after
        table = table.setdefault(key, {})
    if value is None:
        table.pop(keys[-1], None)
    else:
        table[keys[-1]] = value
    return after


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return mapping(text) == wanted
    except SettingsInvalid:
        return False


def _only_touches(before: str, after: str, keys: Where) -> bool:
    """Tell whether every line but those of the value is still there; a missing last line end may be added."""
    old, new = (lines_of(_with_line_ends(before, _ended(text))) for text in (before, after))
    own = lines_setting(before, keys) or lines_setting(before, keys[:-1])  # the latter: of an inline table
    if own and _HEADER.match(old[own.start]):
        own = range(0)
    above = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(old)
    )
    below = len(old) - above
    while below and old[-below:] != new[-below:]:
        below -= 1
    return set(range(above, len(old) - below)) <= set(own)


def _with_line_ends(before: str, after: str) -> str:
    """Return the text with the line ends of a file that has those of Windows throughout."""
    if "\r\n" in before and before.count("\n") == before.count("\r\n"):
        return re.sub(r"(?<!\r)\n", "\r\n", after)
    return after


def _ways(before: dict[str, Any], keys: Where, value: Toml | None) -> Iterator[Callable[[str], str]]:
    """Yield the ways to try: a line of its own for what is new, and the TOML library for all else."""
    if value is not None and len(keys) == 1 and keys[0] not in before:
        yield lambda text: _line_at_top(text, keys[0], value)
    if value is not None and len(keys) > 1 and keys[1] not in before.get(keys[0], {}):
        yield lambda text: _table_at_end(text, keys, value)
    yield lambda text: _by_library(text, keys, value)


def _line_at_top(text: str, key: str, value: Toml) -> str:
    """Put the line behind the commented one of the same setting, or at the end of the top level."""
    lines = lines_of(text)
    end = next((number for number, line in enumerate(lines) if _HEADER.match(line)), len(lines))
    commented = re.compile(rf"[ \t]*#[ \t]*{re.escape(key)}[ \t]*=")
    place = next((number + 1 for number, line in enumerate(lines[:end]) if commented.match(line)), end)
    while place == end and place > 0 and end < len(lines) and lines[place - 1].lstrip(" \t").startswith("#"):
        place = end = place - 1  # the comment above a table belongs to the table
    above = "".join(lines[:place])
    return f"{_ended(above)}{key} = {literal(value)}\n{''.join(lines[place:])}"


def _table_at_end(text: str, keys: Where, value: Toml) -> str:
    gap = "\n" if text.strip() else ""
    return f"{_ended(text)}{gap}[{dotted(keys[:-1])}]\n{keys[-1]} = {literal(value)}\n"


def _ended(text: str) -> str:
    return f"{text}\n" if text and not text.endswith("\n") else text


def _by_library(text: str, keys: Where, value: Toml | None) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        table: Any = document
        for key in keys[:-1]:
            table = table.setdefault(key, tomlkit.table())
        if value is None:
            table.pop(keys[-1], None)
        else:
            table[keys[-1]] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError, ValueError, KeyError, IndexError, RecursionError):
        return ""
