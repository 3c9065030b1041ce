"""`credtray env` and `credtray copy`: role credentials as variables, for a shell that takes them in.

Prints keys on stdout because that was asked for; in notes and errors there are none.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec import UNSET

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption, ProfileArgument, RegionOption
from credtray.cli.names import complete_profile
from credtray.core.errors import AgentNotRunning, UsageError
from credtray.core.forms import ALL_BUT_JSON, Form, Shell
from credtray.core.models import Way
from credtray.core.protocol import Copy, Credentials, ProcessCredentials, Status
from credtray.core.protocol.results import CopyResult
from credtray.core.words import did_you_mean
from credtray.windows_processes import Process, windows_processes

# Which shell the text is for: the one given, or the one this process was started from.
#
# Looks at names only; writes no text for a shell itself.


_PROGRAMS: Mapping[str, Shell] = {program: shell for shell in Shell for program in shell.programs}
_OTHERS = frozenset({"csh", "tcsh", "nu", "xonsh", "elvish"})
"""Shells that read none of the forms: to write for an outer one would do nothing, or harm."""
_VERSION = re.compile(r"[-_]?\d+(\.\d+)*$")


def complete_shell(incomplete: str) -> list[str]:
    """Return the values of ``--shell`` that begin like this."""
    return [shell.value for shell in Shell if shell.value.startswith(incomplete)]


ShellOption = Annotated[
    str | None,
    typer.Option(
        "--shell",
        metavar="SHELL",
        help=f"{ALL_BUT_JSON} or json; otherwise the shell you run this in.",
        autocompletion=complete_shell,
        show_default=False,
    ),
]


def chosen(word: str | None) -> Shell:
    """Return the shell with that name, or the one this process was started from where none is given.

    Raises:
        UsageError: there is no such shell, or none can be seen.
    """
    if word is None:
        return detected(os.environ, ancestors())
    named = _PROGRAMS.get(word.lower())
    if named is not None:
        return named
    try:
        return Shell[word.upper()]
    except KeyError:
        known = f"{', '.join(Shell)}.{did_you_mean(word, Shell)}"
        raise UsageError(f"{word!r} is not one of the shells {known}") from None


def detected(environ: Mapping[str, str], parents: Iterable[str]) -> Shell:
    """Return the shell that will read our output.

    The nearest of the *parents* (programs, our own parent first) that is a shell; where none is to
    be seen the login shell, and on Windows what the environment tells.

    Raises:
        UsageError: it is a shell credtray does not write for, or there is no telling.
    """
    for program in parents:
        shell = _shell_called(program)
        if shell is not None:
            return shell
    login = _shell_called(environ.get("SHELL", ""))
    if login is not None:
        return login
    from credtray.core.shell_words import under_powershell

    if under_powershell(environ):
        return Shell.POWERSHELL
    if "COMSPEC" in environ:
        return Shell.CMD
    raise UsageError(f"Cannot tell which shell this is: choose one with --shell: {', '.join(Shell)}")


def _shell_called(program: str) -> Shell | None:
    name = re.split(r"[/\\]", program.strip())[-1].lower().removesuffix(".exe").lstrip("-")
    name = name if name in _PROGRAMS else _VERSION.sub("", name)
    if name in _OTHERS:
        raise UsageError(f"{name} is not one of the shells {', '.join(Shell)}: choose one with --shell")
    return _PROGRAMS.get(name)


_ACCOUNT = "AWS_ACCOUNT_ID"


def env(
    profile: Annotated[
        str | None,
        typer.Argument(
            metavar="PROFILE",
            help="Name in the config file; not needed with --unset, or in a project that names it.",
            autocompletion=complete_profile,
            show_default=False,
        ),
    ] = None,
    shell: ShellOption = None,
    region: RegionOption = None,
    unset: Annotated[
        bool, typer.Option("--unset", help="Print the commands that unset the variables.")
    ] = False,
) -> None:
    """Print a profile's keys as variables, for your shell to take in.

    The keys last as long as the role allows and do not renew: for programs that run longer there are
    `credtray exec` and credential_process. AWS_PROFILE is unset, because some programs prefer it.

    Examples:
      eval "$(credtray env synderys-readonly)"     (bash, zsh)
      credtray env synderys-readonly | source      # fish
      credtray env synderys-readonly | Out-String | Invoke-Expression
      credtray env synderys-readonly --shell dotenv > keys.env
      eval "$(credtray env)"      (in a project that names its profile)
      eval "$(credtray env --unset)"
    """
    from credtray.ways_out import shells  # completing an option must not pay for it
    from credtray.ways_out.child_environment import REGIONS

    reader = chosen(shell)
    if unset:
        names = (*shells.KEYS, shells.EXPIRATION_VARIABLE, _ACCOUNT, *REGIONS)
        terminal.show_exactly(shells.removals(names, reader.form))
        return
    from credtray.project.command import here

    profile, of_project = here(profile)
    if region is not None:
        _check_region(region)
    keys = ask(Credentials(profile, Way.SHELL))
    terminal.show_exactly(_text(keys, region or of_project or region_of(profile), reader.form))
    _remark(profile, keys, reader)


def _check_region(region: str) -> None:
    from credtray.core.addresses import check_region

    check_region(region)


def region_of(profile: str) -> str | None:
    """Return the region that goes with the keys of a profile, if there is one."""
    return next((item.region for item in ask(Status()).profiles if item.name == profile), None)


def _text(keys: ProcessCredentials, region: str | None, form: Form) -> str:
    from credtray.ways_out import shells
    from credtray.ways_out.child_environment import OVER_KEYS

    values, shadows = shells.variables(keys, region), list(OVER_KEYS)
    # Only where there is one: botocore would ask at the endpoints of the account the last keys were of.
    if os.environ.get(_ACCOUNT) and form not in {Form.DOTENV, Form.JSON}:
        if keys.account_id is UNSET:
            shadows.append(_ACCOUNT)
        else:
            values[_ACCOUNT] = keys.account_id
    return shells.exported(values, form, shadows).reveal()


def _remark(profile: str, keys: ProcessCredentials, reader: Shell) -> None:
    """Tell a person who looks what to know of these keys; a script's log stays as it is."""
    from credtray.core.shell_words import argument

    if sys.stdout.isatty():
        command = f"credtray env {argument(profile, reader.form)}"
        how = reader.taken_in.format(command)
        hint = f"To set them without showing them: {how}" if how else ""
        terminal.complain("the keys are on your screen", hint, kind="warning")
    if sys.stderr.isatty():
        until = _clock(datetime.fromisoformat(keys.expiration))
        terminal.say(
            f"Keys for {profile}, valid until {until}. They do not renew; "
            "`credtray exec` and credential_process do."
        )


def _clock(instant: datetime) -> str:
    from credtray.core.state_words import clock_time

    return clock_time(instant, datetime.now(UTC), None)


def copy(
    profile: ProfileArgument,
    shell: ShellOption = None,
    section: Annotated[
        bool, typer.Option("--section", help="As a section of the credentials file instead.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Put a profile's keys on the clipboard, for 45 seconds.

    The agent does it, on its desktop, as the menu's "Copy credentials" does. Where there is no
    clipboard, `credtray env` prints the same.

    Examples:
      credtray copy synderys-readonly
      credtray copy synderys-readonly --shell powershell
      credtray copy synderys-readonly --section
    """
    if section and shell is not None:
        raise UsageError("Use --section or --shell, not both")
    kind = None if section else chosen(shell)
    result = _copied(Copy(profile, Form.SECTION if kind is None else kind.form))
    if json_output:
        terminal.show_json(result)
        return
    terminal.show(
        f"Keys for {profile} are on the clipboard for {result.seconds:.0f} s, {_words(kind)}. "
        f"They are valid until {_clock(result.keys_until)}."
    )


def _copied(request: Copy) -> CopyResult:
    try:
        return ask(request)
    except AgentNotRunning as error:
        hint = f"{error.advice}. `credtray env` works without it."
        raise AgentNotRunning(error.detail, hint=hint) from None


def _words(kind: Shell | None) -> str:
    if kind is None:
        return "as a section of the credentials file"
    words = {Shell.DOTENV: "as an env file", Shell.JSON: "as JSON"}
    return words.get(kind, f"for {kind.value}")


# The programs this process was started from: parent, grandparent and so on.
#
# Only reads; whoever cannot be looked at ends the list, without an error.


DEEPEST = 12
"""Ancestors looked at: `uv run`, `make`, `sudo` and their like stand between the shell and us."""
_PS_SECONDS = 2.0


def ancestors() -> Iterator[str]:
    """Yield the programs of our ancestors, the parent's first, as paths or bare names."""
    if sys.platform == "linux":
        yield from climbed(os.getppid(), linux_process)
    elif sys.platform == "win32":
        yield from climbed(os.getppid(), windows_processes().get)
    else:
        yield from climbed(os.getppid(), unix_processes().get)


def climbed(first: int, look: Callable[[int], Process | None]) -> Iterator[str]:
    """Yield the program of *first* and of each one above it, as far as *look* sees; ends in a circle, too."""
    pid, seen = first, set[int]()
    while pid > 0 and pid not in seen and len(seen) < DEEPEST and (process := look(pid)) is not None:
        seen.add(pid)
        pid, program = process
        yield program


def linux_process(pid: int) -> Process | None:
    """Look a process up in /proc (proc(5)); None when it is gone or hidden.

    The executable before the name: that of a script is the script's, whatever shell reads it.
    """
    place = Path("/proc", str(pid))
    try:
        before, _, after = (place / "stat").read_text(errors="replace").rpartition(")")
        parent = int(after.split()[1])
    except (OSError, ValueError, IndexError):
        return None
    try:
        program = str((place / "exe").readlink()).removesuffix(" (deleted)")
    except OSError:  # another user's, such as sudo
        program = before.partition("(")[2]
    return parent, program


def unix_processes() -> Mapping[int, Process]:
    """Return every process as `ps` of POSIX tells it; none when it cannot be run."""
    try:
        ran = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,comm="],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PS_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found: dict[int, Process] = {}
    for line in ran.stdout.decode(errors="replace").splitlines():
        pid, parent, program = (*line.split(None, 2), "", "", "")[:3]
        if pid.isdecimal() and parent.isdecimal():
            found[int(pid)] = int(parent), program.strip()
    return found
