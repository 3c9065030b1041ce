"""`credtray start` and `restart`: the agent in the background, begun by a command that returns.

Says that it runs and where its icon is, or why it does not run. Decides nothing about credentials.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import typer

from credtray import __version__
from credtray.aws.locations import locate
from credtray.cli import terminal
from credtray.cli.agent_process import end_agent, kept_keys
from credtray.cli.choices import JsonOption
from credtray.core.errors import (
    AgentNotRunning,
    AgentNotStarted,
    AgentSilent,
    ConfigInvalid,
    CredtrayError,
)
from credtray.core.protocol import OpenPage, Ping, Status, Stop, TestNotice
from credtray.core.protocol.results import AgentStatus, PingResult
from credtray.core.shell_words import argument, word
from credtray.core.state_words import clock_time, name_list
from credtray.core.words import plain
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
    started = there is None
    there = there or begun(tray=tray)
    if clicked and _nothing_is_set_up():
        _open_page()
    elif clicked and not started:
        _show_that_it_runs()
    _tell(there, started=started, json_output=json_output)


def _nothing_is_set_up() -> bool:
    """Tell whether the agent knows no session: who clicked on credtray then has everything still to do."""
    with suppress(CredtrayError), AgentClient.connect() as client:
        found = client.ask(Status())
        return not found.sessions and not any(each.code == ConfigInvalid.code for each in found.problems)
    return False


def _open_page() -> None:
    """Open the page, where the first thing is to sign in; a person clicked, so a window may open."""
    from credtray.cli.handover import show_page

    with suppress(CredtrayError), AgentClient.connect() as client:
        show_page(client.ask(OpenPage()).address)


def _show_that_it_runs() -> None:
    """Let the agent tell it on the desktop: who clicked in a menu sees nothing of what we print."""
    with suppress(CredtrayError), AgentClient.connect() as client:
        client.ask(TestNotice(already=True))


def restart(
    tray: bool | None = typer.Option(
        None, "--tray/--no-tray", help="Show an icon and notifications, or none; as before where not given."
    ),
    json_output: JsonOption = False,
) -> None:
    """Stop the agent and start it again in the background.

    After an upgrade this is how the new version begins. Meanwhile the keys stay in the credentials file.
    Without a running agent it only starts one. An agent that does not answer is ended all the same.
    One that systemd started is restarted by systemd.

    Examples:
      credtray restart
    """
    before = None
    with suppress(CredtrayError):  # one that does not answer is ended all the same
        before = running()
    try:
        there = _successor(before, tray=tray)
    except AgentNotStarted as error:
        raise _with_keys_left(error) from error
    _tell(there, started=True, json_output=json_output)


def _successor(before: PingResult | None, *, tray: bool | None) -> PingResult:
    """End the agent, start the next one in the same way, and return it; raises AgentNotStarted."""
    unit = None if before is None else unit_of(before.pid)
    if before is None or unit is None:
        end_agent(keep_keys=True)
        asked = tray if tray is not None or before is None else before.tray
        return begun(tray=asked is not False)
    if before.tray is not None:  # an older one would end by itself, and us with it if we are of its unit
        with suppress(CredtrayError), AgentClient.connect() as client:
            client.ask(Stop(keep_keys=True, by_signal=True))
    restart_unit(unit)
    return _answering(lambda: time.sleep(_LOOK_SECONDS), other_than=before.pid)


def _with_keys_left(error: AgentNotStarted) -> AgentNotStarted:
    """Add what the old agent has left in the credentials file, and nobody renews now."""
    path = locate(os.environ, Path.home()).credentials
    if not (marks := kept_keys(path)):
        return error
    names = sorted({mark.profile for mark in marks}, key=lambda name: (not name.startswith("-"), name))
    until = clock_time(min(mark.expires_at for mark in marks), datetime.now(UTC), None)
    listed = name_list(tuple(map(plain, names)))
    left = f"the keys for {listed} are still in {path}, end at {until} or later, and are not renewed"
    words = " ".join((argument(names[0]), *map(word, names[1:])))
    remove = f"Remove the keys: credtray deactivate {words}"
    return AgentNotStarted(f"{error.detail.removesuffix('.')}; {left}", hint=f"{error.advice} {remove}")


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

    def failed() -> AgentNotStarted | None:
        code = _ended(process)
        if not code:
            return None
        listener.join(_LAST_WORDS_SECONDS)
        return reason_of(b"".join(said).decode(errors="replace"), code)

    return _answering(failed)


def _answering(failed: Callable[[], AgentNotStarted | None], other_than: int | None = None) -> PingResult:
    """Return the agent that runs as soon as it answers.

    Args:
        failed: waits a moment, and tells why none will answer; None: one still may.
        other_than: the pid of the one that is about to end.

    Raises:
        AgentNotStarted: that, or it takes too long.
    """
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        reason = failed()
        with suppress(AgentSilent):  # it has a lot to do while it starts
            there = running()
            if there is not None and there.pid != other_than:
                return there
        if reason is not None:
            raise reason
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
