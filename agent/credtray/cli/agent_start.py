"""`credtray start` and `restart`: the agent in the background, begun by a command that returns.

Says that it runs and where its icon is, or why it does not run. Decides nothing about credentials.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO

import typer

from credtray import __version__
from credtray.cli import terminal
from credtray.cli.agent_process import end_agent
from credtray.cli.choices import JsonOption
from credtray.core.errors import AgentNotRunning, AgentNotStarted, AgentSilent, CredtrayError
from credtray.core.protocol import Ping, TestNotice
from credtray.core.protocol.results import AgentStatus, PingResult
from credtray.desktop.autostart import own_command
from credtray.desktop.background import begin, restart_unit, unit_of
from credtray.desktop.icon_place import icon_words
from credtray.ipc_client import AgentClient, settled_status

_START_SECONDS = 45.0
"""How long an agent may take until it answers: it waits 15 s for a command that works without it."""
_ICON_SECONDS = 6.0
"""How long it may take to learn whether a panel takes its icon."""
_LOOK_SECONDS = 0.1
_LAST_WORDS_SECONDS = 2.0

TrayOption = typer.Option(True, "--tray/--no-tray", help="Show an icon and notifications, or none.")


def start(
    tray: bool = TrayOption,
    clicked: bool = typer.Option(False, "--clicked", hidden=True),
    json_output: JsonOption = False,
) -> None:
    """Start the agent in the background.

    It keeps tokens and keys fresh until you stop it or log out, also when you close this terminal.
    If it is running already, this says so and exits with 0.

    Examples:
      credtray start
      credtray start --no-tray
    """
    there = running()
    if there is None:
        _tell(begun(tray=tray), started=True, json_output=json_output)
        return
    if clicked:
        _show_that_it_runs()
    _tell(there, started=False, json_output=json_output)


def _show_that_it_runs() -> None:
    """Let the agent tell it on the desktop: who clicked in a menu sees nothing of what we print."""
    with suppress(CredtrayError), AgentClient.connect() as client:
        client.ask(TestNotice(already=True))


def restart(tray: bool = TrayOption, json_output: JsonOption = False) -> None:
    """Stop the agent and start it again in the background.

    After an upgrade this is how the new version begins. Without a running agent it only starts one.
    An agent that does not answer is ended all the same. One that systemd started is restarted by systemd.

    Examples:
      credtray restart
    """
    before = None
    with suppress(CredtrayError):  # one that does not answer is ended all the same
        before = running()
    unit = None if before is None else unit_of(before.pid)
    if before is None or unit is None:
        end_agent()
        there = begun(tray=tray)
    else:
        restart_unit(unit)
        there = _followed(before)
    _tell(there, started=True, json_output=json_output)


def _followed(before: PingResult) -> PingResult:
    """Wait for the agent that systemd has started; raises AgentNotStarted when none answers."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with suppress(AgentSilent):
            there = running()
            if there is not None and there.pid != before.pid:
                return there
        time.sleep(_LOOK_SECONDS)
    raise AgentNotStarted(f"it did not answer within {_START_SECONDS:.0f} s")


def started_or_running(*, quiet: bool = False) -> None:
    """See to it that an agent runs, and tell of it.

    Raises:
        CredtrayError: why it does not run.
    """
    there = running()
    started = there is None
    there = there or begun()
    if not quiet:
        _tell(there, started=started, json_output=False)


def running() -> PingResult | None:
    """Return the agent that runs; None: there is none.

    Raises:
        CredtrayError: there is one that does not answer, or it is somebody else's.
    """
    try:
        with AgentClient.connect() as client:
            return client.ask(Ping())
    except AgentNotRunning:
        return None
    except AgentSilent as error:
        raise AgentSilent(error.detail, hint="Run: credtray restart") from None


def begun(*, tray: bool = True) -> PingResult:
    """Start an agent and return it as soon as it answers.

    Raises:
        AgentNotStarted: why it does not run.
    """
    command = own_command("run", "--background", *([] if tray else ["--no-tray"]))
    process = begin(command)
    said: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
    listener.start()
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        code = _ended(process)
        with suppress(AgentSilent):  # it has a lot to do while it starts
            there = running()
            if there is not None:
                return there
        if code:
            listener.join(_LAST_WORDS_SECONDS)
            raise reason_of(b"".join(said).decode(errors="replace"), code)
    raise AgentNotStarted(f"it did not answer within {_START_SECONDS:.0f} s")


def _listen(stream: IO[bytes], said: list[bytes]) -> None:
    said.extend(stream)


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code, or wait a moment; 0 where another one was quicker to start."""
    try:
        return process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return None


_STYLES = re.compile(r"\x1b\[[0-9;]*m")


def reason_of(said: str, code: int) -> AgentNotStarted:
    """Return the error with what the agent said last: an error of ours with its hint, or its last line."""
    text = _STYLES.sub("", said).strip()
    _, ours, told = text.rpartition("error: ")
    if ours:
        detail, _, hint = told.partition("\nhint: ")
        return AgentNotStarted(" ".join(detail.split()), hint=" ".join(hint.split()))
    ending = f"signal {-code}" if code < 0 else f"exit code {code}"
    last = text.splitlines()[-1].strip() if text else f"it ended with {ending} and said nothing"
    return AgentNotStarted(last)


# --- what is told -------------------------------------------------------------------------------------


def _tell(there: PingResult, *, started: bool, json_output: bool) -> None:
    icon = settled_status(_ICON_SECONDS).desktop.tray
    if json_output:
        agent = AgentStatus(running=True, pid=there.pid, version=there.version)
        terminal.show_json({"started": started, "agent": agent, "tray": icon})
        return
    already = "" if started else "already "
    terminal.show_words(f"credtray is {already}running (pid {there.pid}, version {there.version}).")
    terminal.show_words(icon_words(icon.back_end, icon.reason))
    if there.version == __version__:
        terminal.show_words("Stop it: credtray stop")
    else:
        terminal.show_words(f"To use version {__version__} instead: credtray restart")
