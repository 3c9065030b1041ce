"""`credtray activate`, `deactivate` and `switch`: which profiles' keys are kept in the credentials file.

Exit code 4 means: chosen and remembered, but the file does not show it yet. Writes no file itself.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import msgspec
import typer

from credtray.cli import backend, terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption, ProfilesArgument
from credtray.cli.names import complete_profile
from credtray.cli.status_words import way, what_to_do
from credtray.core.errors import UsageError
from credtray.core.protocol import Activate, Deactivate, Switch
from credtray.core.protocol.results import ChoiceResult, ProfileStatus
from credtray.core.state_words import clock_time
from credtray.core.words import short

NOT_IN_EFFECT = 4
"""Exit code of a choice that is remembered while something still stands in its way."""


def activate(
    profiles: ProfilesArgument,
    section: str | None = typer.Option(
        None,
        "--section",
        metavar="NAME",
        help="Section of the credentials file, when it is not the profile's name.",
    ),
    json_output: JsonOption = False,
) -> None:
    """Keep the keys of these profiles in the credentials file.

    The agent renews them as long as the sign-in lasts.

    Examples:
      credtray activate synderys-readonly synderys-dns
      credtray activate synderys-dns --section dns-keys
    """
    result = ask(Activate(tuple(profiles), section))
    if json_output:
        terminal.show_json(result)
        _finish(result, quiet=True)
    else:
        _leave(report_activation(result))


def report_activation(result: ChoiceResult) -> int:
    """Tell what came of an ``Activate`` and return the exit code."""
    for item in result.profiles:
        if way(item):
            _tell_held(item, result)
        else:
            _tell_kept(item, f"{item.name} is active", item.section, result)
    code = _tell_whole(result, quiet=False)
    if code == 0:
        warn_without_agent()
    return code


def warn_without_agent() -> None:
    """Tell that keys which were just written end, where no agent renews them."""
    if not backend.current().agent_runs():
        terminal.complain(
            "credtray is not running: nothing renews these keys.", "Run: credtray start", kind="warning"
        )


def deactivate(profiles: ProfilesArgument, json_output: JsonOption = False) -> None:
    """Stop keeping the keys of these profiles.

    They are taken out of the credentials file; the profiles stay in the config file.

    Examples:
      credtray deactivate synderys-dns
    """
    result = ask(Deactivate(tuple(profiles)))
    if json_output:
        terminal.show_json(result)
    else:
        for name in profiles:
            terminal.show_words(f"{name} is no longer active.")
    _finish(msgspec.structs.replace(result, profiles=()), quiet=json_output)


def switch(
    profile: str | None = typer.Argument(
        None,
        metavar="PROFILE",
        help="The new default profile.",
        autocompletion=complete_profile,
        show_default=False,
    ),
    none: bool = typer.Option(False, "--none", help=r"Remove credtray's keys from \[default]."),
    json_output: JsonOption = False,
) -> None:
    r"""Make a profile the default: its keys go into \[default].

    Programs started without a profile use it.

    Examples:
      credtray switch synderys-readonly
      credtray switch --none
    """
    if (profile is None) is not none:
        raise UsageError(
            "Give a profile or --none", hint="credtray switch PROFILE, or credtray switch --none"
        )
    result = ask(Switch(profile))
    if json_output:
        terminal.show_json(result)
    elif profile is None:
        terminal.show_words("Removed credtray's keys from [default].")
    else:
        for item in result.profiles:
            _tell_kept(item, f"{item.name} is the default", "default", result)
    code = _tell_whole(result, quiet=json_output)
    if profile is not None and not json_output and code == 0:
        warn_without_agent()
    _leave(code)


def _tell_kept(item: ProfileStatus, lead: str, section: str, result: ChoiceResult) -> None:
    reason = result.reasons.get(item.name) or item.error
    if reason is not None or result.credentials_file is not None:
        terminal.show_words(f"{lead}, but its keys are not in the credentials file yet.")
        if reason is not None:
            terminal.complain(reason.text, reason.hint, kind="warning")
    elif item.expires_at is None:
        terminal.show_words(f"{lead}; its keys are being fetched.")
    else:
        now, until = datetime.now(UTC), item.expires_at
        left = f"{clock_time(until, now, None)} ({short(until - now)} left)"
        terminal.show_words(f"{lead}: keys in [{section}] until {left}.")


def _tell_held(item: ProfileStatus, result: ChoiceResult) -> None:
    """Tell of keys that are in no section, and what programs do to get them."""
    lead = f"{item.name} is active: its keys are kept fresh for {way(item)}"
    reason = result.reasons.get(item.name) or item.error
    if reason is not None:
        terminal.show_words(f"{item.name} is active, but there are no keys yet.")
        terminal.complain(reason.text, reason.hint, kind="warning")
    elif item.expires_at is None:
        terminal.show_words(f"{item.name} is active; its keys are being fetched.")
    else:
        now, until = datetime.now(UTC), item.expires_at
        terminal.show_words(f"{lead}, now until {clock_time(until, now, None)} ({short(until - now)} left).")
    terminal.show_words(what_to_do(item))


def _finish(result: ChoiceResult, *, quiet: bool) -> None:
    _leave(_tell_whole(result, quiet=quiet))


def _leave(code: int) -> None:
    if code:
        raise typer.Exit(code)


def _tell_whole(result: ChoiceResult, *, quiet: bool) -> int:
    """Tell what concerns the whole file, and return the exit code."""
    sys.stdout.flush()
    trouble = result.credentials_file
    if trouble is not None and not quiet:
        terminal.complain(trouble.text, trouble.hint, kind="warning")
    if result.shadowed_default and not quiet:
        terminal.complain(result.shadowed_default, kind="warning")
    waiting = any(item.error or item.expires_at is None for item in result.profiles)
    return NOT_IN_EFFECT if trouble is not None or result.reasons or waiting else 0
