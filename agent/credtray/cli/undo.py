"""`credtray undo`: shows what credtray changed, asks, takes it back, and tells what was left alone and why.

Restores nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.activation import NOT_IN_EFFECT
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.errors import NothingToUndo, UsageError
from credtray.core.protocol import ListUndo, Undo
from credtray.core.protocol.results import UndoPlan, UndoResult

_MOST = 20
"""Longer lists of sections are cut; --json has them whole."""


def undo(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only show what would be undone.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Undo what credtray changed in your AWS files.

    Its sections leave the credentials file, and the config file gets back what setup changed in it.
    What somebody else has changed since stays as it is.

    Examples:
      credtray undo --list
      credtray undo
      credtray undo --yes
    """
    plan = ask(ListUndo())
    if only_list:
        _list(plan, json_output=json_output)
        return
    if not plan.credentials and not plan.profiles:
        raise NothingToUndo
    if not yes:
        _agree(plan)
    result = ask(Undo())
    if json_output:
        terminal.show_json(result)
    else:
        _tell(result)
    if result.credentials.skipped or result.profiles.skipped:
        raise typer.Exit(NOT_IN_EFFECT)


def _list(plan: UndoPlan, *, json_output: bool) -> None:
    if json_output:
        terminal.show_json(plan)
        return
    for line in plan_words(plan) or ["There is nothing to undo."]:
        terminal.show(line)


def _agree(plan: UndoPlan) -> None:
    """Show the plan and ask; raises typer.Exit when the answer is no."""
    for line in plan_words(plan):
        terminal.say(line)
    if not terminal.interactive():
        raise UsageError("Cannot ask for confirmation: not a terminal", hint="credtray undo --yes")
    from credtray.cli.questions import ask_yes

    if not ask_yes("Undo this?", default=False):
        terminal.say("Nothing was changed.")
        raise typer.Exit(1)


def plan_words(plan: UndoPlan) -> list[str]:
    """Tell what an undo would do, in lines."""
    lines = []
    if plan.credentials:
        lines.append("Credentials file: these sections will be removed:")
        lines += _listed(item.section for item in plan.credentials)
    for item in plan.profiles:
        at = item.at.astimezone().strftime("%Y-%m-%d %H:%M")
        lines.append(f"Config file, back to before `{item.what}` of {at}:")
        lines += _listed(item.sections)
    return lines


def _listed(sections: Iterable[str]) -> list[str]:
    lines = [f"  [{section}]" for section in sections]
    more = len(lines) - _MOST
    return [*lines[:_MOST], f"  and {more} more"] if more > 0 else lines


def _tell(result: UndoResult) -> None:
    places = (("Credentials file", result.credentials), ("Config file", result.profiles))
    for place, undone in places:
        if undone.restored:
            count = "1 section" if len(undone.restored) == 1 else f"{len(undone.restored)} sections"
            terminal.show_words(f"{place}: changes undone in {count}.")
    for place, undone in places:
        for section, reason in sorted(undone.skipped.items()):
            terminal.complain(f"{place}: [{section}] was left as it is: {reason}", kind="warning")
