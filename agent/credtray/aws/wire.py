"""One HTTP exchange as values: its limits, the request, the whole reply.

Must not send anything, nor import a network library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take; seconds and bytes."""

    connect: float = 5.0
    read: float = 10.0
    """Longest silence."""
    total: float = 30.0
    """From the first name look-up to the last byte, however slowly they trickle."""
    body: int = 1 << 20


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request; without repr, headers and body hold tokens."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """One whole answer; without repr, the body may hold keys."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    proxy: str | None = None
    """The proxy it came through, for texts: without its login."""

    @property
    def is_web_page(self) -> bool:
        """True for HTML, which none of the services ever sends."""
        if "html" in self.headers.get("content-type", "").lower():
            return True
        start = self.body[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        return start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<script"))
