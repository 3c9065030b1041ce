"""What the agent can do, as values: ``policy`` decides on them, ``daemon/actions`` carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from credtray.core.models import SectionKeys
from credtray.core.notices import Notice


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Refresh the access token of this session silently."""

    session: str


@dataclass(frozen=True, slots=True)
class FetchRoleCredentials:
    """Fetch role credentials for this profile."""

    profile: str


@dataclass(frozen=True, slots=True)
class SyncCredentialsFile:
    """Write these sections and take those out, in one rewrite."""

    wanted: tuple[SectionKeys, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShowNotice:
    """Tell a person."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class WithdrawNotice:
    """Take a notice back that is true no longer."""

    session: str
    key: str


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """Ask the portal what the accounts of this session are called."""

    session: str


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """Open a sign-in window that nobody asked for: a setting allows one for each ended sign-in."""

    session: str


Action = (
    RefreshToken
    | FetchRoleCredentials
    | ListAccounts
    | SyncCredentialsFile
    | ShowNotice
    | WithdrawNotice
    | OpenSignIn
)
