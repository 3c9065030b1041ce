"""Shows an edit of another program's file, asks for it, and undoes all of them: for every such command.

Decides nothing about what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from credtray.cli import terminal
from credtray.cli.agreement import agreed
from credtray.core.errors import FileRefused
from credtray.desktop import paths
from credtray.environment import Environment
from credtray.store.text_edits import Edit, EditedFiles, Piece, Undone
from credtray.tokens.kubeconfig import Kubeconfig

KUBE_ADD = "credtray kube add"


def edited_files() -> EditedFiles:
    """Return what remembers edits of other programs' files."""
    return EditedFiles(paths.state_directory() / "edits.json", Environment().locks)


def undo_edits() -> Undone:
    """Undo every edit of another program's file; what somebody has changed since stays.

    Raises:
        CredtrayError: a file could not be written.
    """
    return edited_files().undo(_taken_out)


def _taken_out(edit: Edit, data: bytes) -> bytes | None:
    """Take our entries out of a kubeconfig that kubectl has written anew, which it does at every change."""
    if edit.what != KUBE_ADD:
        return None
    try:
        return Kubeconfig(Path(edit.path), data).without(edit.names)
    except FileRefused:
        return None


def place_of(path: Path) -> str:
    """Return a file as a person knows it."""
    home = Path.home()
    return terminal.visible(str(Path("~", path.relative_to(home)) if path.is_relative_to(home) else path))


def show_pieces(target: Path, pieces: Sequence[Piece]) -> None:
    """Show what would change, and nothing of what stays: keys of other programs may stand beside it."""
    terminal.say(f"Changes to {place_of(target)}:")
    for piece in sorted(pieces, key=lambda each: each.at):
        for sign, text in (("-", piece.before), ("+", piece.after)):
            for line in text.decode().splitlines():
                terminal.say(terminal.visible(f"{sign}{line}"))


def agree(*, yes: bool) -> None:
    """Ask whether to write it; raises typer.Exit when the answer is no."""
    if not yes and not agreed("Write this?", "Add --yes.", default=True):
        terminal.say("Nothing was changed.")
        raise typer.Exit(1)
