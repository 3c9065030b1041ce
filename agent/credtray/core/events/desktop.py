"""What can happen between the agent and a person: notices, presence, the desktop. See the package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credtray.core.models import Account, Awaited
from credtray.core.ports import DesktopPart, Presence


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
class NoticeShown:
    """A notice was handed to the notifier."""

    session: str
    says: frozenset[str]
    """What it told; none of it is repeated during this sign-in."""
    key: str = ""
    """Under which it can be replaced or taken back."""


@dataclass(frozen=True, slots=True)
class NoticeUnseen:
    """A notice could not be shown: it is decided again as soon as somebody can be told."""

    session: str
    key: str
    says: frozenset[str]
    possible: bool = False
    """True: while it was tried somebody has come who can be told."""


@dataclass(frozen=True, slots=True)
class NoticeWithdrawn:
    """A notice that was moot was taken back."""

    session: str
    key: str


@dataclass(frozen=True, slots=True)
class WindowBegun:
    """A sign-in that nobody asked for begins; for this end there is no other one."""

    session: str


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
class PartChanged:
    """A part of the desktop is served otherwise than before, or no longer."""

    part: DesktopPart


@dataclass(frozen=True, slots=True)
class AccountsAsked:
    """The accounts of a session are being listed."""

    session: str


@dataclass(frozen=True, slots=True)
class AccountsListed:
    """The portal told the accounts of a session by name."""

    session: str
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class AccountsUnknown:
    """The accounts could not be listed; nobody asks again before the next sign-in."""

    session: str
