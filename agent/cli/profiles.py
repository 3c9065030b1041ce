"""`credtray profiles`: all profiles of the config file, and why some are left alone.

Shows only; `activate` and `switch` choose.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.cli import terminal
from agent.cli.backend import ask
from agent.cli.choices import JsonOption
from agent.core.protocol import Status

_SEARCHED = ("name", "session", "account_id", "role_name", "region")


def profiles(
    search: Annotated[
        str | None,
        typer.Option(
            "--search", "-s", metavar="TEXT", help="Only those with this text in name, account or role."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """List all profiles of the config file.

    It shows which are active, which is the default, and which are left alone and why.

    Examples:
      credtray profiles
      credtray profiles --search admin
    """
    document = ask(Status())
    found = [item for item in document["profiles"] if _matches(item, _SEARCHED, search)]
    foreign = [item for item in document["foreign"] if _matches(item, ("name",), search)]
    if json_output:
        terminal.show_json({"version": document["version"], "profiles": found, "foreign": foreign})
        return
    _show(found, foreign)
    for item in document["warnings"] if search is None else []:
        terminal.complain(
            f"line {item['line']}, {item['profile']}: {item['text']}", item["hint"], kind="warning"
        )


def _matches(item: dict[str, Any], fields: tuple[str, ...], search: str | None) -> bool:
    if search is None:
        return True
    return any(search.casefold() in str(item[field] or "").casefold() for field in fields)


def _show(found: list[dict[str, Any]], foreign: list[dict[str, Any]]) -> None:
    from agent.cli.profiles_view import foreign_view, profiles_view  # noqa: PLC0415 -- rich; --json does without

    if found:
        terminal.draw(profiles_view(found))
    elif not foreign:
        terminal.say("No profile matches. `credtray setup` adds profiles.")
    if foreign:
        terminal.draw(foreign_view(foreign))
