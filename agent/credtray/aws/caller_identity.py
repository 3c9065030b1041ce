"""Asks STS whose keys these are: GetCallerIdentity, which nobody needs a permission for.

Must not keep the keys, and quotes nothing of a refusal but its code: its text may hold the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.replies import AccountId
from credtray.aws.service_call import ServiceRefused, attempt
from credtray.core.assumed_role import account_and_role, person_of
from credtray.core.errors import ClockOff, KeysRefused, PortalFailed, Throttled
from credtray.core.models import Endpoints, RoleCredentials


class _Identity(msgspec.Struct, rename="pascal"):
    account: AccountId
    arn: Annotated[str, Meta(max_length=2048)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom keys speak for."""

    account_id: str
    role_name: str | None
    """The permission set of an Identity Center role, or the role's own name; None: no role at all."""
    identity_center: bool
    """Whether Identity Center issued the role, so that a profile can sign in for it."""
    person: str | None = None
    """Who signed in at Identity Center; None where the keys are not of its roles."""


def caller_of(
    clients: Clients,
    keys: RoleCredentials,
    region: str,
    endpoints: Endpoints,
    now: Callable[[], datetime],
) -> Caller:
    """Return whose keys these are, as AWS says.

    Raises:
        KeysRefused: AWS does not take them: they have ended, are torn, or of another partition.
        ClockOff, Throttled, PortalFailed, Offline, CaptivePortal, CertificateRefused, UnexpectedReply: AWS
            could not be asked, so nobody can tell.
        RegionRefused: the region cannot be part of a host name.
    """
    operation = clients.sts(keys, region, endpoints).get_caller_identity
    try:
        told = attempt(Service.STS, operation, {}, _Identity, now).value
    except ServiceRefused as refused:
        if isinstance(refused.error, ClockOff | Throttled | PortalFailed):
            raise refused.error from None
        code = refused.refusal.code
        raise KeysRefused(f"STS answers {code if code.isascii() and code.isalnum() else 'no'}") from None
    _, role_name, identity_center = account_and_role(told.arn)
    return Caller(told.account, role_name, identity_center, person_of(told.arn))
