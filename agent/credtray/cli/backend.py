"""What the commands ask of the rest: the agent, or ``credtray.without_agent``; tests put a fake here.

Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from credtray.core.errors import AgentNotRunning, BadFrame
from credtray.core.protocol import (
    Credentials,
    CredentialsIssued,
    Done,
    ProcessCredentials,
    Progress,
    Reply,
    Request,
)
from credtray.ipc_client import AgentClient


class Backend(Protocol):
    """Who carries out what a command asks for."""

    def perform(self, request: Request, on_progress: Callable[[Progress], None]) -> Reply:
        """Ask the agent, or carry the request out in this process when none runs.

        Raises:
            CredtrayError: why it was not carried out.
        """
        ...

    def perform_here(self, request: Request, on_progress: Callable[[Progress], None]) -> Reply:
        """Carry the request out in this process, whether an agent runs or not; raises as ``perform``."""
        ...

    def run_agent(self, *, desktop: bool) -> int:
        """Be the agent until a signal, `credtray stop` or Quit in the menu; return the exit code."""
        ...

    def watch(self, on_document: Callable[[dict[str, Any]], None]) -> None:
        """Hand over a status document now and at each change, until the agent ends."""
        ...


class _Agent:
    """The running agent when there is one: then what works without it is not even imported."""

    def perform(self, request: Request, on_progress: Callable[[Progress], None]) -> Reply:
        try:
            with AgentClient.connect() as client:
                return client.ask(request, on_progress)
        except AgentNotRunning:
            return self.perform_here(request, on_progress)

    def perform_here(self, request: Request, on_progress: Callable[[Progress], None]) -> Reply:
        from credtray import without_agent

        return without_agent.perform(request, on_progress)

    def run_agent(self, *, desktop: bool) -> int:
        from credtray.app import build
        from credtray.environment import Environment
        from credtray.service import run

        return run(build(Environment(desktop=desktop)), console=True)

    def watch(self, on_document: Callable[[dict[str, Any]], None]) -> None:
        with AgentClient.connect() as client:
            for update in client.watch():
                on_document(update.document)


def current() -> Backend:
    """Return the real one."""
    return _Agent()


def ask(request: Request, on_progress: Callable[[Progress], None] | None = None) -> dict[str, Any]:
    """Return the result of a request that is answered with ``Done``.

    Raises:
        CredtrayError: why it was not carried out.
    """
    reply = current().perform(request, on_progress or _say)
    if not isinstance(reply, Done):
        raise BadFrame(f"{type(reply).__name__} is not an answer to {type(request).__name__}")
    return reply.result


def _say(step: Progress) -> None:
    if step.text:
        from credtray.cli import terminal

        terminal.say(step.text)


def credentials_of(profile: str) -> ProcessCredentials:
    """Return the role credentials of a profile.

    Raises:
        CredtrayError: why there are none.
    """
    reply = current().perform(Credentials(profile), lambda _step: None)
    if not isinstance(reply, CredentialsIssued):
        raise BadFrame(f"{type(reply).__name__} is not an answer to Credentials")
    return reply.credentials
