"""AssumeRole for chained profiles.

Must not choose which roles are assumed; the profile says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta

from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.service_call import Key, ServiceRefused, attempt
from credtray.core.addresses import shown
from credtray.core.errors import (
    AssumeRoleRefused,
    CredtrayError,
    IncompleteProfile,
    ProfileRefused,
    UnexpectedReply,
)
from credtray.core.models import AssumedRole, Endpoints, RoleCredentials, Secret
from credtray.core.ports import Issued

# Why AWS STS does not let a chained profile assume its role, with the setting that is the reason.
#
# Must not send anything. AWS's messages are looked at for known causes only; they are quoted, never
# believed.


SHORTEST = 900
CHAINED = 3600
"""Seconds; STS API reference, AssumeRole: role chaining is limited to one hour, and a chained profile always
assumes its role with the keys of another role."""

_SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
"""STS API reference, AssumeRole: RoleSessionName and ExternalId."""


def check_assumed(role: AssumedRole) -> None:
    """Refuse what AWS would refuse without looking at the role.

    Raises:
        ProfileRefused: a setting is not of the form that AWS demands.
    """
    name = role.role_session_name
    if name is not None and not _SESSION_NAME.fullmatch(name):
        raise ProfileRefused(
            f"role_session_name is {shown(name)}",
            hint="Use 2 to 64 letters, digits and _+=,.@- for role_session_name, or remove it.",
        )
    if role.external_id is not None and not _EXTERNAL_ID.fullmatch(role.external_id):
        raise ProfileRefused(
            "external_id has a character or length that AWS does not accept",
            hint="Copy external_id again from the role's owner: 2 to 1224 letters, digits and _+=,.@:/-",
        )
    if role.duration_seconds is not None and role.duration_seconds < SHORTEST:
        raise ProfileRefused(
            f"duration_seconds is {role.duration_seconds}, the minimum is {SHORTEST} (15 minutes)",
            hint=f"Set duration_seconds = {SHORTEST} or more, or remove it.",
        )


def of_assume_role(refused: ServiceRefused, role: AssumedRole, region: str) -> CredtrayError:
    """Return the true cause of a refused AssumeRole, as far as AWS tells it."""
    told = refused.refusal
    about_duration = told.code == "ValidationError" and "duration" in told.message.lower()
    if role.duration_seconds is not None and about_duration:
        return _too_long(role.duration_seconds, told.message)
    make = _BY_CODE.get(told.code)
    if make is None or not isinstance(refused.error, AssumeRoleRefused):
        return refused.error  # among them a clock that is off, which STS refuses with many codes
    return make(_Attempt(role, region, told.message, refused.error.detail))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One AssumeRole that AWS refused."""

    role: AssumedRole
    region: str
    message: str
    """All that AWS said."""
    detail: str
    """That, short and printable."""

    @property
    def arn(self) -> str:
        return shown(self.role.role_arn)


def _too_long(seconds: int, message: str) -> CredtrayError:
    if "MaxSessionDuration" in message:
        return ProfileRefused(
            f"duration_seconds is {seconds}, more than the role allows (its MaxSessionDuration)",
            hint="Set a lower duration_seconds, or remove it.",
        )
    return ProfileRefused(
        f"duration_seconds is {seconds}; AWS gives {CHAINED} (1 hour) at most to a role that is assumed by "
        "another role (role chaining)",
        hint=f"Set duration_seconds = {CHAINED}, or remove it.",
    )


def _denied(made: _Attempt) -> CredtrayError:
    if "explicit deny" in made.message:
        why, hint = "a policy denies it", "Ask your administrator: a denial overrides every permission."
    elif "no identity-based policy" in made.message:
        why = "your first role has no permission for it"
        hint = "Ask your administrator for sts:AssumeRole on that role in your permission set."
    else:
        other = "a different external_id" if made.role.external_id else "an external_id"
        why = f"its trust policy does not name your role, or asks for {other} or an MFA code"
        hint = "Compare role_arn and external_id with the owner's, or ask the owner to add your role."
    return AssumeRoleRefused(f"{made.arn}: {why} ({made.detail})", hint=hint)


def _region_disabled(made: _Attempt) -> CredtrayError:
    return ProfileRefused(
        f"region is {made.region}, where STS is turned off for this account ({made.detail})",
        hint="Set a region where STS is on, such as region = us-east-1, or ask your administrator.",
    )


def _keys_unknown(made: _Attempt) -> CredtrayError:
    return AssumeRoleRefused(
        f"{made.arn}: STS in {made.region} does not know the keys of the role before it ({made.detail})",
        hint="If that region has to be enabled first, set region = us-east-1 for the profile.",
    )


def _keys_ended(made: _Attempt) -> CredtrayError:
    return AssumeRoleRefused(
        f"{made.arn}: the keys of the role before it had ended ({made.detail})",
        hint="credtray tries again with new keys. If this continues, check this computer's clock.",
    )


def _policy(made: _Attempt) -> CredtrayError:
    return AssumeRoleRefused(
        f"{made.arn}: AWS refuses the session's policies or tags ({made.detail})",
        hint="credtray sends none: ask your administrator about the attributes Identity Center passes on.",
    )


_BY_CODE: Mapping[str, Callable[[_Attempt], CredtrayError]] = MappingProxyType(
    {
        "AccessDenied": _denied,
        "AccessDeniedException": _denied,
        "RegionDisabledException": _region_disabled,
        "InvalidClientTokenId": _keys_unknown,
        "UnrecognizedClientException": _keys_unknown,
        "ExpiredToken": _keys_ended,
        "ExpiredTokenException": _keys_ended,
        "MalformedPolicyDocument": _policy,
        "PackedPolicyTooLarge": _policy,
    }
)
"""STS API reference, AssumeRole and common errors."""


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
