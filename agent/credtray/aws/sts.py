"""AssumeRole for chained profiles.

Must not choose which roles are assumed; the profile says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.replies import Key
from credtray.aws.service_call import ServiceRefused, attempt
from credtray.aws.sts_refusals import check_assumed, of_assume_role
from credtray.core.addresses import shown
from credtray.core.errors import IncompleteProfile, UnexpectedReply
from credtray.core.models import AssumedRole, Endpoints, RoleCredentials
from credtray.core.ports import Issued
from credtray.core.secret import Secret


class _Keys(msgspec.Struct, rename="pascal"):
    access_key_id: Key
    secret_access_key: Key
    session_token: Key
    expiration: datetime


class _User(msgspec.Struct, rename="pascal"):
    arn: Annotated[str, Meta(max_length=2048)]


class _AssumeRole(msgspec.Struct, rename="pascal"):
    credentials: _Keys
    assumed_role_user: _User


_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/(?:[!-~]*/)?([A-Za-z0-9_+=,.@-]{1,64})")


class RoleAssumer:
    """Assumes one role with the keys of another; safe to use from several threads at once."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def assume(
        self,
        role: AssumedRole,
        keys: RoleCredentials,
        region: str,
        endpoints: Endpoints,
        now: Callable[[], datetime],
    ) -> Issued[RoleCredentials]:
        """Return the role's keys; ``expires_at`` is the service's instant, not yet corrected for our clock.

        Raises:
            AssumeRoleRefused: the role may not be assumed.
            ProfileRefused: a setting of the profile is the reason; it is named.
            UnexpectedReply: the answer is about another role.
            IncompleteProfile: role_arn is not the ARN of a role.
        """
        expected = _assumed(role.role_arn)
        check_assumed(role)
        fetched_at = now()
        arguments: dict[str, object] = {
            "RoleArn": role.role_arn,
            # botocore 1.44 names an unnamed session after the time as well; nothing of the user is in it.
            "RoleSessionName": role.role_session_name or f"credtray-{int(fetched_at.timestamp())}",
        }
        if role.external_id is not None:
            arguments["ExternalId"] = role.external_id
        if role.duration_seconds is not None:
            arguments["DurationSeconds"] = role.duration_seconds
        operation = self._clients.sts(keys, region, endpoints).assume_role
        try:
            issued = attempt(Service.STS, operation, arguments, _AssumeRole, now)
        except ServiceRefused as refused:
            raise of_assume_role(refused, role, region) from None
        told = issued.value
        if not told.assumed_role_user.arn.startswith(expected):
            raise UnexpectedReply("AssumeRole: it is about another role")
        return Issued(_role_credentials(told.credentials, fetched_at), issued.clock_error)


def _role_credentials(keys: _Keys, fetched_at: datetime) -> RoleCredentials:
    return RoleCredentials(
        keys.access_key_id,
        Secret(keys.secret_access_key),
        Secret(keys.session_token),
        keys.expiration.astimezone(UTC),
        fetched_at,
    )


def _assumed(role_arn: str) -> str:
    """Return how the ARN of a session of this role begins."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise IncompleteProfile(f"role_arn {shown(role_arn)} is not the ARN of a role")
    partition, account, name = match.groups()
    return f"arn:{partition}:sts::{account}:assumed-role/{name}/"
