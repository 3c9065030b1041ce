"""What credtray and its agent say to each other: requests and replies as one JSON line each, versioned.

Knows no socket, file or clock. Secrets travel in ``CredentialsIssued``, ``ImportKeys`` and ``PageResult`` of
``OpenPage``, in nothing else.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from credtray import __version__
from credtray.core.errors import BadFrame, ProtocolMismatch
from credtray.core.models import Secret
from credtray.core.protocol.messages import (
    ENCODER,
    Activate,
    AnswerAgent,
    Asks,
    CancelLogin,
    Copy,
    Credentials,
    CredentialsIssued,
    Deactivate,
    Done,
    Endpoint,
    Failed,
    ImportKeys,
    KeepPerson,
    Known,
    ListUndo,
    Login,
    Logout,
    OpenPage,
    PauseNotices,
    Ping,
    ProcessCredentials,
    Progress,
    Reply,
    Request,
    RevokeEndpoint,
    Snooze,
    Status,
    Stop,
    Switch,
    TestNotice,
    Undo,
    Update,
    Wait,
    Watch,
)
from credtray.core.shapes import reader

__all__ = [
    "CREDENTIALS_HEAD",
    "CREDENTIALS_TAIL",
    "REPLY_LIMIT",
    "REQUEST_LIMIT",
    "VERSION",
    "Activate",
    "AnswerAgent",
    "Asks",
    "CancelLogin",
    "Copy",
    "Credentials",
    "CredentialsIssued",
    "Deactivate",
    "Done",
    "Endpoint",
    "Failed",
    "ImportKeys",
    "KeepPerson",
    "ListUndo",
    "Login",
    "Logout",
    "OpenPage",
    "PauseNotices",
    "Ping",
    "ProcessCredentials",
    "Progress",
    "Reply",
    "Request",
    "RevokeEndpoint",
    "Snooze",
    "Status",
    "Stop",
    "Switch",
    "TestNotice",
    "Undo",
    "Update",
    "Wait",
    "Watch",
    "decode_reply",
    "decode_request",
    "encode",
    "result_of",
    "signs_in",
]

VERSION: Final = 1
"""Of the protocol; raised when an older peer would misunderstand."""
REQUEST_LIMIT: Final = 64 * 1024
"""Longest request in bytes, newline included."""
REPLY_LIMIT: Final = 4 * 1024 * 1024
"""Longest reply in bytes, newline included."""
_HEAD: Final = b'{"credtray":%d,' % VERSION

CREDENTIALS_HEAD: Final = _HEAD + b'"reply":"credentials","credentials":'
"""What the fast client cuts off in front, instead of loading a JSON parser."""
CREDENTIALS_TAIL: Final = b"}\n"

R = TypeVar("R")
_T = TypeVar("_T")


class _Versioned(Struct):
    credtray: int


def _hide(kind: type, value: object) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError


_VERSIONED: Final[msgspec.json.Decoder[_Versioned]] = reader(_Versioned)
_REQUEST: Final[msgspec.json.Decoder[Known]] = reader(Known, _hide)


def signs_in(request: Request) -> bool:
    """Tell whether a request may begin a sign-in, or join one."""
    return isinstance(request, Login) or (isinstance(request, Wait) and request.login)


def encode(message: Request | Reply) -> bytes:
    """Return the message as one frame, newline included.

    Raises:
        BadFrame: longer than the other side accepts, or it holds text that is not Unicode.
    """
    limit = REQUEST_LIMIT if isinstance(message, Asks | Watch) else REPLY_LIMIT
    try:
        frame = _HEAD + ENCODER.encode(message)[1:] + b"\n"
    except UnicodeEncodeError:
        raise BadFrame("a name in it is not valid Unicode") from None
    if len(frame) > limit:
        raise BadFrame(f"{len(frame)} bytes, at most {limit} are taken")
    return frame


def decode_request(frame: bytes) -> Request:
    """Read a client's frame, on the agent's side.

    Raises:
        BadFrame: not JSON, or of no known shape.
        ProtocolMismatch: the client speaks another version; the text names the agent's.
    """
    _check_version(frame, "the command", "the agent")
    return _decode(_REQUEST, frame)


def decode_reply(frame: bytes, request: Request) -> Reply:
    """Read the agent's frame, on the client's side; *request* says what ``Done`` carries.

    Raises as ``decode_request`` does.
    """
    _check_version(frame, "the agent", "this command")
    return _decode(_reply_decoder(type(request)), frame)


def _reply_decoder(kind: type[Request]) -> msgspec.json.Decoder[Reply]:
    if issubclass(kind, Watch):
        return reader(Progress | Update | Failed, _hide)
    result: Any = kind.result_type()
    if result is ProcessCredentials:
        return reader(Progress | CredentialsIssued | Failed, _hide)
    return reader(Progress | Done[result] | Failed, _hide)


def result_of(reply: Reply | None, request: Asks[R]) -> R:
    """Return the result in the final reply to a request.

    Raises:
        BadFrame: it is not an answer to that request.
        CredtrayError: what the agent failed with, of its own class.
    """
    if isinstance(reply, Failed):
        raise reply.error()
    result: object = getattr(reply, "credentials" if isinstance(reply, CredentialsIssued) else "result", None)
    if not isinstance(result, request.result_type()):
        raise BadFrame(f"{type(reply).__name__} is not an answer to {type(request).__name__}")
    return result


def _check_version(frame: bytes, peer: str, reader: str) -> None:
    spoken = _decode(_VERSIONED, frame).credtray
    if spoken != VERSION:
        raise ProtocolMismatch(
            f"{peer} speaks protocol {spoken}, {reader} (credtray {__version__}) protocol {VERSION}"
        )


def _decode(decoder: msgspec.json.Decoder[_T], frame: bytes) -> _T:
    try:
        return decoder.decode(frame)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # The parser's own words may quote the frame; who reads the log must not find keys there.
        raise BadFrame("it is not JSON of a known shape") from None
