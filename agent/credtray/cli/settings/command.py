"""`credtray settings`: shows and changes settings.toml, with its comments kept.

Works on the file; a running agent notices. What a setting means is in core/settings.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.names import complete_profile, complete_session
from credtray.cli.settings.keys import ACTIONS, complete_action, complete_setting, complete_value, keys_of
from credtray.core.errors import SettingsInvalid, UsageError
from credtray.core.settings import Entry, Toml, Where, dotted, entries, entry_at, typed
from credtray.core.words import did_you_mean
from credtray.store.settings_file import SettingsFile

_WITH_KEY = ("get", "set", "unset")


def settings(
    action: Annotated[
        str | None,
        typer.Argument(
            metavar="ACTION",
            help=f"{', '.join(ACTIONS)}; without one all settings are shown.",
            autocompletion=complete_action,
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY",
            help="Such as warn_before, sessions.NAME.duration or profiles.NAME.tags.",
            autocompletion=complete_setting,
            show_default=False,
        ),
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VALUE",
            help="For set; several words make a list.",
            autocompletion=complete_value,
            show_default=False,
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Show and change the settings.

    Actions:
      get KEY          what is in effect
      set KEY VALUE    change one value; your comments stay
      unset KEY        back to the default
      edit             open it in $VISUAL or $EDITOR; a valid file is saved
      undo             undo the last of these changes
      path             where the file is

    Examples:
      credtray settings
      credtray settings get sessions.synderys.duration
      credtray settings set warn_before 1h 10m
      credtray settings set 'profiles."my profile".tags' billing weekly
      credtray settings unset warn_before
      credtray settings edit
    """
    words = tuple(value or ())
    _check(action, key, words)
    file = _file()
    match action:
        case None:
            _show(file, json_output=json_output)
        case "get":
            keys, _ = _typed(key or "", ())
            _get(file, keys, json_output=json_output)
        case "set" | "unset":
            keys, wanted = _typed(key or "", words)
            file.set(keys, wanted)
            _tell_change(file, keys, json_output=json_output)
        case "edit":
            _edit(file)
        case "undo":
            file.undo()
            terminal.show("Last change undone. Run it again to redo it.")
        case _:
            _path(file, json_output=json_output)


def _file() -> SettingsFile:
    from credtray.desktop import paths

    fallback = paths.fallback_lock_directory()
    return SettingsFile(paths.settings_file(), paths.state_directory(), fallback)


def _check(action: str | None, key: str | None, words: tuple[str, ...]) -> None:
    """Refuse words that do not belong together.

    Raises:
        UsageError: an unknown action, or too many or too few words for it.
    """
    if action is not None and action not in ACTIONS:
        raise UsageError(
            f"settings has no action {action!r}.{did_you_mean(action, ACTIONS)}",
            hint="credtray settings --help",
        )
    if (action in _WITH_KEY) is not (key is not None):
        wants = "needs the name of a setting" if action in _WITH_KEY else "takes no further words"
        raise UsageError(f"settings {action} {wants}", hint="credtray settings --help")
    if (action == "set") is not bool(words):
        wants = "needs a value" if action == "set" else "takes no value"
        raise UsageError(f"settings {action} {wants}", hint="credtray settings --help")


def _typed(key: str, words: tuple[str, ...]) -> tuple[Where, Toml | None]:
    """Return the setting and the value that are meant; None for no words.

    Raises:
        UsageError: there is no such setting, or it cannot hold this.
    """
    try:
        keys = keys_of(key)
        return keys, typed(keys, words) if words else None
    except SettingsInvalid as error:
        own = error.advice if error.advice != SettingsInvalid.hint else "credtray settings --help"
        raise UsageError(error.detail, hint=own) from None


def _show(file: SettingsFile, *, json_output: bool) -> None:
    from credtray.cli.settings import view

    found, exists = tuple(entries(file.load())), file.path.exists()
    if json_output:
        terminal.show_json(view.document(found, file.path, exists=exists))
    else:
        for line in view.lines(found, file.path, exists=exists):
            terminal.show(line)


def _get(file: SettingsFile, keys: Where, *, json_output: bool) -> None:
    from credtray.cli.settings.view import entry_document, plain

    entry = entry_at(file.load(), keys)
    if json_output:
        terminal.show_json(entry_document(entry))
        return
    found: Any = plain(entry.value)
    if found is None:
        terminal.say(f"{dotted(keys)} is not set.")
    elif isinstance(found, bool):
        terminal.show(str(found).lower())
    else:
        for line in found if isinstance(found, list) else [found]:
            terminal.show(line)


def _tell_change(file: SettingsFile, keys: Where, *, json_output: bool) -> None:
    from credtray.cli.settings.view import entry_document, shown

    entry: Entry = entry_at(file.load(), keys)
    if json_output:
        terminal.show_json(entry_document(entry))
    else:
        terminal.show(f"{dotted(keys)} = {shown(entry.value)}. Undo: credtray settings undo")
    _warn_of_unknown_name(keys)


def _warn_of_unknown_name(keys: Where) -> None:
    """Tell of a session or profile that the config file does not name: it may be a slip."""
    if len(keys) == 1:
        return
    table, name, _field = keys
    found = complete_session("") if table == "sessions" else complete_profile("")
    known = [each for each, _help in found]
    if known and name not in known:
        what = "sso-session" if table == "sessions" else "profile"
        meant = did_you_mean(name, known)
        terminal.complain(f"There is no {what} {name!r} in the config file.{meant}", kind="warning")


def _edit(file: SettingsFile) -> None:
    from credtray.cli.settings.editor import Edited, edit

    match edit(file):
        case Edited.TAKEN_OVER:
            terminal.show("Settings saved. Undo: credtray settings undo")
        case Edited.UNCHANGED:
            terminal.show("Nothing was changed.")
        case Edited.OPENED:
            terminal.show(
                f"Opened {file.path}. Each valid save takes effect; `credtray settings` says what is wrong."
            )


def _path(file: SettingsFile, *, json_output: bool) -> None:
    if json_output:
        terminal.show_json({"file": str(file.path), "exists": file.path.exists()})
    else:
        terminal.show(str(file.path))
