"""`credtray autostart`: starting with the desktop session, switched on, off, and looked at.

Starts no agent and asks none: it works the same while none runs.
"""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.activation import NOT_IN_EFFECT
from credtray.cli.choices import JsonOption
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
    json_output: JsonOption = False,
) -> None:
    """Start the agent when you log in, or stop doing so.

    It is off until you enable it. At login neither a window nor a browser is opened.
    `status` exits with 4 when what starts at login is no longer this installation.

    Examples:
      credtray autostart enable
      credtray autostart status
      credtray autostart disable
    """
    starting = Autostart()
    outcome = _done(starting, action)
    status = starting.status()
    if json_output:
        changed = {} if outcome is None else {"changed": outcome is Outcome.CHANGED}
        terminal.show_json({**asdict(status), **changed})
    else:
        _tell(status, outcome)
    if status.stale is not None:
        raise typer.Exit(NOT_IN_EFFECT)


def _done(starting: Autostart, action: Action) -> Outcome | None:
    match action:
        case Action.ENABLE:
            return starting.enable()
        case Action.DISABLE:
            return starting.disable()
        case Action.STATUS:
            return None


def _tell(status: AutostartStatus, outcome: Outcome | None) -> None:
    terminal.show_words(_WORDS[status.enabled, outcome].format(place=status.place))
    trouble = status.stale or status.remark
    if trouble is not None:
        terminal.complain(trouble, status.cure or "", kind="warning")
