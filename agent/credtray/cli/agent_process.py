"""`credtray run`, `stop`, `version` and `notify-test`.

Starts nothing in the background: ``agent_start`` does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import typer

from credtray import __version__
from credtray.cli import backend, terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.cli.status_words import Reader, session_words
from credtray.core.errors import (
    AgentNotRunning,
    AgentSilent,
    BadFrame,
    CredtrayError,
    FileContended,
    FileRefused,
    FileUnwritable,
    ProtocolMismatch,
)
from credtray.core.protocol import Stop, TestNotice
from credtray.core.section_mark import SectionMark, parsed
from credtray.core.shell_words import FIND_AGENT, end_process
from credtray.core.state_words import clock_time
from credtray.desktop.icon_place import icon_words
from credtray.ipc_client import settled_status

_ICON_SECONDS = 6.0
_END_SECONDS = 10.0
_STUCK_SECONDS = 4.0
"""The agent ends within 3 s of a signal, unless it cannot."""


def run(
    tray: bool = typer.Option(True, "--tray/--no-tray", help="Show an icon and notifications, or none."),
    verbose: bool = typer.Option(False, "--verbose", help="In a terminal, print the lines of the log."),
    background: bool = typer.Option(False, "--background", hidden=True),
) -> None:
    """Be the agent: keep everything fresh, until Ctrl-C, `credtray stop` or Quit in the menu of its icon.

    `credtray start` does the same in the background; this is for a terminal to watch, and for systemd.
    A terminal gets what a person should know, everything else gets the lines of the log.

    The icon and the notifications appear where there is a desktop; without one the agent does the same work
    and `credtray status` says what is missing. One agent per user: a second one says so and exits with 0.

    Examples:
      credtray run
      credtray run --no-tray
      credtray run --verbose
    """
    from credtray.daemon.log import Console

    agent = backend.current()
    if background:
        # Whoever started it hears why it cannot start; later there is nobody at the other end of the pipe.
        code = agent.run_agent(
            desktop=tray, console=Console.NOTHING, started=lambda: terminal.let_go(sys.stderr)
        )
    elif verbose or not sys.stderr.isatty():
        code = agent.run_agent(desktop=tray, console=Console.LINES, started=lambda: None)
    else:
        words = _FirstWords()
        code = agent.run_agent(desktop=tray, console=Console.SENTENCES, started=words.begin)
        words.last()
    raise typer.Exit(code)


class _FirstWords:
    """What `credtray run` says to a person when it has begun, and at the end."""

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """Say it as soon as all is known: on a thread, since the agent itself is asked."""
        self._begun = True
        threading.Thread(target=self._say, name="first words", daemon=True).start()

    def _say(self) -> None:
        try:
            document = settled_status(_ICON_SECONDS)
        except CredtrayError:  # it has ended again
            return
        tray, reader = document.desktop.tray, Reader(document.now)
        sessions = (f"{item.name}: {session_words(item, reader)}" for item in document.sessions)
        terminal.say(f"credtray is running (pid {os.getpid()}). Press Ctrl-C to stop it.")
        terminal.say(icon_words(tray.back_end, tray.reason))
        terminal.say("; ".join(sessions) or "It is not set up yet. In another terminal, run: credtray setup")

    def last(self) -> None:
        """Say that it has ended."""
        if self._begun:
            terminal.say("credtray has stopped; nothing is renewed until it runs again.")


def stop(json_output: JsonOption = False) -> None:
    """End the agent; sign-ins stay valid.

    The keys it keeps are taken out of the credentials file, unless the settings keep them.
    An agent that does not answer is ended all the same.

    Examples:
      credtray stop
    """
    told = end_agent()
    _tell(told or "No agent is running.", json_output=json_output, stopped=told is not None)


def end_agent(*, keep_keys: bool = False) -> str | None:
    """End the agent, wait until it is gone, and return what was done; None: there is none.

    With *keep_keys* it leaves its keys in the credentials file, for the agent that is started next. One of an
    older version does not know that, and takes them out.

    Raises:
        CredtrayError: it is still there.
    """
    from credtray.ipc_client import AgentClient

    try:
        with AgentClient.connect() as client:
            stopped = client.ask(Stop(keep_keys=keep_keys))
    except AgentNotRunning:
        return None
    except AgentSilent:
        return _end_stuck("did not answer")
    except (ProtocolMismatch, BadFrame):  # another version
        return _end_stuck("did not understand this command")
    _wait_for_end()
    if not keep_keys:
        _warn_of_keys_left()
    return f"The agent (pid {stopped.pid}) has stopped; nothing is renewed until it runs again."


def _warn_of_keys_left() -> None:
    """Tell when the agent was to take its keys out of the credentials file, and could not."""
    from credtray.aws.locations import locate

    path = locate(os.environ, Path.home()).credentials
    if kept_keys(path) != [] and _was_to_remove_keys():
        terminal.complain(
            f"Keys are still in {path}: the agent could not change that file.",
            "Close the program that has it open, or make it writable. "
            "Then run: credtray start, and credtray stop",
            kind="warning",
        )


def kept_keys(path: Path) -> list[SectionMark] | None:
    """Return the marks of our keys that are in the file; None: another program keeps it shut.

    Pasted keys do not count: they stay when the agent ends, since nobody could bring them back.
    """
    from credtray.files.atomic_file import INI_LIMIT, read_bounded

    try:
        data = read_bounded(path, INI_LIMIT) or b""
    except FileRefused:  # not a file that we wrote to
        return []
    except FileUnwritable:
        return None
    marks = map(parsed, data.decode(errors="replace").splitlines())
    return [mark for mark in marks if mark is not None and not mark.pasted]


def _was_to_remove_keys() -> bool:
    from credtray.desktop.paths import settings_file
    from credtray.store.settings_file import SettingsFile

    try:
        return SettingsFile(settings_file()).load().remove_keys_on_stop
    except CredtrayError:
        return True


def _end_stuck(trouble: str) -> str:
    """End an agent that answers nothing useful (stopped by Ctrl-Z, or hanging) and return what was done.

    Raises:
        AgentSilent: nobody can tell which process it is, or it does not end.
    """
    if sys.platform == "win32":
        from credtray.agent_connect_pipe import listener  # cannot be imported elsewhere
    else:
        from credtray.agent_connect import listener  # cannot be imported on Windows
    try:
        pid = listener()
    except OSError:
        pid = None
    if pid is None:
        known = f"Find it: {FIND_AGENT.on()}; then end it: {end_process('PID').on()}"
        raise AgentSilent("its process is unknown", hint=known)
    if _ended_when_asked(pid):
        return f"The agent (pid {pid}) {trouble}, but has stopped now."
    _kill(pid)
    _wait_for_end(_STUCK_SECONDS)
    return f"The agent (pid {pid}) was killed; its keys stay in the credentials file."


def _ended_when_asked(pid: int) -> bool:
    """Ask it by a signal and tell whether that ended it; Windows has none that can be heard."""
    if sys.platform == "win32":
        return False
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        with suppress(ProcessLookupError):  # it ended by itself
            for number in (signal.SIGTERM, signal.SIGCONT):
                os.kill(pid, number)
        return _gone_within(_STUCK_SECONDS)


def _kill(pid: int) -> None:
    """End it without asking.

    Raises:
        AgentSilent: the system does not let us, as with one that an administrator started on Windows.
    """
    try:
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)  # which is TerminateProcess there
        else:
            os.kill(pid, signal.SIGKILL)
    except OSError as error:
        if _gone_within(0):
            return  # it ended meanwhile
        reason = f"its process {pid} cannot be ended: {error.strerror}"
        hint = f"As an administrator, run: {end_process(str(pid)).on()}"
        raise AgentSilent(reason, hint=hint) from None


def _tell(text: str, *, json_output: bool, stopped: bool) -> None:
    if json_output:
        terminal.show_json({"stopped": stopped})
    else:
        terminal.show(text)


def _wait_for_end(seconds: float = _END_SECONDS) -> None:
    """Wait until the agent is gone.

    Raises:
        AgentSilent: it is still there.
    """
    if not _gone_within(seconds):
        raise AgentSilent(f"it did not stop within {seconds:.0f} s")


def _gone_within(seconds: float) -> bool:
    """Tell whether the agent's lock is free within that time: then it is gone, however it ended."""
    from credtray.desktop.paths import agent_lock
    from credtray.files.file_lock import FileLock

    try:
        with FileLock(agent_lock(), timeout=seconds):
            return True
    except FileContended:
        return False


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


# `credtray notify-test`: a notification to try.
#
# Only asks the agent, which shows it on its own desktop.


def notify_test(json_output: JsonOption = False) -> None:
    """Show a test notification on your desktop.

    It is shown even while notices are paused. Says who took it, or why nobody did (exit code 1).

    Examples:
      credtray notify-test
    """
    result = ask(TestNotice())
    if json_output:
        terminal.show_json(result)
        return
    terminal.show_words(f"Sent a test notification to {result.shown_by or 'the desktop'}.")
    if result.reason:
        terminal.show_words(f"Note: {result.reason}.")
    if result.notices_paused_until:
        until = clock_time(result.notices_paused_until, datetime.now(UTC), None)
        terminal.show_words(f"Notices are paused until {until}. Resume: credtray pause off")
