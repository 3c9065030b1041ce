"""What the commands ask of the rest: the agent, or ``credtray.app``; tests put a fake here.

Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from credtray.core.errors import AgentNotRunning, CredtrayError
from credtray.core.protocol import Asks, Progress, signs_in
from credtray.core.protocol.results import StatusDocument
from credtray.ipc_client import AgentClient

if TYPE_CHECKING:
    from credtray.daemon.log import Console

R = TypeVar("R")


class Backend(Protocol):
    """Who carries out what a command asks for."""

    def perform(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        """Ask the agent, or carry the request out in this process when none runs; return the result.

        Raises:
            CredtrayError: why it was not carried out.
        """
        ...

    def perform_here(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        """Carry the request out in this process, whether an agent runs or not; raises as ``perform``."""
        ...

    def agent_runs(self) -> bool:
        """Tell whether an agent is there, also one that does not answer."""
        ...

    def run_agent(self, *, desktop: bool, console: Console, started: Callable[[], None]) -> int:
        """Be the agent until a signal, `credtray stop` or Quit in the menu; return the exit code.

        ``started`` is called once it answers. Where the console gets nothing, it says before that why it
        cannot start.
        """
        ...

    def watch(self, on_document: Callable[[StatusDocument], None]) -> None:
        """Hand over a status document now and at each change, until the agent ends."""
        ...


class _Agent:
    """The running agent when there is one: then what works without it is not even imported."""

    def perform(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        try:
            client = AgentClient.connect()
        except AgentNotRunning:
            return self.perform_here(request, on_progress)
        with client:
            try:
                return client.ask(request, on_progress)
            except AgentNotRunning:
                # Its page in the browser has gone with it, and nobody asked for a second one.
                if signs_in(request):
                    raise AgentNotRunning(
                        "it ended before the sign-in was finished", hint="To sign in, run the command again."
                    ) from None
        return self.perform_here(request, on_progress)

    def perform_here(self, request: Asks[R], on_progress: Callable[[Progress], None]) -> R:
        from credtray import app

        return app.perform(request, on_progress)

    def agent_runs(self) -> bool:
        try:
            AgentClient.connect().close()
        except AgentNotRunning:
            return False
        except CredtrayError:
            return True
        return True

    def run_agent(self, *, desktop: bool, console: Console, started: Callable[[], None]) -> int:
        from credtray.app import build
        from credtray.environment import Environment
        from credtray.service import run

        return run(build(Environment(desktop=desktop)), console=console, started=started)

    def watch(self, on_document: Callable[[StatusDocument], None]) -> None:
        with AgentClient.connect() as client:
            for document in client.watch():
                on_document(document)


def current() -> Backend:
    """Return the real one."""
    return _Agent()


def ask(request: Asks[R], on_progress: Callable[[Progress], None] | None = None) -> R:
    """Return the result of a request.

    Raises:
        CredtrayError: why it was not carried out.
    """
    return current().perform(request, on_progress or _say)


def _say(step: Progress) -> None:
    if step.text:
        from credtray.cli import terminal

        terminal.say(step.text)


# Where the person at this terminal is, and what they see there. Reads the environment only.


_BY_SSH = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")
"""What sshd(8) sets for a session."""

_A_BROWSER = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
"""A command for addresses (remote editors set one that opens them at the other end), or a display."""


def without_browser(environ: Mapping[str, str]) -> bool:
    """Tell whether an address of 127.0.0.1 would be of no use: the browser is on another machine."""
    return any(environ.get(name) for name in _BY_SSH) and not any(environ.get(name) for name in _A_BROWSER)


def has_desktop(environ: Mapping[str, str], platform: str) -> bool:
    """Tell whether the person here sees a desktop, so a browser and an icon."""
    if platform in {"darwin", "win32"}:
        return "SSH_CONNECTION" not in environ
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
