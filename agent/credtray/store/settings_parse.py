"""Reads the text of settings.toml, and finds the line of what is wrong with it. Opens no file."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from credtray.core.errors import SettingsInvalid
from credtray.core.settings import Settings, Where, from_mapping

BOM = "\ufeff"
"""Some editors on Windows begin a file with it; TOML knows it not."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def lines_of(text: str) -> list[str]:
    """Return the lines with their ends, as TOML counts them."""
    return _LINE.findall(text)


_AT_END = "(at end of document)"
"""What tomllib says of a list or text that is not closed."""


def mapping(text: str) -> dict[str, Any]:
    """Return what the text says.

    Raises:
        SettingsInvalid: it is not TOML; the line is named.
    """
    try:
        return tomllib.loads(text.removeprefix(BOM))
    except tomllib.TOMLDecodeError as error:
        last = text.count("\n") + 1
        raise SettingsInvalid(str(error).replace(_AT_END, f"(at line {last}, the end of the file)")) from None
    except RecursionError:
        raise SettingsInvalid("it is nested too deeply") from None


def settings_of(text: str) -> Settings:
    """Return the settings.

    Raises:
        SettingsInvalid: not TOML, an unknown setting, a value of the wrong kind; the line is named.
    """
    data = mapping(text)
    try:
        return from_mapping(data)
    except SettingsInvalid as error:
        line = line_of(text, error.keys)
        if line is None:
            raise
        raise SettingsInvalid(f"{error.detail} (at line {line})", hint=error.advice) from None


def line_of(text: str, keys: Where) -> int | None:
    """Return the number of the (first) line that sets this, None when nothing does."""
    found = lines_setting(text, keys)
    return found.start + 1 if found else None


def lines_setting(text: str, keys: Where) -> range:
    """Return the places of the lines that set this, counted from 0; empty when nothing does.

    The text is TOML as a whole; the last line sought is that of the shortest beginning that has the value.
    """
    lines = lines_of(text.removeprefix(BOM))
    if not keys or not _has(_parsed(lines, len(lines)), keys):
        return range(0)
    low, high = 0, len(lines)
    while high - low > 1:  # the first `low` lines do not have it, the first `high` do
        middle = (low + high) // 2
        if _has(_parsed(lines, middle), keys):
            high = middle
        else:
            low = middle
    while low > 0 and _whole(lines[:low]) is None:  # a value over several lines begins further up
        low -= 1
    return range(low, high)


def _parsed(lines: list[str], count: int) -> dict[str, Any]:
    """Return what the longest whole beginning of at most so many lines says."""
    while (found := _whole(lines[:count])) is None:
        count -= 1
    return found


def _whole(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _has(data: Any, keys: Where) -> bool:
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True
