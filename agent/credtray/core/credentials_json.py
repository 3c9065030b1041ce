"""Reads the JSON in which AWS's own tools print role credentials, in terms of ``key_parts``. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from credtray.core.errors import PasteRefused
from credtray.core.models import account_and_role
from credtray.core.shells import ACCOUNT_ID, ROLE, part_named

_DEEPEST = 12
"""Levels of a document that are looked into; a task definition of ECS has four."""


def json_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield (part, value) of ``export-credentials``, STS's ``Credentials``, ``roleCredentials`` or variables.

    Several objects may follow each other; what follows the last one is not looked at.

    Raises:
        PasteRefused: they are no whole JSON objects.
    """
    decoder, left = json.JSONDecoder(), text.strip()
    while left.startswith("{"):
        try:
            document, end = decoder.raw_decode(left)
        except (ValueError, RecursionError):
            raise PasteRefused("it begins like JSON and is none, or not whole") from None
        yield from _fields(document, _DEEPEST)
        left = left[end:].strip()


def after_json(text: str) -> str:
    """Return what follows the last of the JSON objects that ``json_fields`` has read."""
    decoder, left = json.JSONDecoder(), text.strip()
    while left.startswith("{"):
        left = left[decoder.raw_decode(left)[1] :].strip()
    return left


def _fields(document: Any, depth: int) -> Iterator[tuple[str, str]]:
    if depth and isinstance(document, dict):
        for name, value in _named(document).items():
            part = part_named(name)
            number = isinstance(value, int) and not isinstance(value, bool)
            if part is not None and (isinstance(value, str) or number):
                yield part, str(value)
        yield from _assumed(document.get("AssumedRoleUser"))
        for inner in document.values():
            yield from _fields(inner, depth - 1)
    elif depth and isinstance(document, list):
        for inner in document:
            yield from _fields(inner, depth - 1)


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields, and what a pair of name and value says (environments of ECS, Kubernetes)."""
    name, value = document.get("name"), document.get("value")
    return {**document, name: value} if isinstance(name, str) and isinstance(value, str) else document


def _assumed(user: Any) -> Iterator[tuple[str, str]]:
    arn = user.get("Arn") if isinstance(user, dict) else None
    if isinstance(arn, str):
        account_id, role_name, _ = account_and_role(arn)
        yield from ((ACCOUNT_ID, account_id or ""), (ROLE, role_name or ""))
