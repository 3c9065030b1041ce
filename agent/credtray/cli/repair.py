"""`credtray repair`: shows what it can repair in the AWS files and at login, asks, does it, says what next.

Decides nothing: see core/repairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.core.errors import CredtrayError, UsageError
from credtray.core.repairs import REPAIRS, Repair, RepairPlan, Scene
from credtray.core.words import did_you_mean

if TYPE_CHECKING:
    from credtray.app import Components

_MOST_LINES = 60
"""Longer previews are cut; --dry-run shows them whole."""


def _complete_repair(incomplete: str) -> list[str]:
    return [name for name in REPAIRS if name.startswith(incomplete)]


def repair(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help=f"One of: {', '.join(REPAIRS)}. All of them when not given.",
            autocompletion=_complete_repair,
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be changed.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Repair what is out of date in your AWS files, and an old entry that starts credtray at login.

    Each repair shows its changes first. What it changes in the config file, `credtray undo` takes back
    byte for byte; everything else in the file stays as it is.

    Examples:
      credtray repair --dry-run
      credtray repair legacy_profiles
      credtray repair --yes
    """
    from credtray.app import build
    from credtray.cli.repair_scene import scene

    if json_output and not yes and not dry_run:
        raise UsageError("With --json, credtray cannot ask", hint="Add --dry-run or --yes.")
    components = build()
    seen = scene(components)
    cases = _cases(_chosen(name), seen)
    for case in cases:
        if not json_output:
            _preview(case, whole=dry_run)
        if case.plan.needed and not dry_run and _agreed(yes=yes):
            _carry_out(components, case, seen, quiet=json_output)
    if json_output:
        terminal.show_json({"repairs": [case.document() for case in cases]})
    elif not any(case.plan.needed or case.problem for case in cases):
        terminal.show_words("Nothing to repair.")
    failed = next((case.problem for case in cases if case.problem is not None), None)
    if failed is not None:
        raise failed
    if not dry_run and any(case.plan.needed and not case.done for case in cases):
        raise typer.Exit(1)


@dataclass(slots=True)
class _Case:
    """One repair and what becomes of it."""

    name: str
    repair: Repair
    plan: RepairPlan
    problem: CredtrayError | None = None
    done: bool = False

    def document(self) -> dict[str, Any]:
        """Return it for --json."""
        return {
            "name": self.name,
            "title": self.repair.title,
            "needed": self.plan.needed,
            "undoable": self.repair.undoable,
            "changes": list(self.plan.changes),
            "diff": self.plan.diff,
            "left_alone": dict(self.plan.left_alone),
            "next_steps": list(self.plan.next_steps),
            "problem": None if self.problem is None else str(self.problem),
            "done": self.done,
        }


def _chosen(name: str | None) -> Mapping[str, Repair]:
    if name is None:
        return REPAIRS
    if name not in REPAIRS:
        raise UsageError(
            f"{name!a} is not a repair.{did_you_mean(name, REPAIRS)}", hint=f"There are: {', '.join(REPAIRS)}"
        )
    return {name: REPAIRS[name]}


def _cases(repairs: Mapping[str, Repair], seen: Scene) -> list[_Case]:
    cases = []
    for name, each in repairs.items():
        try:
            cases.append(_Case(name, each, each.plan(seen)))
        except CredtrayError as error:
            cases.append(_Case(name, each, RepairPlan(), error))
    return cases


def _preview(case: _Case, *, whole: bool) -> None:
    plan = case.plan
    say = terminal.show if whole else terminal.say
    if plan.needed:
        say(f"{case.name}: {case.repair.title}.")
        lines = [*(f"  {change}" for change in plan.changes), "", *plan.diff.splitlines()]
        most = len(lines) if whole else _MOST_LINES
        for line in lines[:most]:
            say(line)
        if len(lines) > most:
            say(f"and {len(lines) - most} more lines; --dry-run shows them all")
        if not case.repair.undoable:
            say("`credtray undo` cannot undo this.")
    for what, reason in plan.left_alone.items():
        terminal.complain(f"{case.name}: {what} was not changed: {reason}", kind="warning")


def _agreed(*, yes: bool) -> bool:
    if yes:
        return True
    if not terminal.interactive():
        raise UsageError("Cannot ask for confirmation: not a terminal", hint="credtray repair --yes")
    from credtray.cli.questions import ask_yes

    return ask_yes("Repair this?", default=False)


def _carry_out(components: Components, case: _Case, seen: Scene, *, quiet: bool) -> None:
    from credtray.cli.repair_scene import carry_out

    try:
        carry_out(components, case.name, case.repair, seen, case.plan)
    except CredtrayError as error:
        case.problem = error
        return
    case.done = True
    if quiet:
        return
    terminal.show_words(f"{case.name}: done." + (" To undo: credtray undo" if case.repair.undoable else ""))
    for step in case.plan.next_steps:
        terminal.show_words(step)
