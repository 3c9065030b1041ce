"""What can happen: the only way anything reaches ``State``. Events carry facts, never decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from credtray.core.errors import Problem
from credtray.core.models import AccessToken, Account, Awaited, AwsConfig, RoleCredentials
from credtray.core.pasted_keys import ImportedKeys
from credtray.core.policy import Action
from credtray.core.ports import DesktopPart, EndpointState, Mark, Presence
from credtray.core.protocol.results import AgentQuestion
from credtray.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Begun:
    """An action of the policy is under way, so that it is not decided twice; handled by its own type."""

    action: Action


@dataclass(frozen=True, slots=True)
class SignInAwaited:
    """A job waits for somebody to sign in to this session."""

    session: str
    job: Awaited


@dataclass(frozen=True, slots=True)
class SignInUnawaited:
    """The job goes on, or has given up."""

    session: str
    job: Awaited


@dataclass(frozen=True, slots=True)
class Snoozed:
    """Nothing is said about this session's end until then."""

    session: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NoticesPaused:
    """Nothing is said about anything until then; None: from now on again."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeUnseen:
    """A notice could not be shown: it is decided again as soon as somebody can be told."""

    session: str
    key: str
    says: frozenset[str]
    possible: bool = False
    """True: while it was tried somebody has come who can be told."""


@dataclass(frozen=True, slots=True)
class WindowUnopened:
    """It ended before any window was opened."""

    session: str


# --- the desktop -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Somebody came or went: the screen was locked or unlocked, the machine goes to sleep or woke up."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class DayBegun:
    """A person is there for the first time in a working day, which a sign-in made now would cover."""

    session: str
    until: datetime
    """When the working day ends."""


@dataclass(frozen=True, slots=True)
class PartChanged:
    """A part of the desktop is served otherwise than before, or no longer."""

    part: DesktopPart


@dataclass(frozen=True, slots=True)
class AccountsListed:
    """The portal told the accounts of a session by name."""

    session: str
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class AccountsUnknown:
    """The accounts could not be listed; nobody asks again before the next sign-in."""

    session: str


@dataclass(frozen=True, slots=True)
class RolesListed:
    """What the portal assigns to the person of a session, compared with the last time; or as remembered."""

    session: str
    gone: frozenset[tuple[str, str]]
    """(account id, role): those of former times that are not assigned now."""
    came: frozenset[tuple[str, str]] = frozenset()
    went: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonKnown:
    """STS told who is signed in."""

    session: str
    person: str
    since: datetime
    """Of which token: ``Identity.since`` when it was asked."""


@dataclass(frozen=True, slots=True)
class PersonUnknown:
    """STS could not be asked, or told nobody's name."""

    session: str
    problem: Problem
    since: datetime


@dataclass(frozen=True, slots=True)
class PersonKept:
    """Somebody agreed that this person is the one who signs in from now on."""

    session: str
    person: str


@dataclass(frozen=True, slots=True)
class Imported:
    """Somebody pasted role credentials: they are to be kept in a section until they end."""

    section: str
    credentials: RoleCredentials
    account_id: str | None = None
    role_name: str | None = None


@dataclass(frozen=True, slots=True)
class ImportFailed:
    """They did not get into the credentials file; what was there before counts again."""

    section: str
    before: ImportedKeys | None


@dataclass(frozen=True, slots=True)
class Tick:
    """At least every 30 s: look at all deadlines."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The machine slept; what failed for want of a network may work now."""


@dataclass(frozen=True, slots=True)
class ClockChanged:
    """Somebody set the clock."""

    by: timedelta = timedelta()
    """Forward when positive; zero where that is not known."""


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """An interface or a route came up."""


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """One of the watched files may have changed; the loop reads them again."""


# --- files -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigLoaded:
    """The AWS config file was read."""

    config: AwsConfig


@dataclass(frozen=True, slots=True)
class ConfigBroken:
    """The AWS config file cannot be read: the last good state is kept."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class SettingsLoaded:
    """settings.toml was read."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class SettingsBroken:
    """settings.toml cannot be used: the last good settings are kept."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class StateSaved:
    """What should survive a restart was written, or (with a problem) could not be."""

    problem: Problem | None


@dataclass(frozen=True, slots=True)
class EndpointChanged:
    """The local credentials endpoint was opened or closed, or could not be."""

    standing: EndpointState


@dataclass(frozen=True, slots=True)
class AgentsAsked:
    """These coding agents wait for a person to let them have keys, or no longer."""

    questions: tuple[AgentQuestion, ...]


@dataclass(frozen=True, slots=True)
class TokenFound:
    """The token cache holds this token: ours, or another program's sign-in or refresh."""

    session: str
    token: AccessToken


@dataclass(frozen=True, slots=True)
class TokenVanished:
    """The token file is gone: the user signed out, here or elsewhere."""

    session: str
    emptied: bool = False
    """The whole token cache is gone with it, which no program does that signs out: somebody deleted it."""


@dataclass(frozen=True, slots=True)
class TokenDoubtful:
    """The token file is there but could not be read; what we hold is kept."""

    session: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class MarksRead:
    """These sections of the credentials file carry our mark."""

    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class MarksUnread:
    """The credentials file could not be read."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class SignInStarted:
    """A person asked; the one sign-in of this session is under way."""

    session: str


@dataclass(frozen=True, slots=True)
class EarlierEnded:
    """The active sign-in was ended at the portal to make room for the pending one; its token is dropped."""

    session: str


@dataclass(frozen=True, slots=True)
class SignInAddressKnown:
    """The address (and, for the device flow, the code) a person needs."""

    session: str
    url: str
    user_code: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in finished with this token."""

    session: str
    token: AccessToken
    joined: bool = False
    """True: another program finished it; we found its token."""


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """A sign-in ended without a token."""

    session: str
    problem: Problem
    dropped: bool = False
    """True: the old sign-in was given up for it; keys already issued stay valid."""
    unasked: bool = False
    """True: the agent had begun it by itself; nobody waits to hear how it ended."""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The session was signed out by us."""

    session: str


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A silent refresh brought a newer token (or found one on the disk)."""

    session: str
    token: AccessToken


@dataclass(frozen=True, slots=True)
class RefreshFailed:
    """A silent refresh failed; the token we hold is kept."""

    session: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class RefreshMoot:
    """A refresh ended without a token: somebody has signed out meanwhile."""

    session: str


# --- role credentials --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """Role credentials arrived."""

    profile: str
    credentials: RoleCredentials
    clock_error: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """Role credentials did not arrive; what we hold is kept."""

    profile: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Asked:
    """A program asked for this profile's role credentials."""

    profile: str


@dataclass(frozen=True, slots=True)
class Needed:
    """Somebody needs role credentials of this profile that last until then, however good those held are."""

    profile: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Activated:
    """These profiles are to be kept in the credentials file."""

    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deactivated:
    """These profiles are no longer kept in the credentials file."""

    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Switched:
    """``[default]`` mirrors this profile, or nobody when None."""

    profile: str | None


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody asks the agent to stop, and says whether another one follows."""

    follower_until: datetime | None
    """None: no other follows. Else our keys stay in the credentials file if we stop before."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The agent is about to stop: keys of ours leave the credentials file (a setting keeps them)."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The credentials file was rewritten; some sections may have been refused."""

    marks: tuple[Mark, ...]
    refused: Mapping[str, Problem] = field(default_factory=dict)
    """By section."""


@dataclass(frozen=True, slots=True)
class SyncFailed:
    """The credentials file could not be rewritten; it is as it was."""

    problem: Problem


# fmt: off
Event = (
    Begun | Tick | Woke | ClockChanged | NetworkChanged | FilesChanged | ConfigLoaded | ConfigBroken
    | SettingsLoaded | SettingsBroken | StateSaved | TokenFound | TokenVanished | TokenDoubtful
    | MarksRead | MarksUnread | SignInStarted | SignInAddressKnown | SignedIn | SignInFailed | SignedOut
    | Refreshed | RefreshFailed | RefreshMoot | Fetched | FetchFailed
    | Asked | Needed | Activated | Deactivated | Switched | Snoozed | StopAsked | Stopping | Synced
    | SyncFailed | NoticesPaused | NoticeUnseen | PresenceChanged
    | DayBegun | PartChanged | EndpointChanged | AccountsListed | AccountsUnknown
    | Imported | ImportFailed | SignInAwaited | SignInUnawaited
    | WindowUnopened | EarlierEnded | PersonKnown | PersonUnknown | PersonKept | AgentsAsked | RolesListed
)
# fmt: on
