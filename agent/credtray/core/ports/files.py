"""Ports to files (config, settings, state, token cache, credentials) and to the endpoint. See the package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from credtray.core.errors import Problem
from credtray.core.models import AccessToken, AwsConfig, ClientRegistration, Secret, SectionKeys, SsoSession
from credtray.core.protocol.messages import ProcessCredentials
from credtray.core.settings import Settings

if TYPE_CHECKING:
    from credtray.core.config.setup_edits import Change
    from credtray.core.settings import Toml


class ConfigFile(Protocol):
    """The AWS config file, read as botocore reads it."""

    def stamp(self) -> object:
        """Return something that differs when the file may have changed; costs a stat call, never raises."""
        ...

    def load(self) -> AwsConfig:
        """Read and understand the file.

        Raises:
            ConfigInvalid: the file is broken as a whole; the line is named.
        """
        ...


class SettingsFile(Protocol):
    """settings.toml."""

    def stamp(self) -> object:
        """As ``ConfigFile.stamp``."""
        ...

    def load(self) -> Settings:
        """Read the settings; defaults when there is no file.

        Raises:
            SettingsInvalid: the line or the setting is named.
        """
        ...

    def set(self, keys: Sequence[str], value: Toml | None) -> None:
        """Set one value, or with None take it out; comments are kept.

        Raises:
            SettingsInvalid, FileContended, FileRefused, FileUnwritable: nothing was changed.
        """
        ...


class ChangeRecord(Protocol):
    """What credtray changed in the config file and can take back."""

    def changes(self) -> Sequence[Change]:
        """Return the changes, oldest first.

        Raises:
            FileUnwritable, FileRefused: they cannot be read.
        """
        ...

    def forget(self, change: Change) -> None:
        """Drop one that was taken back."""
        ...


class StateFile(Protocol):
    """What survives a restart; see core/state_document."""

    def save(self, document: bytes) -> None:
        """Write it atomically, 0600."""
        ...


class TokenCache(Protocol):
    """~/.aws/sso/cache, shared with the AWS CLI and every SDK."""

    def stamp(self, session: SsoSession) -> object:
        """As ``ConfigFile.stamp``."""
        ...

    def read(self, session: SsoSession) -> AccessToken | None:
        """Return the token, or None when the file does not exist: the user signed out.

        Raises:
            TokenUnreadable: the file is there but torn, garbage, too large or no file, also after retries.
        """
        ...

    def write(self, session: SsoSession, token: AccessToken) -> None:
        """Write all fields atomically, 0600, keeping fields we do not know."""
        ...

    def check_writable(self, session: SsoSession) -> None:
        """Find out whether a token could be written now, without touching the one there is.

        Raises:
            FileUnwritable, FileRefused: it could not; nothing was changed.
        """
        ...

    def drop(self, session: SsoSession, token: AccessToken) -> None:
        """Delete the token file if it still holds this very token."""
        ...

    def emptied(self) -> bool:
        """Tell whether there is not one file left, of whatever program.

        `aws sso logout` keeps the client registrations (awscli 2.9.19, customizations/sso/logout.py), and so
        does a sign-out here.
        """
        ...

    def registration(self, session: SsoSession, grant: str) -> ClientRegistration | None:
        """Return a cached client registration good for this grant type and 15 minutes longer, or None."""
        ...

    def save_registration(self, session: SsoSession, registration: ClientRegistration) -> None:
        """Cache a client registration in the AWS CLI's format."""
        ...

    def lock(self, session: SsoSession) -> AbstractContextManager[None]:
        """Hold the per-key lock over re-read, refresh and write; between processes, bounded wait."""
        ...

    def sign_in_lock(self, session: SsoSession, given_up: Callable[[], bool]) -> AbstractContextManager[None]:
        """Hold the lock of a sign-in (minutes); a second process waits here and then finds the token.

        Raises (on entering):
            FileContended: ``given_up``, asked all the while, ended the wait; or it took too long.
        """
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A section of the credentials file that carries our mark."""

    section: str
    profile: str
    expires_at: datetime
    digest: str
    """Of the access key id written; see core/section_mark."""
    pasted: bool = False
    """Keys that `credtray import` wrote: they belong to no profile, ``profile`` says whose they are."""


class SyncReport(Protocol):
    """What one rewrite of the credentials file did."""

    @property
    def written(self) -> tuple[str, ...]:
        """Sections that hold the wanted keys now."""
        ...

    @property
    def removed(self) -> tuple[str, ...]:
        """Sections that hold nothing of ours any more."""
        ...

    @property
    def refused(self) -> Mapping[str, Problem]:
        """Sections that were left alone, each with the reason."""
        ...

    @property
    def tightened_from(self) -> int | None:
        """The mode the file had when it was too wide for secrets; None when it was not."""
        ...


class CredentialsFile(Protocol):
    """~/.aws/credentials; see aws/credentials_file for the rules it keeps."""

    def stamp(self) -> object:
        """As ``ConfigFile.stamp``."""
        ...

    def sync(self, wanted: Sequence[SectionKeys], removed: Collection[str], now: datetime) -> SyncReport:
        """Write these sections and take those out, in one rewrite."""
        ...

    def marks(self) -> tuple[Mark, ...]:
        """Return the sections that carry our mark."""
        ...


# Ports of the local credentials endpoint: its memory, its tokens, its port.


@dataclass(frozen=True, slots=True)
class EndpointState:
    """How the endpoint is served; it is what `credtray status` tells of it."""

    port: int | None = None
    """None: it is closed."""
    problem: Problem | None = None
    """Why it is closed although somebody wants it open; with a port, why not every profile has a token."""


@dataclass(frozen=True, slots=True)
class EndpointMemory:
    """What outlives the agent. The tokens do not."""

    port: int | None = None
    profiles: frozenset[str] = frozenset()
    """Somebody has asked for an endpoint of these."""
    revoked: frozenset[str] = frozenset()
    """Nobody gets one of these before somebody asks again, whatever the settings say."""


class EndpointStore(Protocol):
    """Memory and token files; each method may block (it runs in a worker thread)."""

    def load(self) -> EndpointMemory:
        """Return what is remembered.

        Raises:
            FileRefused, FileUnwritable: it cannot be read.
        """
        ...

    def save(self, memory: EndpointMemory) -> None:
        """Remember this.

        Raises:
            FileRefused, FileUnwritable: it cannot be written.
        """
        ...

    def path(self, port: int, profile: str) -> str:
        """Return the path of a profile's token file."""
        ...

    def write(self, port: int, profile: str, token: Secret) -> None:
        """Write a token file.

        Raises:
            FileRefused, FileUnwritable: it cannot be written.
        """
        ...

    def remove(self, port: int, profile: str) -> None:
        """Take a token file away for good."""
        ...

    def clear(self, port: int | None) -> None:
        """Take all token files away; their directories stay where they belong to *port*."""
        ...


Caller: TypeAlias = int | tuple[str, int] | None
"""Who asks: a process id, or where its loopback connection comes from; None: not known, or this process."""
IssueForProfile: TypeAlias = Callable[[str, Caller], Awaitable[ProcessCredentials]]
"""Returns a profile's role credentials, or raises the ``CredtrayError`` that says why there are none."""


class EndpointPort(Protocol):
    """A port that is ours; only on the event loop's thread."""

    @property
    def port(self) -> int:
        """Its number, on 127.0.0.1."""
        ...

    async def serve(self, tokens: Mapping[str, Secret], issue: IssueForProfile) -> None:
        """Answer from now on; *tokens* (profile -> token) is looked at for each request."""
        ...

    async def close(self) -> None:
        """Close the port and every connection."""
        ...
