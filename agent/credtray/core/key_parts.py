"""The parts of a set of role credentials, by the names that shells, files and JSON give them. Pure."""

from __future__ import annotations

ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN = "access key ID", "secret access key", "session token"
SECURITY_TOKEN, REGION, EXPIRATION, ACCOUNT_ID, ROLE = (
    "security token",
    "region",
    "expiration",
    "account ID",
    "role",
)
"""The first is what boto 2 called the session token."""

_PARTS = {
    "accesskeyid": ACCESS_KEY_ID,
    "accesskey": ACCESS_KEY_ID,
    "secretaccesskey": SECRET_ACCESS_KEY,
    "secretkey": SECRET_ACCESS_KEY,
    "sessiontoken": SESSION_TOKEN,
    "token": SESSION_TOKEN,
    "securitytoken": SECURITY_TOKEN,
    "region": REGION,
    "defaultregion": REGION,
    "expiration": EXPIRATION,
    "credentialexpiration": EXPIRATION,
    "sessionexpiration": EXPIRATION,
    "xsecuritytokenexpires": EXPIRATION,
    "accountid": ACCOUNT_ID,
}
"""By name in lower case, without what separates words and without whose it is."""


def part_named(name: str) -> str | None:
    """Return the part that a variable, a key of a file or a field of JSON holds; None: no part of keys."""
    bare = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    return _PARTS.get(bare.removeprefix("tfvar").removeprefix("aws"))
