"""What clients ask of the agent. Knows nothing of how a request travels: see the package."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar, get_args

from msgspec import Meta, Struct

from credtray.core.forms import Form
from credtray.core.protocol.replies import ProcessCredentials
from credtray.core.protocol.results import (
    CancelResult,
    ChoiceResult,
    CopyResult,
    EndpointResult,
    ImportResult,
    LoginResult,
    LogoutResult,
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
from credtray.core.secret import Secret

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


class Credentials(Asks[ProcessCredentials], frozen=True, tag="credentials"):
    """Role credentials of one profile, answered with ``CredentialsIssued``."""

    profile: str


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
    """None: take everything back; ``list``: what ``ListUndo`` asks."""


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


class Copy(Asks[CopyResult], frozen=True, tag="copy"):
    """Put a profile's role credentials on the clipboard of the agent's desktop, for 45 s."""

    profile: str
    form: Form


class TestNotice(Asks[TestNoticeResult], frozen=True, tag="test_notice"):
    """Show a notification that is about nothing, answered with who showed it."""

    __test__ = False  # no tests, whatever pytest thinks of the name


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


Request: TypeAlias = Asks[Any] | Watch
Known: TypeAlias = (
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
    | Endpoint
    | Wait
    | Copy
    | TestNotice
    | ImportKeys
    | Stop
)
"""Each kind of request that comes over the wire, by its tag."""
