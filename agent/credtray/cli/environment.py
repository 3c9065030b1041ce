"""`credtray env` and `credtray copy`: role credentials as variables, for a shell that takes them in.

Prints keys on stdout because that was asked for; in notes and errors there are none.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec import UNSET

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption, ProfileArgument, RegionOption
from credtray.cli.names import complete_profile
from credtray.cli.shell_choice import ShellOption, chosen
from credtray.core.errors import AgentNotRunning, UsageError
from credtray.core.forms import Form, Shell
from credtray.core.protocol import Copy, Credentials, ProcessCredentials, Status
from credtray.core.protocol.results import CopyResult

_ACCOUNT = "AWS_ACCOUNT_ID"


def env(
    profile: Annotated[
        str | None,
        typer.Argument(
            metavar="PROFILE",
            help="Name in the config file; not needed with --unset.",
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
      eval "$(credtray env --unset)"
    """
    from credtray.core import shells  # completing an option must not pay for it
    from credtray.core.child_environment import REGIONS

    reader = chosen(shell)
    if unset:
        names = (*shells.KEYS, shells.EXPIRATION_VARIABLE, _ACCOUNT, *REGIONS)
        terminal.show_exactly(shells.removals(names, reader.form))
        return
    if profile is None:
        raise UsageError("Name a profile")
    if region is not None:
        _check_region(region)
    keys = ask(Credentials(profile))
    terminal.show_exactly(_text(keys, region or _region(profile), reader.form))
    _remark(profile, keys, reader)


def _check_region(region: str) -> None:
    from credtray.core.addresses import check_region

    check_region(region)


def _region(profile: str) -> str | None:
    """Return the region that goes with the keys of a profile, if there is one."""
    return next((item.region for item in ask(Status()).profiles if item.name == profile), None)


def _text(keys: ProcessCredentials, region: str | None, form: Form) -> str:
    from credtray.core import shells
    from credtray.core.child_environment import OVER_KEYS

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
    from credtray.core import shells

    if sys.stdout.isatty():
        command = f"credtray env {shells.argument(profile, reader.form)}"
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
