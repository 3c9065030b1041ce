"""What the agent's final replies carry: one struct for each kind of request. No key or token is in them.

The order of the fields is that of the JSON objects, which commands print with ``--json``. Fields that an
older agent does not tell have the value for "not known".
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import UNSET, Struct, UnsetType

from credtray.core.errors import Problem
from credtray.core.expiry import Moved
from credtray.core.models import CredentialStatus, Delivery, EndProof, Secret


def whole_seconds(instant: datetime) -> datetime:
    """Return the instant as every reply tells it: in UTC, cut to the second (``2026-11-22T19:36:43Z``)."""
    return instant.astimezone(UTC).replace(microsecond=0)


def told(instant: datetime | None) -> datetime | None:
    """Return ``whole_seconds`` of an instant that may be unknown."""
    return None if instant is None else whole_seconds(instant)


class ErrorEntry(Struct, frozen=True):
    """A problem as replies tell it."""

    code: str
    text: str
    hint: str = ""

    @classmethod
    def of(cls, problem: Problem | None) -> ErrorEntry | None:
        """Return the problem in this form; None where there is none."""
        return None if problem is None else cls(problem.code, problem.title, problem.hint)


# --- the agent itself --------------------------------------------------------------------------------


class PingResult(Struct, frozen=True):
    """Who answers."""

    pid: int
    version: str
    tray: bool | None = None
    """Whether it was started to show an icon; None: it is older, and does not say."""


class StopResult(Struct, frozen=True):
    """Who ends."""

    pid: int


class PauseResult(Struct, frozen=True):
    """Of a pause of all notices, or of the warnings about one sign-in."""

    until: datetime | None
    """None: there is no pause."""


class TestNoticeResult(Struct, frozen=True):
    """Who showed the notification."""

    __test__ = False  # no tests, whatever pytest thinks of the name

    shown_by: str | None
    reason: str | None
    """Why not a better one."""
    notices_paused_until: datetime | None


# --- status ------------------------------------------------------------------------------------------


class AgentStatus(Struct, frozen=True):
    """Who answers `credtray status`."""

    running: bool
    pid: int | None = None
    version: str | None = None


class PendingStatus(Struct, frozen=True, kw_only=True):
    """A sign-in that waits for a person, and what is still valid meanwhile."""

    since: datetime | None = None
    present_until: datetime | None = None
    """Until when the present sign-in lasts, which is untouched; None: there is none any more."""
    present_is_estimate: bool | None = None
    earlier_ended_at: datetime | None = None
    """When the sign-in before was ended for it."""
    keys_until: datetime | None = None
    """When the first of the role credentials in use end."""


class SessionStatus(Struct, frozen=True, kw_only=True):
    """One sso-session."""

    name: str
    start_url: str
    state: CredentialStatus
    signed_in_until: datetime | None
    end_is_estimate: bool | None
    end_known_by: EndProof | None = None
    sign_in_seconds: int | None = None
    """How long a sign-in lasts, as far as it was learned or set."""
    sign_in_length_is_learned: bool = False
    access_token_expires_at: datetime | None
    access_token_seconds: int | None = None
    """How long the token held was good for when it came."""
    token_renews: bool | None = None
    renewal_refused: ErrorEntry | None = None
    error: ErrorEntry | None
    sign_in_url: str | None
    user_code: str | None
    pending: PendingStatus | None = None
    legacy: bool
    person: str | None = None
    """Who is signed in, as STS names the role session; None: not known, or nobody is."""
    expected_person: str | None = None
    """Who signed in the last time, where that is another person: nobody gets keys. None otherwise."""


class ProfileStatus(Struct, frozen=True, kw_only=True):
    """One profile, its role credentials, and what the settings say of it."""

    name: str
    session: str
    account_id: str
    account_name: str | None = None
    role_name: str
    active: bool
    default: bool
    state: CredentialStatus
    expires_at: datetime | None
    keys_seconds: int | None = None
    """How long the keys held were good for when they came."""
    error: ErrorEntry | None
    region: str | None = None
    section: str
    delivery: Delivery = Delivery.FILE
    assumes: tuple[str, ...] = ()
    """ARNs of the roles a chained profile assumes, first one first."""
    description: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] = ()
    favourite: bool = False
    production: bool = False
    recent: int | None = None
    """Its place among the profiles chosen lately, 0 for the latest."""


class PastedStatus(Struct, frozen=True, kw_only=True):
    """One set of pasted keys."""

    section: str
    account_id: str | None
    account_name: str | None = None
    role_name: str | None
    state: CredentialStatus
    expires_at: datetime
    error: ErrorEntry | None


class ForeignStatus(Struct, frozen=True):
    """A profile that is left alone."""

    name: str
    reason: str


class WarningStatus(Struct, frozen=True, kw_only=True):
    """What is wrong with a profile or session in the AWS files."""

    profile: str
    file: str = "config"
    """``config`` or ``credentials``."""
    line: int
    text: str
    hint: str


class PartStatus(Struct, frozen=True):
    """How one part of the desktop is served."""

    back_end: str | None = None
    reason: str | None = None


class PresenceStatus(PartStatus, frozen=True):
    """Whether somebody is there to see notices."""

    locked: bool = False
    idle: bool = False
    asleep: bool = False
    busy: bool = False


class DesktopStatus(Struct, frozen=True):
    """How the desktop is served."""

    tray: PartStatus = PartStatus()
    notifications: PartStatus = PartStatus()
    presence: PresenceStatus = PresenceStatus()

    @property
    def parts(self) -> dict[str, PartStatus]:
        """The parts by the names of ``Part``."""
        return {"tray": self.tray, "notifications": self.notifications, "presence": self.presence}


class EndpointStatus(Struct, frozen=True):
    """How the local credentials endpoint is served."""

    port: int | None = None
    error: ErrorEntry | None = None


class AgentQuestion(Struct, frozen=True):
    """A coding agent that wants the keys of a profile, and may have them only if a person says so."""

    profile: str
    agent: str
    """What it is called: ``Claude Code``."""
    pid: int
    waiting: int = 0
    """So many of its requests wait for the answer now; 0: they have given up, and would ask again."""


class AgentAnswered(Struct, frozen=True):
    """What a person said to coding agents."""

    profile: str
    agents: tuple[str, ...]
    """Who had asked; empty: nobody, and nothing was changed."""
    allowed: bool


class StatusDocument(Struct, frozen=True, kw_only=True):
    """`credtray status --json`: the documented, versioned contract (docs/reference/status.md)."""

    version: int = 1
    now: datetime
    agent: AgentStatus
    sessions: tuple[SessionStatus, ...]
    profiles: tuple[ProfileStatus, ...]
    imports: tuple[PastedStatus, ...] = ()
    foreign: tuple[ForeignStatus, ...]
    warnings: tuple[WarningStatus, ...]
    problems: tuple[ErrorEntry, ...]
    credentials_file: ErrorEntry | None
    desktop: DesktopStatus = DesktopStatus()
    endpoint: EndpointStatus = EndpointStatus()
    notices_paused_until: datetime | None = None
    coding_agents: tuple[AgentQuestion, ...] = ()


# --- signing in and out ------------------------------------------------------------------------------


class LoginResult(Struct, frozen=True, kw_only=True):
    """How a session stands after ``Login``."""

    session: str
    signed_in_until: datetime | None
    end_is_estimate: bool | None
    end_known_by: EndProof | None = None
    already: bool
    """Nothing was begun: the sign-in was good. Then the rest is not told."""
    joined: bool | UnsetType = UNSET
    """Another program had just signed in; its sign-in is used."""
    moved: Moved | UnsetType | None = UNSET
    """Whether a fresh sign-in moved the end; None without one before it."""
    person: str | UnsetType = UNSET
    """Who signed in, where that is known already."""
    other_person: ErrorEntry | UnsetType | None = UNSET
    """It is not the person of the last time: what that means, and what to do."""


class KeepResult(Struct, frozen=True):
    """Whose sign-in is used from now on."""

    session: str
    person: str
    already: bool
    """There was nothing to agree to: it is the person of the last time."""


class CancelResult(Struct, frozen=True):
    """What came of ``CancelLogin``."""

    cancelled: bool
    """False: there was none to cancel."""
    still_valid: str
    """What works without a new sign-in, in a person's words; empty when nothing does."""


class LogoutResult(Struct, frozen=True):
    """What came of ``Logout``."""

    session: str
    told_portal: bool


# --- profiles and their keys -------------------------------------------------------------------------


class ChoiceResult(Struct, frozen=True):
    """What came of ``Activate``, ``Deactivate`` or ``Switch``."""

    profiles: tuple[ProfileStatus, ...]
    reasons: dict[str, ErrorEntry]
    """Profile -> why its keys are not in the credentials file."""
    credentials_file: ErrorEntry | None
    shadowed_default: str | None = None
    """Why programs will not look at the ``[default]`` that was chosen."""


class WaitResult(Struct, frozen=True, kw_only=True):
    """Until when the credentials of a profile last."""

    profile: str
    session: str
    until: datetime
    about: bool
    """It rests on an estimate of when the sign-in ends."""
    sure: bool = True
    """False: that it lasts as long as was wanted rests on that estimate."""
    sure_until: datetime | None = None
    end_known_by: EndProof | None = None
    region: str | None = None
    keys_until: datetime | None = None
    signed_in: bool = False
    """A sign-in was finished for it."""


class CopyResult(Struct, frozen=True):
    """Keys are on the clipboard."""

    profile: str
    seconds: float
    """How long they stay there."""
    keys_until: datetime


class ImportResult(Struct, frozen=True):
    """Pasted keys are in the credentials file."""

    section: str
    expires_at: datetime


class EndpointResult(Struct, frozen=True):
    """Where a program fetches the keys of one profile."""

    profile: str
    port: int
    url: str
    token_file: str
    region: str | None


class RevokeResult(Struct, frozen=True):
    """Whether a profile had a token to take back."""

    profile: str
    revoked: bool


class PageResult(Struct, frozen=True):
    """The page is open."""

    address: Secret
    """Lets one browser in, once, for so long. Whoever has it may do there what this user may."""
    seconds: float


# --- undo --------------------------------------------------------------------------------------------


class OurSection(Struct, frozen=True):
    """A section of ours in the credentials file."""

    section: str
    profile: str


class RecordedEdit(Struct, frozen=True):
    """A change of the config file that can be taken back."""

    at: datetime
    what: str
    sections: tuple[str, ...]


class UndoPlan(Struct, frozen=True):
    """What an undo would take back."""

    credentials: tuple[OurSection, ...]
    profiles: tuple[RecordedEdit, ...]


class RestoredSections(Struct, frozen=True):
    """What became of the sections of one file."""

    restored: tuple[str, ...]
    skipped: dict[str, str]
    """Section -> why it was left as it is."""


class UndoResult(Struct, frozen=True):
    """What an undo took back."""

    credentials: RestoredSections
    profiles: RestoredSections
