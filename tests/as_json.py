"""Results of requests as a program reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from credtray.core.protocol import Done, Reply


def as_json(value: object) -> Any:
    """Return a struct of the protocol as JSON values."""
    return json.loads(msgspec.json.encode(value))


def result(reply: Reply) -> Any:
    """Return the result of a reply as JSON values."""
    assert isinstance(reply, Done)
    return as_json(reply.result)


def iso(instant: datetime) -> str:
    """Write an instant as replies do."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
