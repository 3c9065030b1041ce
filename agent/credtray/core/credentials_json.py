"""Reads the JSON in which AWS's own tools print role credentials, in terms of ``portal_text``. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from credtray.core.assumed_role import account_and_role
from credtray.core.errors import PasteRefused

_FIELDS = {
    "accesskeyid": "access key ID",
    "secretaccesskey": "secret access key",
    "sessiontoken": "session token",
    "token": "session token",
    "expiration": "expiration",
    "accountid": "account ID",
    "awsaccesskeyid": "access key ID",
    "awssecretaccesskey": "secret access key",
    "awssessiontoken": "session token",
    "awscredentialexpiration": "expiration",
    "awsregion": "region",
    "awsdefaultregion": "region",
}
"""By name in lower case without underscores."""


def json_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield (part, value) of ``export-credentials``, STS's ``Credentials``, ``roleCredentials`` or variables.

    Several objects may follow each other.

    Raises:
        PasteRefused: they are no whole JSON objects.
    """
    decoder, left = json.JSONDecoder(), text.strip()
    while left:
        try:
            document, end = decoder.raw_decode(left)
        except (ValueError, RecursionError):
            raise PasteRefused("it begins like JSON and is none, or not whole") from None
        yield from _of_document(document) if isinstance(document, dict) else ()
        left = left[end:].strip()


def _of_document(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for inner in (document, document.get("Credentials"), document.get("roleCredentials")):
        yield from _fields(inner) if isinstance(inner, dict) else ()
    user = document.get("AssumedRoleUser")
    arn = user.get("Arn") if isinstance(user, dict) else None
    if isinstance(arn, str):
        account_id, role_name, _ = account_and_role(arn)
        yield from (("account ID", account_id or ""), ("role", role_name or ""))


def _fields(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        part = _FIELDS.get(name.lower().replace("_", ""))
        number = isinstance(value, int) and not isinstance(value, bool)
        if part is not None and (isinstance(value, str) or number):
            yield part, str(value)
