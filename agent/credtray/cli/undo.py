"""`credtray undo`: shows what credtray changed, asks, takes it back, and tells what was left alone and why.

Restores nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from credtray.cli import terminal
from credtray.cli.activation import NOT_IN_EFFECT
from credtray.cli.agreement import agreed
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.errors import NothingToUndo
from credtray.core.protocol import ListUndo, Undo
from credtray.core.protocol.results import RestoredSections, UndoPlan, UndoResult, whole_seconds
from credtray.store.text_edits import Edit, Undone
from credtray.tokens.edits import edited_files, place_of, undo_edits

_NOTHING = RestoredSections((), {})
_NO_FILES = Undone({}, {})
_MOST = 20
"""Longer lists of sections are cut; --json has them whole."""


def undo(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Only the last change to the config file; keys stay.")
    ] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only show what would be undone.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Undo what credtray changed in your files.

    Its sections leave the credentials file, the config file gets back what setup changed in it, and
    entries that you had credtray add to files of other programs, such as your kubeconfig, are removed.
    What somebody else has changed since stays as it is.

    Examples:
      credtray undo --list
      credtray undo
      credtray undo --last
      credtray undo --yes
    """
    plan, edits = ask(ListUndo()), edited_files().edits()
    if last:
        plan, edits = UndoPlan((), plan.profiles[-1:]), []
    if only_list:
        _list(plan, edits, json_output=json_output)
        return
    ours = bool(plan.credentials or plan.profiles)
    if not ours and not edits:
        raise NothingToUndo
    if not yes:
        _agree(plan, edits)
    files = undo_edits() if edits else _NO_FILES
    result = ask(Undo("last" if last else None)) if ours else UndoResult(_NOTHING, _NOTHING)
    if json_output:
        terminal.show_json(_with_files(result, {"restored": files.restored, "skipped": files.skipped}, edits))
    else:
        _tell(result, files)
    if result.credentials.skipped or result.profiles.skipped or files.skipped:
        raise typer.Exit(NOT_IN_EFFECT)


def _list(plan: UndoPlan, edits: Sequence[Edit], *, json_output: bool) -> None:
    if json_output:
        files = [
            {"at": whole_seconds(each.at), "what": each.what, "path": each.path, "names": each.names}
            for each in edits
        ]
        terminal.show_json(_with_files(plan, files, edits))
        return
    for line in [*plan_words(plan), *_edit_words(edits)] or ["There is nothing to undo."]:
        terminal.show(line)


def _with_files(document: UndoPlan | UndoResult, files: object, edits: Sequence[Edit]) -> object:
    """Return the document, with other programs' files in it where there are any."""
    return {**msgspec.structs.asdict(document), "files": files} if edits else document


def _edit_words(edits: Sequence[Edit]) -> Iterator[str]:
    for edit in edits:
        at = edit.at.astimezone().strftime("%Y-%m-%d %H:%M")
        yield f"{place_of(Path(edit.path))}, back to before `{edit.what}` of {at}:"
        yield from _listed(edit.names)


def _agree(plan: UndoPlan, edits: Sequence[Edit]) -> None:
    """Show the plan and ask; raises typer.Exit when the answer is no."""
    for line in (*plan_words(plan), *_edit_words(edits)):
        terminal.say(line)
    if not agreed("Undo this?", "credtray undo --yes"):
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


def _tell(result: UndoResult, files: Undone) -> None:
    for path, names in files.restored.items():
        terminal.show_words(f"{place_of(Path(path))}: {', '.join(map(terminal.visible, names))} removed.")
    for path, reason in files.skipped.items():
        terminal.complain(f"{place_of(Path(path))} was left as it was: {reason}", kind="warning")
    places = (("Credentials file", result.credentials), ("Config file", result.profiles))
    for place, undone in places:
        if undone.restored:
            count = "1 section" if len(undone.restored) == 1 else f"{len(undone.restored)} sections"
            terminal.show_words(f"{place}: changes undone in {count}.")
    for place, undone in places:
        for section, reason in sorted(undone.skipped.items()):
            terminal.complain(f"{place}: [{section}] was left as it is: {reason}", kind="warning")
