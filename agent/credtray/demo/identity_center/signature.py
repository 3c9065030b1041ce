"""Checks AWS Signature Version 4, so that a wrong secret key is refused as STS refuses it.

The age of a signature is not checked: the demo's clock runs faster than its clients' clocks.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import quote, unquote, urlsplit

from credtray.demo.identity_center.exchange import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+),\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


def signing_key_id(request: Request) -> str:
    """Return the access key id that signed *request*, or an empty text."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return match["key"] if match else ""


def is_signed_with(request: Request, secret_access_key: str) -> bool:
    """Return whether the Authorization header was made with *secret_access_key*."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        return False
    scope = match["scope"]
    canonical = hashlib.sha256(_canonical(request, match["headers"].split(";")).encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", request.headers.get("x-amz-date", ""), scope, canonical])
    key = b"AWS4" + secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return hmac.compare_digest(expected, match["signature"])


def _canonical(request: Request, signed: list[str]) -> str:
    """Return the canonical request (AWS General Reference, "Create a signed AWS API request")."""
    parts = urlsplit(request.target)
    query = sorted(
        "=".join(quote(unquote(half), safe="-_.~") for half in (*pair.split("=", 1), "")[:2])
        for pair in parts.query.split("&")
        if pair
    )
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed]
    return "\n".join(
        [
            request.method,
            quote(unquote(parts.path) or "/", safe="/-_.~"),
            "&".join(query),
            *headers,
            "",
            ";".join(signed),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
