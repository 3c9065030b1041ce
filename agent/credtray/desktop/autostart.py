"""Starting with the desktop session: switched on, off, and looked at, on each system in its own way.

Starts nothing itself, and is never switched on without being asked.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from credtray.core.errors import AutostartRefused, UsageError
from credtray.core.own_commands import OldStart, own_start
from credtray.core.shell_words import command_line, plain_in_cmd, with_short_names
from credtray.desktop.login_entry import Found, LoginEntry
from credtray.desktop.paths import one_file

ENABLE = "credtray autostart enable"


class Outcome(Enum):
    """What came of switching it on or off."""

    CHANGED = "changed"
    ALREADY = "already"
    """It was so before; nothing was written."""


@dataclass(frozen=True, slots=True)
class AutostartStatus:
    """How things stand with starting at login."""

    enabled: bool
    place: str
    """The file, or the value of the registry."""
    command: tuple[str, ...]
    """What `enable` would have started."""
    stale: str | None = None
    """Why what is started there is not this installation any more."""
    remark: str | None = None
    """Why it is off although there is an entry."""
    cure: str | None = None
    """What to do about either."""


class Autostart:
    """Starting credtray at login. Does nothing until it is asked.

    ``command`` and ``entry`` are this installation's and this system's own when not given.
    """

    def __init__(self, command: tuple[str, ...] | None = None, entry: LoginEntry | None = None) -> None:
        self._command = command
        self._given = entry

    def enable(self) -> Outcome:
        """Start at login from now on; twice is the same as once.

        Raises:
            AutostartRefused: the entry cannot be written, is somebody else's, or cannot hold the command;
                nothing was changed.
        """
        command, entry = self._parts()
        wanted = entry.content(command)
        found = self._ours(entry)
        if found is not None and found.content == wanted and found.switched_off is None:
            return Outcome.ALREADY
        entry.write(wanted)
        return Outcome.CHANGED

    def disable(self) -> Outcome:
        """Start at login no longer.

        Raises:
            AutostartRefused: the entry cannot be removed, or is somebody else's; it is still there.
        """
        _command, entry = self._parts()
        found = self._ours(entry)
        entry.remove()
        return Outcome.ALREADY if found is None else Outcome.CHANGED

    def status(self) -> AutostartStatus:
        """Look at the entry.

        Raises:
            AutostartRefused: this process does not know how it could be started again.
        """
        command, entry = self._parts()
        off = AutostartStatus(False, entry.place, command)
        try:
            found = self._ours(entry)
        except AutostartRefused as error:
            return replace(off, remark=error.detail, cure=error.advice)
        if found is None:
            return off
        if found.switched_off is not None:
            return replace(off, remark=found.switched_off, cure=ENABLE)
        stale = _stale(found, entry, command)
        return replace(off, enabled=True, stale=stale, cure=None if stale is None else ENABLE)

    def outdated(self) -> OldStart | None:
        """Return the entry of ours when it can start nothing any more; None while it can, or is switched off.

        One that starts another installation, which is there, is not outdated: see ``status``.

        Raises:
            AutostartRefused: the entry is somebody else's or cannot be read, or as for ``status``.
        """
        command, entry = self._parts()
        found = self._ours(entry)
        if found is None or found.switched_off is not None:
            return None
        started = own_start(found.words)
        reason = None if started is None else started.outdated(os.path.lexists)
        if reason is None and found.program is not None and not os.path.lexists(found.program):
            reason = f"{found.program} does not exist"
        if reason is None:
            return None
        return OldStart(entry.place, found.starts, entry.starts(command), reason)

    def _parts(self) -> tuple[tuple[str, ...], LoginEntry]:
        return self._command or agent_command(), self._given or login_entry(os.environ)

    @staticmethod
    def _ours(entry: LoginEntry) -> Found | None:
        found = entry.found()
        if found is not None and not found.ours:
            raise AutostartRefused(
                f"{entry.place} was not written by credtray", hint="Move it away, then try again."
            )
        return found


def _stale(found: Found, entry: LoginEntry, command: tuple[str, ...]) -> str | None:
    if found.program is not None and not os.path.lexists(found.program):
        return f"it starts {found.program}, which no longer exists"
    if found.starts != entry.starts(command):
        return f"it does not start this installation: {found.starts}"
    return None


def agent_command() -> tuple[str, ...]:
    """Return the command that is the agent of this installation, from anywhere; raises as ``own_command``."""
    return own_command("run")


def own_command(*words: str) -> tuple[str, ...]:
    """Return the command line of this installation with these words, to be started from anywhere.

    Raises:
        AutostartRefused: Python does not know its own path.
    """
    if not sys.executable:
        raise AutostartRefused("Python cannot tell where it is installed", hint="Start it by its full path.")
    if sys.platform == "darwin" and words[:1] == ("run",):
        from credtray.desktop.login_entry.mac_app import program_in_application

        application = program_in_application(sys.executable)
        if application is not None:
            return application, *words
    # Absolute, but links stay: what the link of a virtual environment leads to knows nothing of credtray.
    interpreter = Path(sys.executable).absolute()
    if sys.platform == "win32" and (windowless := interpreter.with_name("pythonw.exe")).exists():
        interpreter = windowless
    door = Path(__file__).parents[1] / "__main__.py"
    if (whole := one_file()) is not None:
        return str(interpreter), "-I", str(whole), *words
    if door.is_relative_to(site.getuserbase()):  # by `pip install --user`: -I does not look there
        return str(interpreter), "-I", str(door), *words
    return str(interpreter), "-I", "-m", "credtray", *words


def login_entry(environ: Mapping[str, str]) -> LoginEntry:
    """Return where this system keeps what starts at login."""
    if sys.platform == "win32":
        from credtray.desktop.login_entry.windows import RunValue, user_registry  # Windows only

        return RunValue(user_registry())
    elif sys.platform == "darwin":  # noqa: RET505 - type checkers take the branch of their platform
        from credtray.desktop.login_entry.macos import LaunchAgent

        return LaunchAgent(Path.home())
    else:
        from credtray.desktop.login_entry.xdg import DesktopEntry

        return DesktopEntry.of_user(environ)


# The command line that `credential_process` in the config file is to hold.
#
# Writes nothing. Absolute paths only: a version manager's shim costs ten times the fetch itself.


def credential_process_command(profile: str) -> str:
    """Return the command that prints this profile's role credentials, quoted for the config file.

    POSIX: words as ``shlex`` and ``sh`` split them (botocore uses the one, the SDKs for Go and JavaScript
    the other). Windows: the rules of the C runtime; without quotes where folders have short names, since the
    SDKs for Go, Rust and .NET hand the line to ``cmd /C`` and its quotes get lost (aws-sdk-go-v2 issue 3208,
    aws-sdk-net pull request 4413).

    Raises:
        UsageError: the name holds a character that the config file cannot hold.
    """
    if not profile.isprintable():
        raise UsageError(f"The profile name {profile!a} cannot be used in a command")
    marker = ["--"] if profile.startswith("-") else []
    words = fast_command("credentials", *marker, profile)
    return command_line(words, windows=sys.platform == "win32")


def fast_command(*words: str) -> list[str]:
    """Return the words that start credtray with its whole path, and as fast as it can be started.

    For files of other programs: those that a desktop starts have not the PATH of a shell.
    """
    door = one_file() or Path(__file__).parent.parent / "__main__.py"
    python, script = map(_without_quotes, (sys.executable, str(door)))
    return [python, "-I", "-S", script, *words]


def _without_quotes(path: str) -> str:
    """Return a path that needs no quotes on Windows, if the drive has short names; elsewhere as it is."""
    if sys.platform == "win32" and not plain_in_cmd(path):
        import ctypes  # slow

        short = ctypes.create_unicode_buffer(_PATH_LIMIT)
        if 0 < ctypes.windll.kernel32.GetShortPathNameW(path, short, _PATH_LIMIT) < _PATH_LIMIT:
            return with_short_names(path, short.value)
    return path


_PATH_LIMIT = 32768
"""Characters; no path of Windows is longer."""
