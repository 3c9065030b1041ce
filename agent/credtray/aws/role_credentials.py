"""Fetches role credentials: GetRoleCredentials, then AssumeRole for each step of a chained profile.

Must not keep keys, nor decide when they are due.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from credtray.aws import service_call
from credtray.aws.clients import Clients
from credtray.aws.error_table import Service
from credtray.aws.service_call import AccountId, Reply, Request, ServiceRefused, Token, attempt, call
from credtray.aws.sts import RoleAssumer
from credtray.core.errors import (
    CaptivePortal,
    ClockOff,
    ConsoleRefused,
    KeysRefused,
    Offline,
    PortalFailed,
    ProxyRefused,
    Throttled,
    UnexpectedReply,
)
from credtray.core.models import (
    AccessToken,
    Endpoints,
    Profile,
    RoleCredentials,
    Secret,
    SsoSession,
    account_and_role,
    person_of,
)
from credtray.core.ports import Clock, Issued
from credtray.core.protocol import ProcessCredentials
from credtray.core.shapes import from_json
from credtray.ways_out.aws_console import Console, sign_in_address, token_address

# Keeps calls to a service under a rate, and waits out its requests to slow down.
#
# Must not know what is called; time comes from the clock it is given.


T = TypeVar("T")

_ATTEMPTS = 8
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


class TokenBucket:
    """Lets ``burst`` calls through at once and ``rate`` per second after that; for any number of threads."""

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(burst)
        self._seen: datetime | None = None

    def take(self) -> None:
        """Wait until one more call is allowed.

        A caller reserves its place first and waits outside the lock, so callers are served in order.
        """
        with self._lock:
            now = self._clock.now()
            passed = now - self._seen if self._seen is not None else timedelta()
            # A clock set back gives nothing; one set forward fills the bucket, never more.
            self._left = min(self._left + max(passed.total_seconds(), 0.0) * self._rate, float(self._burst))
            self._seen = now
            self._left -= 1
            missing = -self._left
        if missing > 0:
            self._clock.wait(missing / self._rate)


class Pacer:
    """A token bucket that also backs off, with full jitter, when the service answers 429."""

    def __init__(self, bucket: TokenBucket, clock: Clock, jitter: Callable[[], float]) -> None:
        self._bucket = bucket
        self._clock = clock
        self._jitter = jitter
        """Returns a random number of [0, 1)."""

    def run(self, request: Callable[[], T]) -> T:
        """Make the request, again after each 429, at most eight times.

        Raises:
            Throttled: the service still asked to slow down at the last attempt.
        """
        for tried in range(_ATTEMPTS - 1):
            self._bucket.take()
            try:
                return request()
            except Throttled as throttled:
                self._clock.wait(self._pause(tried, throttled.retry_after))
        self._bucket.take()
        return request()

    def _pause(self, attempt: int, asked: float | None) -> float:
        jittered = self._jitter() * min(_FIRST_WAIT * 2.0**attempt, _LONGEST_WAIT)
        return min(asked, _LONGEST_WAIT) + jittered if asked is not None else jittered


FETCHES_PER_SECOND = 20.0
FETCH_BURST = 20

_LONGEST_LIFE = timedelta(seconds=service_call.LONGEST_KEY_LIFE)
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

    def person(
        self, session: SsoSession, profile: Profile, keys: RoleCredentials, now: Callable[[], datetime]
    ) -> str:
        """Return who signed in for these keys of the profile.

        Raises:
            UnexpectedReply: the answer names nobody: the keys are no role's of Identity Center.
            KeysRefused and other errors: what ``caller_of`` raises.
        """
        region = profile.region or _signing_region(session)
        caller = caller_of(self._clients, keys, region, profile.endpoints_in(session), now)
        if caller.person is None:
            raise UnexpectedReply("GetCallerIdentity: it names no person")
        return caller.person

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
        issued = call(Service.PORTAL, operation, arguments, service_call.GetRoleCredentials, now)
        told = issued.value.role_credentials
        return Issued(
            RoleCredentials(
                told.access_key_id,
                Secret(told.secret_access_key),
                Secret(told.session_token),
                datetime.fromtimestamp(min(told.expiration / 1000, service_call.LATEST_EPOCH), UTC),
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


# Asks STS whose keys these are: GetCallerIdentity, which nobody needs a permission for.
#
# Must not keep the keys, and quotes nothing of a refusal but its code: its text may hold the request.


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


# Asks the console's federation endpoint for a sign-in token, with the role credentials of a profile.
#
# Must not log, quote or keep an address: keys stand in the one asked, a token in the one returned. Source:
# AWS IAM user guide, "Enable custom identity broker access to the AWS console".


_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?/")
_BUSY = 429
_PROXY_LOGIN = 407
_KEYS_REFUSED = frozenset({400, 401, 403})


class _SignInToken(msgspec.Struct, rename="pascal"):
    signin_token: Token


def sign_in(
    console: Console, keys: ProcessCredentials, destination: str, send: Callable[[Request], Reply]
) -> Secret:
    """Return the address that signs a browser in as this role, for 15 minutes to open it.

    Raises:
        ConsoleRefused: the keys are not accepted, the endpoint has a problem, or it would be asked in clear.
        CaptivePortal, ProxyRefused, UnexpectedReply: somebody else answered.
        CertificateRefused: what ``Transport.send`` raises.
    """
    if not console.federation.startswith("https://") and not _LOOPBACK.match(console.federation):
        raise ConsoleRefused("its endpoint is not https, so the keys are not sent there")
    address = token_address(console, keys.access_key_id, keys.secret_access_key, keys.session_token)
    try:
        reply = send(Request("GET", address.reveal(), {"Accept": "application/json"}))
    except Offline as error:
        raise ConsoleRefused(
            f"{urlsplit(console.federation).netloc} cannot be reached: {error.detail}"
        ) from None
    return sign_in_address(console, destination, Secret(_token(reply)))


def _token(reply: Reply) -> str:
    status = reply.status
    if 300 <= status < 400 or status == 511:  # noqa: PLR2004 - redirects; Network Authentication Required
        raise CaptivePortal(f"it answered HTTP {status}")
    if status == _PROXY_LOGIN:
        raise ProxyRefused("it asks for a user name and password (HTTP 407)")
    if status in _KEYS_REFUSED:
        # The endpoint says no with a web page, so a page alone does not tell a stranger.
        raise ConsoleRefused(f"it does not accept the keys of this role (HTTP {status})")
    if status == _BUSY or status >= 500:  # noqa: PLR2004 - server errors
        raise ConsoleRefused(f"it has an internal problem (HTTP {status})", hint="Try again in a minute.")
    if reply.is_web_page:
        raise CaptivePortal(f"it answered HTTP {status} with a web page")
    try:
        return from_json(reply.body, _SignInToken).signin_token
    except (ValueError, RecursionError):
        raise UnexpectedReply("getSigninToken: no sign-in token in it") from None
