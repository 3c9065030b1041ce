"""Instants as AWS's tools write them, read into aware UTC. Knows nothing of clocks."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_instant(written: str) -> datetime | None:
    """Return the instant, or None where the text names none for certain (no time zone, no such day).

    ISO 8601, also as yawsso writes it (``2026-11-22T21:00:00+00:00+0000``), or milliseconds since 1970 as
    GetRoleCredentials answers.
    """
    text = written.strip()
    try:
        if text.isascii() and text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text.removesuffix("+0000") if text.endswith("+00:00+0000") else text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None
