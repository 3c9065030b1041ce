"""Durations as people write them: ``30m``, ``4h``, ``1h30m``. Knows nothing of clocks."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(
    r"(?:(?P<days>\d{1,4})d)?(?:(?P<hours>\d{1,5})h)?(?:(?P<minutes>\d{1,6})m)?(?:(?P<seconds>\d{1,7})s)?",
    re.ASCII,
)
_MINUTE = 60
_HOUR = 3600


def parse_duration(text: str) -> timedelta:
    """Read durations such as ``1h30m``; units d, h, m, s in that order.

    Raises:
        ValueError: the text is not of that form, or the duration is zero.
    """
    match = _FORM.fullmatch(text.strip())
    amounts = {unit: int(amount) for unit, amount in match.groupdict().items() if amount} if match else {}
    duration = timedelta(**amounts)
    if not duration:
        raise ValueError(f"{text!r} is not a duration such as 30m, 4h or 1h30m")
    return duration


def short(duration: timedelta) -> str:
    """Write a duration for a person, to the nearest minute: ``3 h 12 min``, ``9 min``, ``40 s``."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    hours, minutes = divmod((seconds + _MINUTE // 2) // _MINUTE, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def rough(duration: timedelta) -> str:
    """Write a duration that is a guess, to five minutes; below ten minutes as ``short`` does."""
    if duration < timedelta(minutes=10):
        return short(duration)
    return short(timedelta(minutes=5 * round(duration / timedelta(minutes=5))))


def exact(duration: timedelta) -> str:
    """Write a duration of whole seconds so that ``parse_duration`` reads it back: ``1h30m``."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, seconds in (("d", 24 * _HOUR), ("h", _HOUR), ("m", _MINUTE), ("s", 1)):
        amount, rest = divmod(rest, seconds)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts)
