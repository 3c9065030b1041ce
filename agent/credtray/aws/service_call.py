"""Runs one operation of a botocore client and answers in our own values and errors.

Must not retry, and lets no exception of botocore and no secret into an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from credtray.aws.blame import blamed
from credtray.aws.error_table import Refusal, Service, error_for, http_date
from credtray.core.errors import ProfileRefused, UnexpectedReply
from credtray.core.ports import Issued
from credtray.core.secret import Secret

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
        return Issued(msgspec.convert(answer, shape), _clock_error(answer, asked, now()))
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
    told = msgspec.convert(response, _Response, strict=False)
    message = told.Error.Message
    for value in arguments.values():
        if isinstance(value, Secret):
            message = message.replace(value.reveal(), "***")
    metadata = told.ResponseMetadata
    return Refusal(service, metadata.HTTPStatusCode, told.Error.Code, message, metadata.HTTPHeaders)


def _clock_error(response: object, asked: datetime, answered: datetime) -> timedelta | None:
    told = msgspec.convert(response, _Response, strict=False)
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
