"""`credtray run`, `stop` and `version`.

Starts nothing in the background: whoever supervises the agent (a terminal, systemd, the tray) does.
"""

from __future__ import annotations

import os
import signal
import sys

import typer

from credtray import __version__
from credtray.cli import backend, terminal
from credtray.cli.choices import JsonOption
from credtray.core.errors import AgentNotRunning, AgentSilent, FileContended
from credtray.core.protocol import Stop

_END_SECONDS = 10.0
_STUCK_SECONDS = 4.0
"""The agent ends within 3 s of a signal, unless it cannot."""


def run(
    tray: bool = typer.Option(True, "--tray/--no-tray", help="Show an icon and notifications, or none."),
) -> None:
    """Keep everything fresh, until Ctrl-C, `credtray stop` or Quit in the menu of its icon.

    The icon and the notifications appear where there is a desktop; without one the agent does the same work
    and `credtray status` says what is missing. One agent per user: a second one says so and exits with 0.

    Examples:
      credtray run
      credtray run --no-tray
    """
    raise typer.Exit(backend.current().run_agent(desktop=tray))


def stop(json_output: JsonOption = False) -> None:
    """End the agent; sign-ins stay valid.

    The keys it keeps are taken out of the credentials file, unless the settings keep them.
    An agent that does not answer is ended all the same.

    Examples:
      credtray stop
    """
    from credtray.ipc_client import AgentClient

    try:
        with AgentClient.connect() as client:
            stopped = client.ask(Stop())
    except AgentNotRunning:
        _tell("No agent is running.", json_output=json_output, stopped=False)
        return
    except AgentSilent:
        _tell(_end_stuck(), json_output=json_output, stopped=True)
        return
    _wait_for_end()
    _tell(
        f"The agent (pid {stopped.pid}) has stopped; nothing is renewed until it runs again.",
        json_output=json_output,
        stopped=True,
    )


def _end_stuck() -> str:
    """End an agent that answers nothing (stopped by Ctrl-Z, or hanging) and return what was done.

    Raises:
        AgentSilent: nobody can tell which process it is, or it does not end.
    """
    if sys.platform == "win32":
        raise AgentSilent("stop it in the task manager")
    else:  # noqa: RET506 -- type checkers take the branch of their platform
        from credtray.agent_socket import listener  # cannot be imported on Windows

        try:
            pid = listener()
        except OSError:
            pid = None
        if pid is None:
            raise AgentSilent("its process is unknown; stop it yourself")
        for number in (signal.SIGTERM, signal.SIGCONT):
            os.kill(pid, number)
        try:
            _wait_for_end(_STUCK_SECONDS)
        except AgentSilent:
            os.kill(pid, signal.SIGKILL)
            _wait_for_end(_STUCK_SECONDS)
            return f"The agent (pid {pid}) was killed; its keys stay in the credentials file."
        return f"The agent (pid {pid}) did not answer, but has stopped now."


def _tell(text: str, *, json_output: bool, stopped: bool) -> None:
    if json_output:
        terminal.show_json({"stopped": stopped})
    else:
        terminal.show(text)


def _wait_for_end(seconds: float = _END_SECONDS) -> None:
    """Wait until the agent's lock is free: then it is gone, however it ended.

    Raises:
        AgentSilent: it is still there.
    """
    from credtray.desktop.paths import agent_lock
    from credtray.files.file_lock import FileLock

    try:
        with FileLock(agent_lock(), timeout=seconds):
            return
    except FileContended:
        raise AgentSilent(f"it did not stop within {seconds:.0f} s") from None


def version(json_output: JsonOption = False) -> None:
    """Print the version.

    The running agent may be of another one: `credtray status` shows it.

    Examples:
      credtray version
    """
    if json_output:
        terminal.show_json({"version": __version__})
    else:
        terminal.show(f"credtray {__version__}")
