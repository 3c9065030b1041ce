"""What the agent answers. Secrets travel in ``CredentialsIssued`` and in no other reply."""

from __future__ import annotations

from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import UNSET, Struct, UnsetType

from credtray.core.errors import CredtrayError, Problem, Retry, error_for
from credtray.core.models import RoleCredentials
from credtray.core.protocol.encoding import ENCODER
from credtray.core.protocol.results import StatusDocument
from credtray.core.secret import Secret

R_co = TypeVar("R_co", covariant=True)


class Progress(Struct, frozen=True, tag_field="reply", tag="progress", omit_defaults=True):
    """Not the end yet: what is going on and what a person has to do."""

    kind: str
    """``waiting`` is the server's sign of life; all others come from the handler."""
    url: str | None = None
    user_code: str | None = None
    verification_uri: str | None = None
    text: str | None = None


class Update(Struct, frozen=True, tag_field="reply", tag="update"):
    """One status document of a ``Watch``."""

    document: StatusDocument


class Done(Struct, Generic[R_co], frozen=True, tag_field="reply", tag="done"):
    """The request was carried out."""

    result: R_co
    """See ``results``; which one, the request says."""


class Failed(Struct, frozen=True, tag_field="reply", tag="failed"):
    """The request was not carried out; a ``CredtrayError`` as a value."""

    code: str
    title: str
    hint: str
    retry: Retry

    @classmethod
    def of(cls, error: CredtrayError) -> Failed:
        """Return the reply that tells of this error."""
        problem = error.problem
        return cls(problem.code, problem.title, problem.hint, problem.retry)

    def error(self) -> CredtrayError:
        """Return the error again, of its own class (so with its exit code) where that is known."""
        return error_for(Problem(self.code, self.title, self.hint, self.retry))


class ProcessCredentials(Struct, frozen=True, rename="pascal"):
    """The JSON object of the ``credential_process`` contract (AWS SDK reference), fields in this order."""

    version: int
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expiration: str
    """ISO 8601 UTC, whole seconds, rounded down."""
    account_id: str | UnsetType = UNSET

    @classmethod
    def of(cls, credentials: RoleCredentials, account_id: str | None = None) -> ProcessCredentials:
        """Return the contract's form of these role credentials."""
        return cls(
            1,
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
            credentials.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            UNSET if account_id is None else account_id,
        )

    def line(self) -> bytes:
        """Return it as the one line that goes to stdout. The secrets are in it."""
        return ENCODER.encode(self) + b"\n"


class CredentialsIssued(Struct, frozen=True, tag_field="reply", tag="credentials"):
    """Role credentials. Its bytes are ``CREDENTIALS_HEAD + object + CREDENTIALS_TAIL``, always."""

    credentials: ProcessCredentials


Reply: TypeAlias = Progress | Update | Done[Any] | Failed | CredentialsIssued
