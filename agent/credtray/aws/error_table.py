"""Which error of ours each refusal of a service is: a table per service, then a table by status.

Must not raise or send anything itself; botocore's exceptions do not leave the calling module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from types import MappingProxyType

from credtray.aws.overrides import PROXY_HEADER, Override
from credtray.core.errors import (
    AssumeRoleRefused,
    ClockOff,
    CredtrayError,
    PortalFailed,
    PortalUnauthorized,
    ProfileRefused,
    RegionNotAuthorised,
    RegistrationRefused,
    RequestRefused,
    RoleRefused,
    SignInDenied,
    SignInTimedOut,
    Throttled,
    TokenRefused,
)

CLOCK_TOLERANCE = timedelta(minutes=5)
"""AWS signatures bear this much; a refusal beyond it is blamed on the clock."""

_LONGEST_RETRY_AFTER = 3600.0
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


class Service(Enum):
    """Who refused."""

    OIDC = "oidc"
    SIGN_IN = "sign_in"
    """The token service while somebody signs in: the same codes mean other things there."""
    PORTAL = "portal"
    STS = "sts"
    OTHER = "other"
    """Any service that is asked on behalf of one command only."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as the service told it."""

    service: Service
    status: int
    code: str
    message: str
    headers: Mapping[str, str]


_OIDC: Mapping[str, type[CredtrayError]] = MappingProxyType(
    {
        "InvalidGrantException": TokenRefused,
        "ExpiredTokenException": TokenRefused,
        "InvalidClientException": RegistrationRefused,
        "UnauthorizedClientException": RegistrationRefused,
        "AccessDeniedException": TokenRefused,
        "InvalidRequestRegionException": RegionNotAuthorised,
        "SlowDownException": Throttled,
    }
)
_SIGN_IN: Mapping[str, type[CredtrayError]] = MappingProxyType(
    {
        "InvalidGrantException": SignInDenied,
        "ExpiredTokenException": SignInTimedOut,
        "AccessDeniedException": SignInDenied,
        "InvalidClientException": RegistrationRefused,
        "UnauthorizedClientException": RegistrationRefused,
        "InvalidRequestRegionException": RegionNotAuthorised,
        "SlowDownException": Throttled,
    }
)
_PORTAL: Mapping[str, type[CredtrayError]] = MappingProxyType(
    {
        "UnauthorizedException": PortalUnauthorized,
        "ForbiddenException": RoleRefused,  # not in botocore's model, yet what a removed role gives
        "ResourceNotFoundException": RoleRefused,
        "TooManyRequestsException": Throttled,
    }
)
_STS: Mapping[str, type[CredtrayError]] = MappingProxyType(
    {
        "AccessDenied": AssumeRoleRefused,
        "AccessDeniedException": AssumeRoleRefused,
        "ValidationError": ProfileRefused,
        "RegionDisabledException": AssumeRoleRefused,
        "InvalidClientTokenId": AssumeRoleRefused,
        "UnrecognizedClientException": AssumeRoleRefused,
        "ExpiredToken": AssumeRoleRefused,
        "ExpiredTokenException": AssumeRoleRefused,
        "MalformedPolicyDocument": AssumeRoleRefused,
        "PackedPolicyTooLarge": AssumeRoleRefused,
        "Throttling": Throttled,
        "ThrottlingException": Throttled,
        "RequestLimitExceeded": Throttled,
    }
)
_OTHER: Mapping[str, type[CredtrayError]] = MappingProxyType(
    {"Throttling": Throttled, "ThrottlingException": Throttled}
)
_CODES = MappingProxyType(
    {
        Service.OIDC: _OIDC,
        Service.SIGN_IN: _SIGN_IN,
        Service.PORTAL: _PORTAL,
        Service.STS: _STS,
        Service.OTHER: _OTHER,
    }
)

_STATUSES: Mapping[tuple[Service, int], type[CredtrayError]] = MappingProxyType(
    {
        (Service.OIDC, 401): RegistrationRefused,
        (Service.SIGN_IN, 401): RegistrationRefused,
        (Service.PORTAL, 401): PortalUnauthorized,
        (Service.PORTAL, 403): RoleRefused,
        (Service.PORTAL, 404): RoleRefused,
        (Service.STS, 403): AssumeRoleRefused,
    }
)
"""For answers without a code that we know."""

_MAY_BE_THE_CLOCK = frozenset({PortalUnauthorized, RoleRefused, AssumeRoleRefused})
_CLOCK_CODES = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired"})


def error_for(refusal: Refusal, clock_error: timedelta | None, now: datetime) -> CredtrayError:
    """Return the error of ours; the message is the service's, made printable and short.

    A clock that is off is blamed only where the service looks at time or at a bearer token's age; a refused
    grant stays a refused grant.
    """
    detail = _detail(refusal)
    kind = _kind(refusal)
    if kind is Throttled:
        return Throttled(detail, retry_after=retry_after(refusal.headers, now))
    override = Override.told_by(refusal.headers)
    if override is not None and (refusal.status >= _SERVER_ERROR or not _is_coded(refusal)):
        return kind(override.within(detail), hint=override.hint)
    off = clock_error is not None and abs(clock_error) > CLOCK_TOLERANCE
    if off and clock_error and (refusal.code in _CLOCK_CODES or kind in _MAY_BE_THE_CLOCK):
        return ClockOff(f"it is {_spoken(clock_error)}; the request was refused ({detail})")
    return kind(detail)


def _is_coded(refusal: Refusal) -> bool:
    """Tell whether it speaks the service's own language, which a wrong address does not."""
    return refusal.code in _CODES[refusal.service] or refusal.code in _CLOCK_CODES


def _kind(refusal: Refusal) -> type[CredtrayError]:
    if refusal.status == _TOO_MANY_REQUESTS:
        return Throttled
    if refusal.status >= _SERVER_ERROR:
        return PortalFailed
    known = _CODES[refusal.service].get(refusal.code)
    return known or _STATUSES.get((refusal.service, refusal.status), RequestRefused)


def _detail(refusal: Refusal) -> str:
    code = refusal.code if refusal.code.isalnum() and refusal.code.isascii() else ""
    text = "".join(char for char in refusal.message[:200] if char.isprintable()).strip()
    told = ": ".join(part for part in (f"HTTP {refusal.status}", code[:60], text) if part)
    proxy = refusal.headers.get(PROXY_HEADER)
    return told if proxy is None else f"{told}, with a web page, through {proxy}"


def _spoken(clock_error: timedelta) -> str:
    minutes = round(abs(clock_error).total_seconds() / 60)
    return f"{minutes} minutes {'slow' if clock_error > timedelta() else 'fast'}"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date, within an hour; None without one."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given[:9]), _LONGEST_RETRY_AFTER)
    moment = http_date(given)
    if moment is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_RETRY_AFTER)


def http_date(text: str) -> datetime | None:
    """Return the instant of an HTTP date, or None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
