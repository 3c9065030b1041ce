"""What clients ask of the agent. Knows nothing of how a request travels: see the package."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from credtray.core.errors import BadFrame, CredtrayError, Problem, Retry, error_for
from credtray.core.forms import Form
from credtray.core.models import RoleCredentials, Secret, Way
from credtray.core.protocol.results import (
    AgentAnswered,
    CancelResult,
    ChoiceResult,
    CopyResult,
    EndpointResult,
    ImportResult,
    KeepResult,
    LoginResult,
    LogoutResult,
    PageResult,
    PauseResult,
    PingResult,
    RevokeResult,
    StatusDocument,
    StopResult,
    TestNoticeResult,
    UndoPlan,
    UndoResult,
    WaitResult,
)

# The JSON encoder of everything that may hold a secret. What it writes must go nowhere but to its reader.


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError


ENCODER: Final = msgspec.json.Encoder(enc_hook=_reveal)


# What the agent answers. Secrets travel in ``CredentialsIssued``, the address of the page in ``PageResult``.


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

R = TypeVar("R")


class Asks(Struct, Generic[R], frozen=True, tag_field="request"):
    """A request whose final reply carries an ``R``: the reply itself does not say which struct it holds."""

    @classmethod
    def result_type(cls) -> type[R]:
        """Return the struct of the result."""
        base: Any = cls.__orig_bases__[0]  # type: ignore[attr-defined]  # of every subclass of a generic class
        found: type[R] = get_args(base)[0]
        return found


class Ping(Asks[PingResult], frozen=True, tag="ping"):
    """Who are you?"""


class Status(Asks[StatusDocument], frozen=True, tag="status"):
    """How do things stand? Answered with the document of ``status --json``."""


class Watch(Struct, frozen=True, tag_field="request", tag="watch"):
    """Send an ``Update`` now and at each change, until this client goes away."""


class Credentials(Asks[ProcessCredentials], frozen=True, tag="credentials", omit_defaults=True):
    """Role credentials of one profile, answered with ``CredentialsIssued``."""

    profile: str
    way: Way | None = Way.PROCESS
    """How they are passed on; None: credtray itself uses them, and nobody else gets them."""


class Login(Asks[LoginResult], frozen=True, tag="login"):
    """Make sure of a sign-in; ``Progress`` frames tell what a person has to do meanwhile."""

    session: str | None = None
    """None: the only session, or the one of the active profiles."""
    fresh: bool = False
    """A new sign-in even when the current one is good."""
    device: bool = False
    """Device authorization grant: a code to enter on any device."""
    browser: bool = True
    """False: the agent opens no browser, the client shows the address."""
    agreed: bool = False
    """The person was told that this ends the present sign-in, how much is left of it, and said yes.

    Without it a device authorization grant is refused while much is left (``sign_in_unconfirmed``). In a
    browser the page that opens first asks, so that there nothing has to be agreed to before.
    """
    remote: bool = False
    """The person is elsewhere (SSH) and has no browser here: an address of 127.0.0.1 is of no use to them."""
    clean: bool = False
    """Open the page in a browser with an empty profile of its own, which is signed in to nothing."""
    callback_port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    """Where the browser returns to, such as a port that ``ssh -L`` forwards; None: any free one."""


class KeepPerson(Asks[KeepResult], frozen=True, tag="keep_person"):
    """Go on as the person who is signed in now, although it was another one the last time."""

    session: str | None = None
    person: str | None = None
    """Who that is, as whoever agreed has read it; None: whoever it is."""


class CancelLogin(Asks[CancelResult], frozen=True, tag="cancel_login"):
    """Give up the pending sign-in of a session."""

    session: str | None = None


class Logout(Asks[LogoutResult], frozen=True, tag="logout"):
    """End the sign-in at the portal and drop its token."""

    session: str | None = None


class Activate(Asks[ChoiceResult], frozen=True, tag="activate"):
    """Keep the keys of these profiles in the credentials file."""

    profiles: tuple[str, ...]
    section: str | None = None
    """Another section name; only with exactly one profile."""


class Deactivate(Asks[ChoiceResult], frozen=True, tag="deactivate"):
    """Take the keys of these profiles out of the credentials file."""

    profiles: tuple[str, ...]


class Switch(Asks[ChoiceResult], frozen=True, tag="switch"):
    """Mirror a profile into ``[default]``; None: take our ``[default]`` out again."""

    profile: str | None = None


class Undo(Asks[UndoResult], frozen=True, tag="undo"):
    """Restore what credtray changed."""

    what: str | None = None
    """None: take everything back; ``last``: the last edit of the config file; ``list``: as ``ListUndo``."""


class ListUndo(Asks[UndoPlan], frozen=True, tag="undo"):
    """Tell what ``Undo`` would take back. On the wire it is an ``Undo``, but with another result."""

    what: Literal["list"] = "list"


class Snooze(Asks[PauseResult], frozen=True, tag="snooze"):
    """Say nothing about the end of this session's sign-in for a while."""

    session: str
    minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]


class PauseNotices(Asks[PauseResult], frozen=True, tag="pause_notices"):
    """Show no notices until then; None: show them again."""

    until: Annotated[datetime, Meta(tz=True)] | None = None


class Endpoint(Asks[EndpointResult], frozen=True, tag="endpoint"):
    """Where a program fetches one profile's role credentials over HTTP, and the file with its token."""

    profile: str
    revoke: bool = False
    """What ``RevokeEndpoint`` asks."""


class RevokeEndpoint(Asks[RevokeResult], frozen=True, tag="endpoint"):
    """Take the token back: programs that hold it get nothing any more. On the wire it is an ``Endpoint``."""

    profile: str
    revoke: Literal[True] = True


class OpenPage(Asks[PageResult], frozen=True, tag="open_page"):
    """Serve the page in a browser on this computer, and return an address that lets one browser in."""


class Wait(Asks[WaitResult], frozen=True, tag="wait"):
    """Answer when a profile's credentials will last; ``Progress`` frames tell what is missing meanwhile."""

    profile: str
    seconds: Annotated[float, Meta(ge=0, le=90 * 24 * 3600)]
    """How long they have to last from now."""
    timeout: Annotated[float, Meta(ge=0, le=24 * 3600)] = 0.0
    """Seconds to wait for somebody's sign-in; renewing silently is waited for in any case."""
    login: bool = False
    """Begin a sign-in when one is needed, or join the one under way."""
    remote: bool = False
    """As for ``Login``."""
    keys: bool = False
    """The keys themselves must last, not only the sign-in that renews them."""
    sure: bool = False
    """Refuse where that rests on an expected end of the sign-in that nobody has confirmed."""


class AnswerAgent(Asks[AgentAnswered], frozen=True, tag="answer_agent"):
    """Let coding agents that ask have the keys of a profile, or refuse them. Never granted to one of them."""

    profile: str
    allow: bool
    until_sign_in_ends: bool = False
    """Not only for the command that asks now."""
    pid: int | None = None
    """Only the agent with this process id; None: every one that asks."""


class Copy(Asks[CopyResult], frozen=True, tag="copy"):
    """Put a profile's role credentials on the clipboard of the agent's desktop, for 45 s."""

    profile: str
    form: Form


class TestNotice(Asks[TestNoticeResult], frozen=True, tag="test_notice"):
    """Show a notification that is about nothing, answered with who showed it."""

    __test__ = False  # no tests, whatever pytest thinks of the name
    already: bool = False
    """A person has clicked on credtray in a menu, and it runs already: the notification says so."""


class ImportKeys(Asks[ImportResult], frozen=True, tag="import_keys"):
    """Keep pasted role credentials in a section of ours until they end. No other request holds secrets."""

    section: str
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expires_at: Annotated[datetime, Meta(tz=True)]
    account_id: str | None = None
    role_name: str | None = None


class Stop(Asks[StopResult], frozen=True, tag="stop"):
    """End the agent; answered before it goes."""

    keep_keys: bool = False
    """Another agent follows at once: our keys stay in the credentials file. Older agents do not know this."""
    by_signal: bool = False
    """Do not end yet: a signal says when."""


Request: TypeAlias = Asks[Any] | Watch
Known: TypeAlias = (
    Ping
    | Status
    | Watch
    | Credentials
    | Login
    | KeepPerson
    | CancelLogin
    | Logout
    | Activate
    | Deactivate
    | Switch
    | Undo
    | Snooze
    | PauseNotices
    | Endpoint
    | OpenPage
    | Wait
    | AnswerAgent
    | Copy
    | TestNotice
    | ImportKeys
    | Stop
)
"""Each kind of request that comes over the wire, by its tag."""


# Cuts what comes over a socket into frames: lines of bounded length.
#
# Knows neither the socket nor what the frames say; see ``protocol``.


class Frames:
    """Cuts a stream of bytes into frames; holds at most ``limit`` bytes."""

    __slots__ = ("_held", "_limit", "_searched")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they came.

        Raises:
            BadFrame: the frame has no end within the limit.
        """
        self._held += data
        if len(self._held) > self._limit:
            size = len(self._held)
            self._held.clear()
            raise BadFrame(f"no end of the frame within {size} bytes")

    def next(self) -> bytes | None:
        """Return the next whole frame without its newline, or None until more bytes came."""
        end = self._held.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._held)  # a long reply comes in many pieces: look at each byte once
            return None
        frame = bytes(self._held[:end])
        del self._held[: end + 1]
        self._searched = 0
        return frame
