"""Reads the JSON in which AWS's own tools print role credentials, in terms of ``portal_text``. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agent.core.assumed_role import account_and_role
from agent.core.errors import PasteRefused

_FIELDS = {
    "accesskeyid": "access key ID",
    "secretaccesskey": "secret access key",
    "sessiontoken": "session token",
    "token": "session token",
    "expiration": "expiration",
    "accountid": "account ID",
}


def json_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield (part, value) of ``export-credentials``, STS's ``Credentials`` or ``roleCredentials``.

    Raises:
        PasteRefused: it is no whole JSON object.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise PasteRefused("it begins like JSON and is none, or not whole") from None
    if not isinstance(document, dict):
        raise PasteRefused("it is JSON, and no object")
    for inner in (document, document.get("Credentials"), document.get("roleCredentials")):
        yield from _fields(inner) if isinstance(inner, dict) else ()
    user = document.get("AssumedRoleUser")
    arn = user.get("Arn") if isinstance(user, dict) else None
    if isinstance(arn, str):
        account_id, role_name, _ = account_and_role(arn)
        yield from (("account ID", account_id or ""), ("role", role_name or ""))


def _fields(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        part = _FIELDS.get(name.lower())
        number = isinstance(value, int) and not isinstance(value, bool)
        if part is not None and (isinstance(value, str) or number):
            yield part, str(value)
