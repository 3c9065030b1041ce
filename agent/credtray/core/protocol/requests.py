"""What clients ask of the agent. Knows nothing of how a request travels: see the package."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from credtray.core.forms import Form
from credtray.core.secret import Secret


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
    agreed: bool = False
    """The person was told that this ends the present sign-in, how much is left of it, and said yes.

    Without it a device authorization grant is refused while much is left (``sign_in_unconfirmed``). In a
    browser the page that opens first asks, so that there nothing has to be agreed to before.
    """
    remote: bool = False
    """The person is elsewhere (SSH) and has no browser here: an address of 127.0.0.1 is of no use to them."""


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


class Endpoint(Struct, frozen=True, tag_field="request", tag="endpoint"):
    """Where a program fetches one profile's role credentials over HTTP, and the file with its token."""

    profile: str
    revoke: bool = False
    """Take the token back: programs that hold it get nothing any more."""


class Wait(Struct, frozen=True, tag_field="request", tag="wait"):
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


class Copy(Struct, frozen=True, tag_field="request", tag="copy"):
    """Put a profile's role credentials on the clipboard of the agent's desktop, for 45 s."""

    profile: str
    form: Form


class TestNotice(Struct, frozen=True, tag_field="request", tag="test_notice"):
    """Show a notification that is about nothing, answered with who showed it."""

    __test__ = False  # no tests, whatever pytest thinks of the name


class ImportKeys(Struct, frozen=True, tag_field="request", tag="import_keys"):
    """Keep pasted role credentials in a section of ours until they end. No other request holds secrets."""

    section: str
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expires_at: Annotated[datetime, Meta(tz=True)]
    account_id: str | None = None
    role_name: str | None = None


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
    | Endpoint
    | Wait
    | Copy
    | TestNotice
    | ImportKeys
    | Stop
)
