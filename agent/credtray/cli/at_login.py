"""`credtray autostart` and `launcher`: starting at login, and by a click in the application menu.

Both work the same whether an agent runs or not; only ``--now`` starts one.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.activation import NOT_IN_EFFECT
from credtray.cli.agent_start import started_or_running
from credtray.cli.choices import JsonOption
from credtray.core.errors import LauncherRefused, UsageError
from credtray.desktop.application_menu import APPLICATIONS, NAME, ApplicationMenu
from credtray.desktop.autostart import Autostart, AutostartStatus, Outcome

_WORDS = MappingProxyType(
    {
        (True, None): "credtray starts at login: {place}",
        (True, Outcome.CHANGED): "credtray will start at login: {place}",
        (True, Outcome.ALREADY): "credtray already starts at login: {place}",
        (False, None): "credtray does not start at login.",
        (False, Outcome.CHANGED): "credtray no longer starts at login.",
        (False, Outcome.ALREADY): "credtray was not set to start at login.",
    }
)
"""By what is so now, and by what was just done about it."""


class Action(StrEnum):
    """What is to be done."""

    ENABLE = "enable"
    DISABLE = "disable"
    STATUS = "status"


def autostart(
    action: Annotated[Action, typer.Argument(help="What to do.", show_default=False)],
    now: bool = typer.Option(False, "--now", help="With `enable`: start it now as well."),
    json_output: JsonOption = False,
) -> None:
    """Start the agent when you log in, or stop doing so.

    It is off until you enable it. At login neither a window nor a browser is opened.
    `enable` also puts credtray into your application menu, so that a click starts it after Quit.
    `status` exits with 4 when what starts at login is no longer this installation.

    Examples:
      credtray autostart enable --now
      credtray autostart status
      credtray autostart disable
    """
    if now and action is not Action.ENABLE:
        raise UsageError("--now goes with `enable` only", hint="credtray autostart enable --now")
    starting = Autostart()
    if action is Action.ENABLE:
        outcome: Outcome | None = _enable(starting, quiet=json_output)
    else:
        outcome = starting.disable() if action is Action.DISABLE else None
        if not json_output:
            _tell_entry(starting.status(), outcome)
    if action is Action.DISABLE and not json_output:
        _tell_of_the_menu()
    status = starting.status()
    if json_output:
        changed = {} if outcome is None else {"changed": outcome is Outcome.CHANGED}
        terminal.show_json({**asdict(status), **changed})
    if now:
        started_or_running(quiet=json_output)
    if status.stale is not None:
        raise typer.Exit(NOT_IN_EFFECT)


def switch_on() -> None:
    """Start at login from now on, with an entry in the menu of applications; told in words.

    Raises:
        AutostartRefused: it cannot be switched on; nothing was changed.
    """
    _enable(Autostart(), quiet=False)


def _enable(starting: Autostart, *, quiet: bool) -> Outcome:
    """Start at login, and put it into the menu of applications; on macOS that entry is what starts."""
    menu_first = sys.platform == "darwin"
    if menu_first:
        _add_to_the_menu(quiet=quiet)
    outcome = starting.enable()
    if not quiet:
        _tell_entry(starting.status(), outcome)
    if not menu_first:
        _add_to_the_menu(quiet=quiet)
    return outcome


def _add_to_the_menu(*, quiet: bool) -> None:
    menu = ApplicationMenu()
    try:
        outcome = menu.add()
    except LauncherRefused as error:
        terminal.complain(str(error), error.advice, kind="warning")
        return
    if outcome is Outcome.CHANGED and not quiet:
        terminal.show_words(launcher_words(menu.status(), outcome))


def _tell_of_the_menu() -> None:
    """Tell how to take it out of the menu of applications again, where it is."""
    with suppress(LauncherRefused):
        if ApplicationMenu().removable():
            terminal.show_words(f"It stays in your {NAME}. Remove it: credtray launcher remove")


def _tell_entry(status: AutostartStatus, outcome: Outcome | None) -> None:
    terminal.show_words(_WORDS[status.enabled, outcome].format(place=status.place))
    _warn_of_entry(status)


def _warn_of_entry(status: AutostartStatus) -> None:
    trouble = status.stale or status.remark
    if trouble is not None:
        terminal.complain(trouble, status.cure or "", kind="warning")


# `credtray launcher`: the entry in the menu of applications, added, removed, and looked at.


class LauncherAction(StrEnum):
    """What is to be done."""

    ADD = "add"
    REMOVE = "remove"
    STATUS = "status"


def launcher(
    action: Annotated[LauncherAction, typer.Argument(help="What to do.", show_default=False)],
    json_output: JsonOption = False,
) -> None:
    """Put credtray into your application menu (on Windows: the Start menu), or take it out.

    A click on it starts the agent, for example after Quit. `credtray autostart enable` adds it as well.
    `status` exits with 4 when it no longer starts this installation.

    Examples:
      credtray launcher add
      credtray launcher status
      credtray launcher remove
    """
    menu = ApplicationMenu()
    outcome = None
    if action is not LauncherAction.STATUS:
        outcome = menu.add() if action is LauncherAction.ADD else menu.remove()
    status = menu.status()
    if json_output:
        changed = {} if outcome is None else {"changed": outcome is Outcome.CHANGED}
        terminal.show_json({**asdict(status), **changed})
    else:
        terminal.show_words(launcher_words(status, outcome))
        _warn_of_entry(status)
    if status.stale is not None:
        raise typer.Exit(NOT_IN_EFFECT)


def app(
    remove: bool = typer.Option(False, "--remove", help="Remove it."),
    json_output: JsonOption = False,
) -> None:
    """Make ~/Applications/credtray.app, on macOS: the agent with a name, an icon and notifications.

    macOS shows notifications with buttons for applications only, and a Python from Homebrew, pyenv or uv is
    none. The application runs this installation, and what starts at login then starts the application. It is
    `credtray launcher add` under another name. Nobody has run it on a Mac yet.

    Examples:
      credtray app
      credtray app --remove
    """
    if NAME != APPLICATIONS:
        raise LauncherRefused("only macOS has applications of this kind", hint="Run: credtray launcher add")
    launcher(LauncherAction.REMOVE if remove else LauncherAction.ADD, json_output)


def launcher_words(status: AutostartStatus, outcome: Outcome | None) -> str:
    """Tell whether credtray is in the menu of applications, and what was just done about it."""
    if status.enabled:
        now = {None: "is", Outcome.CHANGED: "is now", Outcome.ALREADY: "is already"}[outcome]
        return f"credtray {now} in your {NAME}: {status.place}"
    now = {None: "is not", Outcome.CHANGED: "is no longer", Outcome.ALREADY: "was not"}[outcome]
    return f"credtray {now} in your {NAME}."
