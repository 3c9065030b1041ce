"""`credtray settings edit`: a person's own editor on a copy, taken over only when it is valid.

Where no editor is named the desktop opens the file itself. Uses no shell.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

import typer

from credtray.cli import terminal
from credtray.core.errors import CommandNotFound, CommandRefused, FileContended, SettingsInvalid, UsageError
from credtray.core.shell_words import command_words
from credtray.store.settings_file import SettingsFile, settings_of


class Edited(Enum):
    """What came of an edit."""

    TAKEN_OVER = "taken_over"
    UNCHANGED = "unchanged"
    OPENED = "opened"
    """The desktop shows the file; nobody knows when its editor is done."""


def edit(file: SettingsFile) -> Edited:
    """Let a person edit the settings.

    Raises:
        CommandNotFound, CommandRefused: the editor cannot be started.
        SettingsInvalid: what was left is broken, and nobody can be asked; the old file stays.
        FileUnopened: no editor is named, and no desktop takes the file.
    """
    command = chosen_editor(os.environ)
    file.create()
    if not command:
        _open_on_desktop(file.path)
        return Edited.OPENED
    return Edited.TAKEN_OVER if _edited(file, command) else Edited.UNCHANGED


def chosen_editor(environ: Mapping[str, str]) -> list[str]:
    """Return the command a person has chosen in VISUAL or EDITOR, in words; none when there is none.

    Raises:
        UsageError: it has an open quote.
    """
    chosen = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        return command_words(chosen, windows=sys.platform == "win32")
    except ValueError as error:
        raise UsageError(f"VISUAL or EDITOR is {chosen!r}: {error}") from None


def _open_on_desktop(path: Path) -> None:
    from credtray.desktop.browser import open_file

    open_file(path, os.environ)


def _edited(file: SettingsFile, command: Sequence[str]) -> bool:
    from credtray.files.atomic_file import scratch_directory, write_atomically

    before = file.text()
    with scratch_directory("credtray-settings-") as folder:
        draft = folder / "settings.toml"
        write_atomically(draft, before.encode())
        while True:
            _run([*command, str(draft)])
            try:
                after = draft.read_bytes().decode()
                settings_of(after)
            except (OSError, UnicodeDecodeError) as error:
                problem = SettingsInvalid(f"the edited file cannot be read ({type(error).__name__})")
            except SettingsInvalid as error:
                problem = error
            else:
                return _taken_over(file, before, after)
            _once_more(problem)


def _taken_over(file: SettingsFile, before: str, after: str) -> bool:
    if after == before:
        return False
    try:
        file.take_over(before, after)
    except FileContended as error:
        kept = _rescued(file, after)
        raise FileContended(error.detail, hint=f"Your version is in {kept}.") from None
    return True


def _rescued(file: SettingsFile, after: str) -> Path:
    from credtray.files.atomic_file import write_atomically

    kept = file.backup_path.with_name(f"{file.path.name}.yours")
    write_atomically(kept, after.encode())
    return kept


def _run(argv: Sequence[str]) -> None:
    try:
        code = subprocess.run(argv, check=False).returncode  # noqa: S603 -- the user's own editor, no shell
    except FileNotFoundError:
        raise CommandNotFound(f"{argv[0]} (from VISUAL or EDITOR)") from None
    except OSError as error:
        raise CommandRefused(f"{argv[0]} (from VISUAL or EDITOR): {error.strerror}") from None
    if code:
        raise CommandRefused(
            f"{argv[0]} ended with exit code {code}",
            hint="Nothing was changed. Edit again, or set another EDITOR.",
        )


def _once_more(problem: SettingsInvalid) -> None:
    """Tell what is wrong and ask; raises the problem where nobody can be asked, typer.Exit when it is no."""
    error = SettingsInvalid(problem.detail, hint="Nothing was changed. Try again: credtray settings edit")
    if not terminal.interactive():
        raise error
    terminal.complain(str(error))
    from credtray.cli.questions import ask_yes

    if not ask_yes("Edit it again?", default=True):
        terminal.say("Nothing was changed.")
        raise typer.Exit(1)
