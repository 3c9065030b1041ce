"""What credtray and its agent say to each other: requests and replies as one JSON line each, versioned.

Knows no socket, file or clock. Secrets travel in ``CredentialsIssued`` and in nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from agent import __version__
from agent.core.errors import BadFrame, CredtrayError, Problem, ProtocolMismatch, Retry, error_for
from agent.core.models import RoleCredentials
from agent.core.secret import Secret

VERSION: Final = 1
"""Of the protocol; raised when an older peer would misunderstand."""
REQUEST_LIMIT: Final = 64 * 1024
"""Longest request in bytes, newline included."""
REPLY_LIMIT: Final = 4 * 1024 * 1024
"""Longest reply in bytes, newline included."""
_HEAD: Final = b'{"credtray":%d,' % VERSION


# --- requests ----------------------------------------------------------------------------------------


class Ping(Struct, frozen=True, tag_field="request", tag="ping"):
    """Who are you? Answered with ``Done`` holding ``pid`` and ``version``."""


class Status(Struct, frozen=True, tag_field="request", tag="status"):
    """How do things stand? Answered with ``Done`` holding the document of ``status --json``."""


class Watch(Struct, frozen=True, tag_field="request", tag="watch"):
    """Send an ``Update`` now and at each change, until this client goes away."""


class Credentials(Struct, frozen=True, tag_field="request", tag="credentials"):
    """Role credentials of one profile, answered with ``CredentialsIssued``."""

    profile: str


class Login(Struct, frozen=True, tag_field="request", tag="login"):
    """Make sure of a sign-in; ``Progress`` frames tell what a person has to do meanwhile."""

    session: str | None = None
    """None: the only session, or the one of the active profiles."""
    fresh: bool = False
    """A new sign-in even when the current one is good."""
    device: bool = False
    """Device authorization grant: a code to enter on any device."""
    browser: bool = True
    """False: the agent opens no browser, the client shows the address."""


class CancelLogin(Struct, frozen=True, tag_field="request", tag="cancel_login"):
    """Give up the pending sign-in of a session."""

    session: str | None = None


class Logout(Struct, frozen=True, tag_field="request", tag="logout"):
    """End the sign-in at the portal and drop its token."""

    session: str | None = None


class Activate(Struct, frozen=True, tag_field="request", tag="activate"):
    """Keep the keys of these profiles in the credentials file."""

    profiles: tuple[str, ...]
    section: str | None = None
    """Another section name; only with exactly one profile."""


class Deactivate(Struct, frozen=True, tag_field="request", tag="deactivate"):
    """Take the keys of these profiles out of the credentials file."""

    profiles: tuple[str, ...]


class Switch(Struct, frozen=True, tag_field="request", tag="switch"):
    """Mirror a profile into ``[default]``; None: take our ``[default]`` out again."""

    profile: str | None = None


class Undo(Struct, frozen=True, tag_field="request", tag="undo"):
    """Restore what credtray changed."""

    what: str | None = None
    """None: take everything back; ``list``: only tell what that would be."""


class Snooze(Struct, frozen=True, tag_field="request", tag="snooze"):
    """Say nothing about the end of this session's sign-in for a while."""

    session: str
    minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]


class PauseNotices(Struct, frozen=True, tag_field="request", tag="pause_notices"):
    """Show no notices until then; None: show them again."""

    until: Annotated[datetime, Meta(tz=True)] | None = None


class Stop(Struct, frozen=True, tag_field="request", tag="stop"):
    """End the agent; answered before it goes."""


Request: TypeAlias = (
    Ping
    | Status
    | Watch
    | Credentials
    | Login
    | CancelLogin
    | Logout
    | Activate
    | Deactivate
    | Switch
    | Undo
    | Snooze
    | PauseNotices
    | Stop
)


# --- replies -----------------------------------------------------------------------------------------


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

    document: dict[str, Any]


class Done(Struct, frozen=True, tag_field="reply", tag="done"):
    """The request was carried out."""

    result: dict[str, Any] = {}


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
        return _ENCODER.encode(self) + b"\n"


class CredentialsIssued(Struct, frozen=True, tag_field="reply", tag="credentials"):
    """Role credentials. Its bytes are ``CREDENTIALS_HEAD + object + CREDENTIALS_TAIL``, always."""

    credentials: ProcessCredentials


Reply: TypeAlias = Progress | Update | Done | Failed | CredentialsIssued

CREDENTIALS_HEAD: Final = _HEAD + b'"reply":"credentials","credentials":'
"""What the fast client cuts off in front, instead of loading a JSON parser."""
CREDENTIALS_TAIL: Final = b"}\n"

_T = TypeVar("_T")


# --- frames ------------------------------------------------------------------------------------------


class _Versioned(Struct):
    credtray: int


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError


def _hide(kind: type, value: object) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_reveal)
_VERSIONED: Final = msgspec.json.Decoder(_Versioned)
_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_REPLY: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply, dec_hook=_hide)


def encode(message: Request | Reply) -> bytes:
    """Return the message as one frame, newline included.

    Raises:
        BadFrame: longer than the other side accepts, or it holds text that is not Unicode.
    """
    limit = REPLY_LIMIT if isinstance(message, Reply) else REQUEST_LIMIT
    try:
        frame = _HEAD + _ENCODER.encode(message)[1:] + b"\n"
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


def decode_reply(frame: bytes) -> Reply:
    """Read the agent's frame, on the client's side; raises as ``decode_request`` does."""
    _check_version(frame, "the agent", "this command")
    return _decode(_REPLY, frame)


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
