"""Runs one operation of a botocore client and answers in our own values and errors.

Must not retry, and lets no exception of botocore and no secret into an error.
"""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from credtray.aws.error_table import Refusal, Service, error_for, http_date
from credtray.core.errors import (
    AssetMissing,
    CaptivePortal,
    CredtrayError,
    OwnFault,
    ProfileRefused,
    ProxyRefused,
    ResourcesExhausted,
    UnexpectedReply,
)
from credtray.core.models import Secret
from credtray.core.ports import Issued
from credtray.core.shapes import fitted, from_json

# Says whose fault an exception is that is no refusal of a service: by where it arose, not by its class.
#
# What arises on our side of the wire (a full table of files, a missing module, a mistake of ours) must
# never be told as the service's answer. Texts name classes and places, never values: those may be tokens.


_EXHAUSTED = {
    errno.EMFILE: "too many files are open in credtray",
    errno.ENFILE: "too many files are open on this computer",
    errno.ENOMEM: "there is no memory left",
    errno.ENOBUFS: "there is no memory left for connections",
    errno.EAGAIN: "there are too many threads",
}
_READS_ANSWERS = "botocore.parsers"
"""What arises in here was in the answer (botocore 1.44: JSON and XML of another shape than the model's)."""


def blamed(error: BaseException) -> CredtrayError:
    """Return the error of ours for an exception that nobody expected."""
    lacking = exhausted(error)
    if lacking is not None:
        return lacking
    if isinstance(error, ImportError):
        return AssetMissing(f"{error.name or 'a module'} cannot be loaded")
    places = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if any(frame.f_globals.get("__name__") == _READS_ANSWERS for frame in places):
        return UnexpectedReply(type(error).__name__)
    return OwnFault(f"{type(error).__name__}{_place(error)}")


def exhausted(error: BaseException) -> CredtrayError | None:
    """Return what this computer has run out of, when that is at the root of the exception."""
    for each in _chain(error):
        if isinstance(each, MemoryError):
            return ResourcesExhausted("there is no memory left")
        if isinstance(each, OSError) and each.errno in _EXHAUSTED:
            return ResourcesExhausted(_EXHAUSTED[each.errno])
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and what it came from, outermost first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _place(error: BaseException) -> str:
    """Return the last place within credtray that the exception passed."""
    ours = [
        (frame.f_globals["__name__"], line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).startswith("credtray.")
    ]
    return f" in {ours[-1][0]}, line {ours[-1][1]}" if ours else ""


S = TypeVar("S")

_UNEXPECTED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What botocore's parsers let out for answers of another shape than the model's, and what goes wrong on our
side; ``blamed`` tells one from the other. Nothing else can come: an error of ours passes."""

_HALF_A_SECOND = timedelta(seconds=0.5)
"""An HTTP Date is cut to whole seconds, so on average it is this much older than it says."""


class ServiceRefused(Exception):
    """The service answered no; ``error`` is what callers outside this wing get to see."""

    def __init__(self, refusal: Refusal, clock_error: timedelta | None, answered: datetime) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.error = error_for(refusal, clock_error, answered)


def call(
    service: Service,
    operation: Callable[..., Mapping[str, object]],
    arguments: Mapping[str, object],
    shape: type[S],
    now: Callable[[], datetime],
) -> Issued[S]:
    """Call the operation and return its answer in ``shape``, with the service's clock minus ours.

    Raises:
        CredtrayError: see ``error_table``; UnexpectedReply for an answer of the wrong shape.
    """
    try:
        return attempt(service, operation, arguments, shape, now)
    except ServiceRefused as refused:
        raise refused.error from None


def attempt(
    service: Service,
    operation: Callable[..., Mapping[str, object]],
    arguments: Mapping[str, object],
    shape: type[S],
    now: Callable[[], datetime],
) -> Issued[S]:
    """Do as ``call`` does, but leave a refusal to be judged by its code.

    Secrets among the arguments are revealed here and nowhere earlier.

    Raises:
        ServiceRefused: the service answered with an error.
        CredtrayError: there was no answer, or one of the wrong shape.
    """
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
    from botocore.parsers import ResponseParserError

    plain = {
        name: value.reveal() if isinstance(value, Secret) else value for name, value in arguments.items()
    }
    asked = now()
    try:
        answer = operation(**plain)
        return Issued(fitted(answer, shape), _clock_error(answer, asked, now()))
    except ClientError as error:
        answered = now()
        off = _clock_error(error.response, asked, answered)
        raise ServiceRefused(_refusal(service, error.response, arguments), off, answered) from None
    except msgspec.ValidationError as error:
        raise UnexpectedReply(str(error)) from None
    except ParamValidationError as error:
        raise ProfileRefused(_unfit(str(error))) from None
    except (BotoCoreError, ResponseParserError, *_UNEXPECTED) as error:
        # Its text may quote an argument or the answer, that is a token; class and place have to do.
        raise blamed(error) from None


_PARAMETER = re.compile(r"parameter (\w{1,64})[,:]")


def _unfit(report: str) -> str:
    """Return which values botocore does not send at all; its report may quote them."""
    names = ", ".join(dict.fromkeys(_PARAMETER.findall(report))) or "a value"
    return f"{names} cannot be sent to AWS"


def _refusal(service: Service, response: object, arguments: Mapping[str, object]) -> Refusal:
    told = fitted(response, _Response, strict=False)
    message = told.Error.Message
    for value in arguments.values():
        if isinstance(value, Secret):
            message = message.replace(value.reveal(), "***")
    metadata = told.ResponseMetadata
    return Refusal(service, metadata.HTTPStatusCode, told.Error.Code, message, metadata.HTTPHeaders)


def _clock_error(response: object, asked: datetime, answered: datetime) -> timedelta | None:
    told = fitted(response, _Response, strict=False)
    moment = http_date(told.ResponseMetadata.HTTPHeaders.get("date", ""))
    return None if moment is None else moment + _HALF_A_SECOND - (asked + (answered - asked) / 2)


class _Error(msgspec.Struct):
    Code: str = ""
    Message: str = ""


class _Metadata(msgspec.Struct):
    HTTPStatusCode: int = 0
    HTTPHeaders: dict[str, str] = msgspec.field(default_factory=dict)


class _Response(msgspec.Struct):
    """What botocore adds to every answer."""

    Error: _Error = msgspec.field(default_factory=_Error)
    ResponseMetadata: _Metadata = msgspec.field(default_factory=_Metadata)


# One HTTP exchange as values: its limits, the request, the whole reply.
#
# Must not send anything, nor import a network library.


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take; seconds and bytes."""

    connect: float = 5.0
    read: float = 10.0
    """Longest silence."""
    total: float = 30.0
    """From the first name look-up to the last byte, however slowly they trickle."""
    body: int = 1 << 20


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request; without repr, headers and body hold tokens."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """One whole answer; without repr, the body may hold keys."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    proxy: str | None = None
    """The proxy it came through, for texts: without its login."""

    @property
    def is_web_page(self) -> bool:
        """True for HTML, which none of the services ever sends."""
        if "html" in self.headers.get("content-type", "").lower():
            return True
        start = self.body[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        return start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<script"))


# The shapes of the services' answers, and the check each answer passes before botocore parses it.
#
# Must not send anything. An answer is cut down to the fields named here; texts in errors never quote it.


LONGEST_TOKEN_LIFE = 90 * 24 * 3600
"""Seconds; sign-ins last 90 days at most (IAM Identity Center user guide, "session duration"). What claims to
last longer is taken and counted as this: a person went through the browser for it."""
LONGEST_KEY_LIFE = 36 * 3600
"""Seconds; STS knows none that live longer (``durationSecondsType``), and a permission set gives 12 h."""
LONGEST_DEVICE_LIFE = 24 * 3600
LONGEST_INTERVAL = 300
LATEST_EPOCH = 1 << 34
"""Seconds; beyond it no date is left. A later one is taken as this."""
_ANY_NUMBER = 1 << 53
"""The models of AWS name no greatest values; this is where JSON numbers end to be exact."""

Token = Annotated[str, Meta(pattern=r"^[!-~]+\Z", max_length=65536)]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/=._-]+\Z", max_length=65536)]
"""Only what can stand in a credentials file without any quoting."""
AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}\Z")]
RoleName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+=,.@/-]+\Z", max_length=128)]
Label = Annotated[str, Meta(max_length=512)]
Address = Annotated[str, Meta(pattern=r"^[!-~]+\Z", max_length=2048)]


class RegisterClient(msgspec.Struct, rename="camel", omit_defaults=True):
    """RegisterClient; the expiry is an epoch in seconds."""

    client_id: Token
    client_secret: Token
    client_secret_expires_at: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]


class StartDeviceAuthorization(msgspec.Struct, rename="camel", omit_defaults=True):
    """StartDeviceAuthorization; lifetimes in seconds."""

    device_code: Token
    user_code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z", max_length=64)]
    verification_uri: Address
    verification_uri_complete: Address
    expires_in: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]
    interval: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)] = 0


class CreateToken(msgspec.Struct, rename="camel", omit_defaults=True):
    """CreateToken, all three grants; the lifetime in seconds."""

    access_token: Token
    expires_in: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]
    refresh_token: Token | None = None


class AccountItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """One account; name and e-mail may be absent in live answers."""

    account_id: AccountId
    account_name: Label | None = None
    email_address: Label | None = None


class ListAccounts(msgspec.Struct, rename="camel", omit_defaults=True):
    """One page of ListAccounts."""

    account_list: list[AccountItem]
    next_token: Token | None = None


class RoleItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """One role of an account."""

    role_name: RoleName
    account_id: AccountId | None = None


class ListAccountRoles(msgspec.Struct, rename="camel", omit_defaults=True):
    """One page of ListAccountRoles."""

    role_list: list[RoleItem]
    next_token: Token | None = None


class RoleKeys(msgspec.Struct, rename="camel"):
    """Role credentials; the expiration is an epoch in milliseconds."""

    access_key_id: Key
    secret_access_key: Key
    session_token: Key
    expiration: Annotated[int, Meta(ge=0, le=_ANY_NUMBER)]


class GetRoleCredentials(msgspec.Struct, rename="camel"):
    """GetRoleCredentials."""

    role_credentials: RoleKeys


class _Nothing(msgspec.Struct):
    """Logout answers an empty body; whatever comes is dropped."""


class _Refusal(msgspec.Struct, omit_defaults=True):
    """An error of the token service (``error``) or of the portal (``__type``, ``message``)."""

    error: str | None = None
    error_description: str | None = None
    message: str | None = None
    type: str | None = msgspec.field(name="__type", default=None)


_SHAPES: Mapping[str, type[msgspec.Struct]] = MappingProxyType(
    {
        "RegisterClient": RegisterClient,
        "StartDeviceAuthorization": StartDeviceAuthorization,
        "CreateToken": CreateToken,
        "ListAccounts": ListAccounts,
        "ListAccountRoles": ListAccountRoles,
        "GetRoleCredentials": GetRoleCredentials,
        "Logout": _Nothing,
    }
)
"""By operation; STS is absent, it answers XML, which is checked after parsing."""


def approved(operation: str, reply: Reply) -> bytes:
    """Return the body botocore may parse: the known fields and nothing else.

    botocore 1.44 raises nothing for a 200 that is not JSON and accepts any types, hence this check.

    Raises:
        CaptivePortal: a web page or a redirect, which no service sends.
        ProxyRefused: the proxy asks for a sign-in of its own.
        UnexpectedReply: a success that has not the shape of this operation, or anything compressed: it was
            not asked to be, and unpacking it could fill the memory.
    """
    _refuse_strangers(reply)
    if reply.headers.get("content-encoding", "").lower() not in {"", "identity"}:
        raise UnexpectedReply(f"{operation}: compressed, which credtray did not ask for")
    shape = _SHAPES.get(operation)
    if shape is None:
        return reply.body
    if reply.status >= 300:  # noqa: PLR2004 - where HTTP success ends; 3xx was refused above
        return _bad_reply(reply.body)
    body = b"{}" if shape is _Nothing else reply.body
    try:
        return msgspec.json.encode(from_json(body, shape))
    except msgspec.ValidationError as error:
        raise UnexpectedReply(f"{operation}: {error}") from None
    except (ValueError, RecursionError):
        raise UnexpectedReply(f"{operation}: not JSON, or cut off") from None


def _refuse_strangers(reply: Reply) -> None:
    status = reply.status
    if 300 <= status < 400 or status == 511:  # noqa: PLR2004 - redirects; Network Authentication Required
        raise CaptivePortal(f"it answered HTTP {status}{_by(reply)}")
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        named = reply.proxy or "it"
        raise ProxyRefused(f"{named} asks for a user name and password, or does not accept these (HTTP 407)")
    if reply.is_web_page and (status < 500 and status != 429):  # noqa: PLR2004 - AWS's front ends may fail in HTML
        raise CaptivePortal(f"it answered HTTP {status} with a web page{_by(reply)}")


def _by(reply: Reply) -> str:
    return "" if reply.proxy is None else f", through {reply.proxy}"


def _bad_reply(body: bytes) -> bytes:
    try:
        found = from_json(body, _Refusal)
    except (ValueError, RecursionError):
        return b"{}"
    if found.error and not found.type:
        # Only for a service that forgets the x-amzn-ErrorType header, which botocore prefers.
        found.type = "".join(part.capitalize() for part in found.error.split("_")) + "Exception"
    if found.error_description and not found.message:
        found.message = found.error_description
    return msgspec.json.encode(found)
