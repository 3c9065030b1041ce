"""`credtray profiles`: all profiles of the config file, and which one to use for what.

Shows only; `activate` and `switch` choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.cli.profiles.search import Wish, found
from credtray.cli.settings.keys import complete_tag
from credtray.cli.status.words import Reader
from credtray.core.errors import UsageError
from credtray.core.protocol import Status
from credtray.core.protocol.results import ForeignStatus, PastedStatus, ProfileStatus


def profiles(
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            "-s",
            metavar="TEXT",
            help="Only profiles with all these words in name, account, role, description, notes or tags.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="TAG",
            help="Only profiles with this tag; give it several times to require all of them.",
            autocompletion=complete_tag,
        ),
    ] = None,
    for_automation: Annotated[
        bool, typer.Option("--for-automation", help="What to use for jobs that run without you, and why.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """List the profiles of the config file, and find the right one.

    It shows which are active, which is the default, and which are left alone and why. Descriptions, notes,
    tags and favourites come from the settings: credtray settings set profiles.NAME.description "..."

    Examples:
      credtray profiles
      credtray profiles --search "billing read"
      credtray profiles --tag weekly
      credtray profiles --for-automation
    """
    wish = Wish(search, tuple(tag or ()))
    if for_automation:
        if wish.narrows:
            raise UsageError("Use --for-automation alone", hint="credtray profiles --for-automation")
        _explain_automation(json_output=json_output)
        return
    document = ask(Status())
    ours, foreign = found(document, wish)
    if json_output:
        terminal.show_json({"version": document.version, "profiles": ours, "foreign": foreign})
        return
    for problem in document.problems:
        terminal.complain(problem.text, problem.hint, kind="warning")
    if ours or foreign:
        _show(ours, foreign)
    elif not document.problems:
        terminal.say("No profile matches. `credtray setup` adds profiles.")
    if not wish.narrows:
        _show_pasted(document.imports)
    for item in [] if wish.narrows else document.warnings:
        terminal.complain(
            f"{item.file} file, line {item.line}, {item.profile}: {item.text}",
            item.hint,
            kind="warning",
        )


def _show(ours: Sequence[ProfileStatus], foreign: Sequence[ForeignStatus]) -> None:
    from credtray.cli.profiles.view import foreign_view, profiles_view

    if ours:
        terminal.draw(profiles_view(ours))
    if foreign:
        terminal.draw(foreign_view(foreign))


def _show_pasted(items: Sequence[PastedStatus]) -> None:
    from credtray.cli.imports_view import imports_view

    for part in imports_view(items, Reader(datetime.now(UTC))):
        terminal.draw(part)


def _explain_automation(*, json_output: bool) -> None:
    from credtray.cli.profiles import automation

    document = ask(Status())
    if json_output:
        terminal.show_json(automation.document(document))
    else:
        for line in automation.lines(document):
            terminal.show(line)
