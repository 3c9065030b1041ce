"""Durations as people write them: ``30m``, ``4h``, ``1h30m``. Knows nothing of clocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from credtray.core.cache_format import read_date

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


# Instants as AWS's tools and their neighbours write them, read into aware UTC. Knows nothing of clocks.


NOTED_ENDS = (
    "aws_session_expiration",
    "aws_credential_expiration",
    "x_security_token_expires",
    "aws_expiration",
)
"""Settings in which other tools note when the keys of a credentials file section end; no SDK reads them."""
_TWICE = "+00:00+0000"
"""yawsso writes the offset twice."""


def noted_end(settings: Mapping[str, str]) -> tuple[str, datetime] | None:
    """Return the first of ``NOTED_ENDS`` that holds a date (UTC where it names no zone), and that date."""
    for name in NOTED_ENDS:
        try:
            return name, read_date(_offset_once(settings.get(name, "").strip()))
        except ValueError:
            continue
    return None


def utc_instant(written: str) -> datetime | None:
    """Return the instant, or None where the text names none for certain (no time zone, no such day).

    ISO 8601, also as yawsso writes it (``2026-11-22T21:00:00+00:00+0000``), or milliseconds since 1970 as
    GetRoleCredentials answers.
    """
    text = written.strip()
    try:
        if text.isascii() and text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(_offset_once(text))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _offset_once(text: str) -> str:
    return text.removesuffix("+0000") if text.endswith(_TWICE) else text
