"""Instants as AWS's tools and their neighbours write them, read into aware UTC. Knows nothing of clocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from credtray.core.cache_format import read_date

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
