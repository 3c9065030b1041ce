"""Ports of the local credentials endpoint: its memory, its tokens, its port. See the package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from credtray.core.errors import Problem
from credtray.core.protocol.replies import ProcessCredentials
from credtray.core.secret import Secret


@dataclass(frozen=True, slots=True)
class EndpointStanding:
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


IssueForProfile: TypeAlias = Callable[[str], Awaitable[ProcessCredentials]]
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
