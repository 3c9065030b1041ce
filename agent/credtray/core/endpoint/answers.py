"""What the local credentials endpoint answers: the keys as SDKs want them, or an error with a hint. Pure.

Opens nothing and decides nothing: who may ask is decided in ``filter``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import UNSET, Struct, UnsetType

from credtray.core import errors
from credtray.core.errors import Problem, Retry
from credtray.core.protocol import ProcessCredentials
from credtray.core.protocol.encoding import ENCODER
from credtray.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body of one HTTP answer."""

    status: int
    body: bytes = field(repr=False)


class _ContainerCredentials(Struct, frozen=True, rename="pascal"):
    """What a container credentials provider expects (botocore 1.44 ``ContainerProvider``)."""

    access_key_id: str
    secret_access_key: Secret
    token: Secret
    expiration: str
    account_id: str | UnsetType = UNSET


class _Told(Struct, frozen=True):
    """An error: aws-sdk-go-v2 (``endpointcreds``) shows ``code`` and ``message``, botocore the whole."""

    code: str
    message: str
    hint: str


def keys(credentials: ProcessCredentials) -> Answer:
    """Return the answer that hands out role credentials."""
    held = _ContainerCredentials(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        credentials.expiration,
        credentials.account_id,
    )
    return Answer(200, ENCODER.encode(held))


def refusal(problem: Problem, status: int | None = None) -> Answer:
    """Return the answer that tells why there are no keys; *status* where the problem does not decide it."""
    body = ENCODER.encode(_Told(problem.code, problem.title, problem.hint))
    return Answer(status if status is not None else _status(problem), body)


def _status(problem: Problem) -> int:
    """Return a 4xx where asking again is of no use: SDKs that retry do so on 5xx only."""
    later = 503 if problem.retry is Retry.LATER else 409
    return _STATUSES.get(problem.code, later)


_STATUSES: Mapping[str, int] = {
    errors.SignInRequired.code: 401,
    errors.SignInDenied.code: 401,
    errors.SignInTimedOut.code: 401,
    errors.SignInCancelled.code: 401,
    errors.TokenRefused.code: 401,
    errors.TokenMismatch.code: 401,
    errors.PortalUnauthorized.code: 401,
    errors.RegistrationRefused.code: 401,
    errors.RoleRefused.code: 403,
    errors.AssumeRoleRefused.code: 403,
    errors.UnknownProfile.code: 404,
    errors.ForeignProfile.code: 404,
    errors.IncompleteProfile.code: 404,
    errors.CredtrayError.code: 500,
}
