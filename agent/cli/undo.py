"""`credtray undo`: shows what credtray changed, asks, takes it back, and tells what was left alone and why.

Restores nothing itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from agent.cli import terminal
from agent.cli.backend import ask
from agent.cli.choices import JsonOption
from agent.cli.keeping import NOT_IN_EFFECT
from agent.core.errors import NothingToUndo, UsageError
from agent.core.protocol import Undo

_LIST = "list"


def undo(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only show what would be taken back.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Take back what credtray changed in your AWS files.

    Its sections leave the credentials file, and the config file gets back what setup changed in it.
    What somebody else has changed since stays as it is.

    Examples:
      credtray undo --list
      credtray undo
      credtray undo --yes
    """
    plan = ask(Undo(_LIST))
    if only_list:
        _list(plan, json_output=json_output)
        return
    if not plan["credentials"] and not plan["profiles"]:
        raise NothingToUndo
    if not yes:
        _agree(plan)
    result = ask(Undo())
    if json_output:
        terminal.show_json(result)
    else:
        _tell(result)
    if any(part["skipped"] for part in result.values()):
        raise typer.Exit(NOT_IN_EFFECT)


def _list(plan: dict[str, Any], *, json_output: bool) -> None:
    if json_output:
        terminal.show_json(plan)
        return
    for line in plan_words(plan) or ["There is nothing to undo."]:
        terminal.show(line)


def _agree(plan: dict[str, Any]) -> None:
    """Show the plan and ask; raises typer.Exit when the answer is no."""
    for line in plan_words(plan):
        terminal.say(line)
    if not terminal.interactive():
        raise UsageError("nobody can be asked here", hint="credtray undo --yes")
    from agent.cli.questions import ask_yes  # noqa: PLC0415 -- questionary is dear

    if not ask_yes("Take this back?", default=False):
        terminal.say("Nothing was changed.")
        raise typer.Exit(1)


def plan_words(plan: dict[str, Any]) -> list[str]:
    """Tell what an undo would do, in lines."""
    lines = [
        f"credentials file: [{item['section']}] (keys of {item['profile']}) goes"
        for item in plan["credentials"]
    ]
    for item in plan["profiles"]:
        at = datetime.fromisoformat(item["at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        lines.append(f"config file: {item['what']} of {at}: {', '.join(item['sections'])}")
    return lines


_PLACES = {"credentials": "credentials file", "profiles": "config file"}


def _tell(result: dict[str, Any]) -> None:
    for part, place in _PLACES.items():
        restored = result[part]["restored"]
        if restored:
            terminal.show(f"{place}: taken back: {', '.join(restored)}")
    for part, place in _PLACES.items():
        for section, reason in sorted(result[part]["skipped"].items()):
            terminal.complain(f"{place}: {section} is left as it is: {reason}", kind="warning")
