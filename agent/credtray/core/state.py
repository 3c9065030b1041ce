"""Everything the agent knows, as one frozen value: ``apply`` changes it, ``policy`` says what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import TypeVar

from credtray.core.errors import Problem
from credtray.core.expiry import SignInMemory
from credtray.core.models import AccessToken, Awaited, AwsConfig, Profile, RoleCredentials, SignIn, SsoSession
from credtray.core.pasted_keys import ImportedKeys
from credtray.core.ports import DesktopPart, EndpointState, Mark, Part, Presence
from credtray.core.protocol.results import AgentQuestion
from credtray.core.settings import Settings

K = TypeVar("K")
V = TypeVar("V")


def frozen(mapping: Mapping[K, V]) -> Mapping[K, V]:
    """Return a read-only copy."""
    return MappingProxyType(dict(mapping))


def put(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    """Return a read-only copy with one entry set."""
    return MappingProxyType({**mapping, key: value})


MOST_RECENT = 8
"""So many profiles are remembered as chosen lately."""

PASSING = frozenset({"trouble", "offline"})
"""Notices that may be told again in one sign-in, once what they told has passed."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something failed and may pass by itself."""

    problem: Problem
    since: datetime
    """Counted anew when the network may be back."""
    attempts: int
    retry_at: datetime
    began: datetime | None = None
    """Since when it lasts whatever the network did meanwhile; ``since`` where that is None."""
    tried_at: datetime | None = None
    """When it failed last; ``since`` where that is None."""

    @property
    def lasting_since(self) -> datetime:
        """Since when nothing has worked while the machine was awake."""
        return self.began or self.since


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in a person has not finished yet."""

    started_at: datetime
    url: str | None = None
    user_code: str | None = None
    replaces: SignIn | None = None
    """The sign-in that was active when this one began, as it was known then; None: nobody was signed in."""
    ended_at: datetime | None = None
    """When that one was ended at the portal to make room; None: it is untouched."""


@dataclass(frozen=True, slots=True)
class FailedSignIn:
    """The last sign-in, which ended without a token."""

    at: datetime
    problem: Problem
    ended_at: datetime | None = None
    """When the sign-in before it was ended for it; None: that one is untouched, or there was none."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose sign-in it is, as far as STS has told; see ``identity``."""

    expected: str | None = None
    """Who signed in the last time, or was agreed to since; None: nobody knows, so nobody is compared."""
    person: str | None = None
    """Who is signed in; None: nobody knows."""
    since: datetime | None = None
    """When the token came that STS is to be asked about; None: nobody asks."""
    told: bool = False
    """STS has told whose it is."""
    asking: bool = False
    held_since: datetime | None = None
    """When the first keys came that wait for the answer."""
    unchecked: bool = False
    """Keys were given out before anybody knew whose they are."""
    trouble: Trouble | None = None


class Rejection(Enum):
    """What the portal thinks of an access token that should still be good."""

    NONE = "none"
    RAISED = "raised"
    """It said 401: one refresh is to find out."""
    RENEWED = "renewed"
    """The token was renewed after a 401: another 401 means that the sign-in has ended."""


class SignInStatus(Enum):
    """What a session can do right now."""

    SIGNED_OUT = "signed_out"
    """There is no token."""
    SIGNED_IN = "signed_in"
    ENDED = "ended"
    """There was a sign-in; only a person can begin another."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """One sso-session."""

    session: SsoSession
    looked: bool = False
    """False until the token cache was read: what is not known yet is not "signed out"."""
    token: AccessToken | None = None
    token_life: timedelta = timedelta(hours=1)
    """Of the token held: how long it was good for when it came (an hour where that is not known)."""
    sign_in: SignIn | None = None
    before: SignIn | None = None
    """The sign-in the present one replaced while it was still active; None once the ends were compared."""
    memory: SignInMemory = SignInMemory()
    pending: PendingSignIn | None = None
    failed: FailedSignIn | None = None
    """None again as soon as another sign-in begins, or somebody signs in elsewhere."""
    refreshing: bool = False
    overtaken: bool = False
    """True: the refresh under way is of a token before this sign-in; its outcome means nothing any more."""
    refreshed_at: datetime | None = None
    """Last attempt."""
    doubt: Rejection = Rejection.NONE
    ended: bool = False
    trouble: Trouble | None = None
    """Portal and token service, as far as the whole session is concerned."""
    refusal: Trouble | None = None
    """The token service does not renew the token, and says so: the sign-in ends with it, unless a later try
    is granted. Holds no other call back."""
    problem: Problem | None = None
    """The last thing a person should know: a sign-in that failed, a token file that cannot be read."""
    said: frozenset[str] = frozenset()
    """Notices of this sign-in that were shown."""
    snoozed_until: datetime | None = None
    day_until: datetime | None = None
    """When the working day ends that this sign-in does not cover, and one made at its beginning would."""
    showing: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """The notices on the screen, as far as is known: what each says, by key. The moot ones are taken back."""
    unseen: frozenset[str] = frozenset()
    """What was to be told while nobody could be; decided anew when notifications work again."""
    emptied: bool = False
    """Somebody has deleted the token cache, and with it the sign-in that was there."""
    news: bool = False
    """The present sign-in came about through us: a person waits to hear that it worked."""
    window_after: datetime | None = None
    """No window is opened by itself before: the last try found no portal."""
    awaited: frozenset[Awaited] = frozenset()
    """Who waits for somebody to sign in."""
    accounts_asked: datetime | None = None
    """When the accounts were listed, or could not be, since the last sign-in."""
    identity: Identity = Identity()
    gone: frozenset[tuple[str, str]] = frozenset()
    """(account id, role): roles that the person had and has no longer, as far as the portal told."""

    @property
    def name(self) -> str:
        """The sso-session's name."""
        return self.session.name


@dataclass(frozen=True, slots=True)
class ProfileState:
    """One profile's role credentials."""

    profile: Profile
    credentials: RoleCredentials | None = None
    withheld: RoleCredentials | None = None
    """Newer ones that nobody gets before it is known whose they are, or that they may be used."""
    fetching: bool = False
    attempted_at: datetime | None = None
    trouble: Trouble | None = None
    """Of this role alone: refused, wrong answer."""
    asked_at: datetime | None = None
    """When a program last asked and was not yet answered."""
    needed_until: datetime | None = None
    """Somebody needs keys that last until then; the next fetch, however it ends, answers that."""

    @property
    def name(self) -> str:
        """The profile's name."""
        return self.profile.name


@dataclass(frozen=True, slots=True)
class FileState:
    """The credentials file."""

    marks: Mapping[str, Mark] = field(default_factory=lambda: MappingProxyType({}))
    """Sections that carry our mark, by section name."""
    known: bool = False
    """False until the file was read once."""
    unread: bool = False
    """True: the trouble is that the file cannot be read."""
    syncing: bool = False
    trouble: Trouble | None = None
    refused: Mapping[str, Problem] = field(default_factory=lambda: MappingProxyType({}))
    """By section; forgotten when the file or the wish changes."""


@dataclass(frozen=True, slots=True)
class State:
    """The whole."""

    settings: Settings = Settings()
    config: AwsConfig = AwsConfig()
    sessions: Mapping[str, SessionState] = field(default_factory=lambda: MappingProxyType({}))
    profiles: Mapping[str, ProfileState] = field(default_factory=lambda: MappingProxyType({}))
    active: tuple[str, ...] = ()
    default: str | None = None
    choices_unknown: bool = False
    """True: what was chosen could not be read, so what the credentials file holds is taken for it."""
    file: FileState = FileState()
    config_problem: Problem | None = None
    settings_problem: Problem | None = None
    unsaved: Problem | None = None
    """Why choices would be forgotten at a restart."""
    clock_error: timedelta = timedelta()
    """The portal's clock minus ours, when last heard."""
    remembered: Mapping[str, SessionState] = field(default_factory=lambda: MappingProxyType({}))
    """What was known of sessions that the config file does not name just now (it may again)."""
    presence: Presence = Presence()
    """Notices are held while nobody would see them."""
    paused_until: datetime | None = None
    """A person wants no notices before."""
    desktop: Mapping[str, DesktopPart] = field(default_factory=lambda: MappingProxyType({}))
    """By name: how tray, notifications and presence are served."""
    endpoint: EndpointState = EndpointState()
    questions: tuple[AgentQuestion, ...] = ()
    """Coding agents that wait for a person to let them have keys."""
    recent: tuple[str, ...] = ()
    """Profiles chosen lately, the latest first."""
    accounts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Account id -> name, as far as the portal told."""
    imports: Mapping[str, ImportedKeys] = field(default_factory=lambda: MappingProxyType({}))
    """Pasted keys, by section."""
    follower_until: datetime | None = None
    """Until then, another agent is expected to follow as soon as we stop."""
    stopping: bool = False
    followed: bool = False
    """While we stop: another agent follows, and takes over the keys in the credentials file."""
    asks_person: bool = False
    """Whoever owns this state finds out who signs in; False: who was known stays known."""
    seed: str = ""
    """Spreads retries of different machines; nothing else depends on it."""

    def with_session(self, state: SessionState) -> State:
        """Return this state with one session replaced."""
        return replace(self, sessions=put(self.sessions, state.name, state))

    def with_profile(self, state: ProfileState) -> State:
        """Return this state with one profile replaced."""
        return replace(self, profiles=put(self.profiles, state.name, state))

    @property
    def kept(self) -> tuple[str, ...]:
        """Profiles whose credentials are fetched ahead: the active ones and the one ``[default]`` mirrors."""
        names = (
            self.active
            if self.default is None or self.default in self.active
            else (*self.active, self.default)
        )
        return tuple(name for name in names if name in self.profiles)

    @property
    def notifications(self) -> str | None:
        """What shows notices now; None when nothing does, or nothing is known of it."""
        part = self.desktop.get(Part.NOTIFICATIONS)
        return None if part is None else part.back_end

    @property
    def notifications_down(self) -> bool:
        """True when what shows notices cannot be reached just now: nothing can be taken back either."""
        part = self.desktop.get(Part.NOTIFICATIONS)
        return part is not None and part.back_end is None

    def profiles_of(self, session: str) -> tuple[ProfileState, ...]:
        """Return the profiles that take their credentials from this session."""
        return tuple(item for item in self.profiles.values() if item.profile.session == session)


def region_of(state: State, name: str) -> str | None:
    """Return the region handed out with the keys of a profile: the setting, else the config file's."""
    chosen = state.settings.profile(name).region
    profile = state.profiles.get(name)
    return chosen if chosen is not None or profile is None else profile.profile.region
