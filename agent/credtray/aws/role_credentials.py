"""Fetches role credentials: GetRoleCredentials, then AssumeRole for each step of a chained profile.

Must not keep keys, nor decide when they are due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from credtray.aws import replies
from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.pacing import TokenBucket
from credtray.aws.service_call import call
from credtray.aws.sts import RoleAssumer
from credtray.core.errors import UnexpectedReply
from credtray.core.models import AccessToken, Profile, RoleCredentials, SsoSession
from credtray.core.ports import Clock, Issued
from credtray.core.secret import Secret

FETCHES_PER_SECOND = 20.0
FETCH_BURST = 20

_LONGEST_LIFE = timedelta(seconds=replies.LONGEST_KEY_LIFE)
_BELIEVED_CLOCK_ERROR = timedelta(seconds=5)
"""Below this the difference is the coarseness of HTTP dates and the way of the answer."""

_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")


class BotocoreRoleCredentials:
    """Implements ``ports.RoleCredentialsSource``; safe to use from several threads at once."""

    def __init__(self, clients: Clients, clock: Clock, bucket: TokenBucket | None = None) -> None:
        self._clients = clients
        self._assumer = RoleAssumer(clients)
        self._bucket = bucket or TokenBucket(FETCHES_PER_SECOND, FETCH_BURST, clock)

    def fetch(
        self, session: SsoSession, token: AccessToken, profile: Profile, now: Callable[[], datetime]
    ) -> Issued[RoleCredentials]:
        """Fetch fresh role credentials; the expiry is corrected by what the answer tells of our clock.

        Raises:
            PortalUnauthorized: the access token is not accepted (401).
            RoleRefused: no such account or role for this person, or a chained role may not be assumed.
            ClockOff: refused, and our clock is more than five minutes off.
            Throttled, PortalFailed, Offline, CaptivePortal, CertificateRefused, UnexpectedReply: as named.
        """
        self._bucket.take()
        endpoints = profile.endpoints_in(session)  # those of the sign-in are shared
        issued = self._of_portal(replace(session, endpoints=endpoints), token, profile, now)
        for role in profile.chain:
            region = profile.region or _signing_region(session)
            issued = self._assumer.assume(role, issued.value, region, endpoints, now)
        return Issued(_believed(issued), issued.clock_error)

    def _of_portal(
        self, session: SsoSession, token: AccessToken, profile: Profile, now: Callable[[], datetime]
    ) -> Issued[RoleCredentials]:
        fetched_at = now()
        arguments = {
            "accountId": profile.account_id,
            "roleName": profile.role_name,
            "accessToken": token.value,
        }
        operation = self._clients.portal(session).get_role_credentials
        issued = call(Service.PORTAL, operation, arguments, replies.GetRoleCredentials, now)
        told = issued.value.role_credentials
        return Issued(
            RoleCredentials(
                told.access_key_id,
                Secret(told.secret_access_key),
                Secret(told.session_token),
                datetime.fromtimestamp(min(told.expiration / 1000, replies.LATEST_EPOCH), UTC),
                fetched_at,
            ),
            issued.clock_error,
        )


def _believed(issued: Issued[RoleCredentials]) -> RoleCredentials:
    """Return the keys with their expiry in this computer's time, which is not later than any can be.

    Raises:
        UnexpectedReply: they have expired already.
    """
    keys = issued.value
    off = issued.clock_error
    if off is not None and abs(off) > _BELIEVED_CLOCK_ERROR:
        keys = replace(keys, expires_at=keys.expires_at - off)
    if keys.life <= timedelta():
        raise UnexpectedReply("role credentials that have expired already")
    return replace(keys, expires_at=min(keys.expires_at, keys.fetched_at + _LONGEST_LIFE))


def _signing_region(session: SsoSession) -> str:
    """us-east-1 serves STS for a profile without region, except in partitions of their own."""
    return session.region if session.region.startswith(_OTHER_PARTITIONS) else "us-east-1"
