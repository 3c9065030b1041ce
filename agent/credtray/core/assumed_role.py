"""Whose role credentials are: from a caller's ARN, or from the header of the portal's profile block. Pure."""

from __future__ import annotations

import re

_ASSUMED = re.compile(
    r"arn:aws[a-z-]*:sts::(?P<account>[0-9]{12}):assumed-role/"
    r"(?:AWSReservedSSO_(?P<sso>[A-Za-z0-9_+=,.@-]{1,64})_[0-9a-f]{16}|(?P<other>[A-Za-z0-9_+=,.@-]{1,128}))/"
    r"(?P<session>[^\n]+)"
)
_PORTAL_BLOCK = re.compile(r"(?P<account>[0-9]{12})_(?P<role>[A-Za-z0-9_+=,.@-]{1,64})")


def account_and_role(arn: str) -> tuple[str | None, str | None, bool]:
    """Return the account, the role as people know it, and whether Identity Center issued it.

    Identity Center's roles are called ``AWSReservedSSO_<permission set>_<16 hex digits>`` (its user guide,
    "Referencing permission sets in resource policies"); only the permission set is a role's name in a
    profile. An ARN that is no session of a role gives None twice.
    """
    match = _ASSUMED.fullmatch(arn)
    if match is None:
        return None, None, False
    return match["account"], match["sso"] or match["other"], match["sso"] is not None


def person_of(arn: str) -> str | None:
    """Return the person of a session that Identity Center issued; None for any other ARN.

    Identity Center names the session of a role after the user who signed in (its user guide, "Logging and
    monitoring": ``.../AWSReservedSSO_<permission set>_<16 hex digits>/<user name>``).
    """
    match = _ASSUMED.fullmatch(arn)
    return match["session"] if match is not None and match["sso"] is not None else None


def portal_block(header: str) -> tuple[str | None, str | None]:
    """Return account and role of ``111122223333_AdministratorAccess``; None twice for any other header."""
    match = _PORTAL_BLOCK.fullmatch(header)
    return (None, None) if match is None else (match["account"], match["role"])
