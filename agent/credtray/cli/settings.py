"""`credtray settings`: shows and changes settings.toml, with its comments kept.

Works on the file; a running agent notices. What a setting means is in core/settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from credtray.cli import terminal
from credtray.cli.choices import JsonOption
from credtray.cli.names import complete_profile, complete_session
from credtray.core.errors import (
    CredtrayError,
    SettingsInvalid,
    UsageError,
)
from credtray.core.settings import (
    KINDS,
    TABLES,
    Entry,
    Settings,
    Toml,
    Where,
    as_toml,
    dotted,
    entries,
    entry_at,
    kind_of,
    literal,
    names_of,
    typed,
)
from credtray.core.shell_words import toml_word
from credtray.core.words import did_you_mean
from credtray.store.locked_settings import Locked
from credtray.store.settings_file import SettingsFile

# The paths of settings as a person types them, and their completion. Reads no settings; prints nothing.


_PIECE = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|("(?:[^"\\]|\\.)*")|'([^']*)')\s*(\.|\Z)""")
ACTIONS = ("get", "set", "unset", "edit", "undo", "path")


def keys_of(text: str) -> Where:
    """Return the path that is meant: ``sessions.corp.duration``, ``profiles."my prof".tags``.

    The shell may have eaten the quotes: the name in the middle may stand bare.

    Raises:
        SettingsInvalid: no such setting; the nearest name is offered.
    """
    head, _, rest = text.partition(".")
    name, _, last = rest.rpartition(".")
    if head in TABLES and name and last in names_of(TABLES[head]) and not _quoted(name):
        return head, name, last
    keys = _pieces(text)
    kind_of(keys)
    return keys


def _quoted(name: str) -> bool:
    return name[:1] in {'"', "'"}


_EXAMPLE = 'profiles."my profile".tags'


def _pieces(text: str) -> Where:
    keys, place, more = [], 0, True
    while more:
        piece = _PIECE.match(text, place)
        if piece is None:
            raise SettingsInvalid(
                f"{text!r} is not the name of a setting",
                hint=f"Such as warn_before, or {toml_word(_EXAMPLE)}",
            )
        bare, double, single, end = piece.groups()
        keys.append(_unquoted(double) if double else bare or single or "")
        place, more = piece.end(), end == "."
    return tuple(keys)


def _unquoted(text: str) -> str:
    import tomllib  # a key press and most commands need no quotes

    try:
        return str(tomllib.loads(f"name = {text}")["name"])
    except tomllib.TOMLDecodeError:
        raise SettingsInvalid(f"{text} is not the name of a setting") from None


# --- completion --------------------------------------------------------------------------------------


def complete_action(incomplete: str) -> list[str]:
    """Return the actions that begin like this."""
    return [action for action in ACTIONS if action.startswith(incomplete)]


def complete_setting(incomplete: str) -> list[str]:
    """Return the paths that begin like this; those of sessions and profiles once they are begun."""
    return [path for path in _paths(incomplete) if path.startswith(incomplete)]


def _paths(incomplete: str) -> Iterator[str]:
    yield from names_of(Settings)
    for table, names in (("sessions", complete_session), ("profiles", complete_profile)):
        if not incomplete.startswith(f"{table}."):
            yield f"{table}."
            continue
        for name, _help in names(""):
            yield from (dotted((table, name, field)) for field in names_of(TABLES[table]))


def complete_value(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return what the setting named before may be, where that is a choice."""
    try:
        kind = kind_of(keys_of(str(ctx.params.get("key") or "")))
    except SettingsInvalid:
        return []
    return [value for value in KINDS[kind].choices if value.startswith(incomplete)]


def complete_tag(incomplete: str) -> list[str]:
    """Return the tags of all profiles that begin like this."""
    return sorted({tag for tag in _tags() if tag.casefold().startswith(incomplete.casefold())})


def _tags() -> Iterator[str]:
    """Yield them; a file that is broken or missing has none, as a key press must bring up no error."""
    from credtray.desktop import paths
    from credtray.store.settings_file import SettingsFile

    try:
        found = SettingsFile(paths.settings_file(), paths.state_directory()).load()
    except CredtrayError:
        return
    for chosen in found.profiles.values():
        yield from chosen.tags


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
    _check_person(file, action, key)
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


OF_CODING_AGENTS = frozenset({"agents", "production"})
"""What decides which keys coding agents get."""


def _check_person(file: SettingsFile, action: str | None, key: str | None) -> None:
    """Refuse a coding agent that would change what it may have.

    Raises:
        CodingAgentRefused: it is one.
    """
    with suppress(SettingsInvalid):  # a broken file has no rules, and a wrong name is told later
        what = () if key is None else keys_of(key)
        if action in {"edit", "undo"} or (action in {"set", "unset"} and what[-1] in OF_CODING_AGENTS):
            from credtray.guard.command import check_person

            check_person(file.load())


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
    found, exists, locked = tuple(entries(file.load())), file.path.exists(), file.locked()
    if json_output:
        terminal.show_json(document(found, file.path, locked, exists=exists))
    else:
        for line in lines(found, file.path, locked, exists=exists):
            terminal.show(line)
        for mistake in locked.mistakes:
            terminal.complain(mistake, "Tell whoever looks after your computer.", kind="warning")


def _get(file: SettingsFile, keys: Where, *, json_output: bool) -> None:
    entry = entry_at(file.load(), keys)
    if json_output:
        terminal.show_json(entry_document(entry, file.locked()))
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
    entry: Entry = entry_at(file.load(), keys)
    if json_output:
        terminal.show_json(entry_document(entry, file.locked()))
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
    from credtray.cli.settings_edit import Edited, edit

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


# What `credtray settings` shows: each setting with its value, and whether it is the default. Words only.


def lines(entries: Iterable[Entry], path: Path, locked: Locked, *, exists: bool) -> Iterator[str]:
    """Yield the list, one setting a line; what differs from the default says so, and what is locked."""
    found = tuple(entries)
    width = max(len(dotted(each.keys)) for each in found)
    yield f"File: {path}{'' if exists else ' (not created yet; all defaults)'}"
    yield ""
    for entry in found:
        note = f"   (default: {shown(entry.default)})" if entry.changed else ""
        note = "   (set by your organisation)" if locked.lock_of(entry.keys) else note
        yield f"{'*' if entry.changed else ' '} {dotted(entry.keys):{width}}  {shown(entry.value)}{note}"
    yield ""
    changed = sum(entry.changed for entry in found)
    yield (
        f"* differs from the default ({changed} of {len(found)})"
        if changed
        else "All settings have their default values."
    )
    if locked.locks:
        yield f"Set by your organisation: {len(locked.locks)}, in {', '.join(locked.places)}"
    yield "For one session or profile: credtray settings set profiles.NAME.tags billing weekly"


def shown(value: Any) -> str:
    """Return a value as a person would type it into the file."""
    return "not set" if value is None else literal(value)


def document(entries: Iterable[Entry], path: Path, locked: Locked, *, exists: bool) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "file": str(path),
        "exists": exists,
        "settings": [entry_document(each, locked) for each in entries],
        "policy": {"places": list(locked.places), "mistakes": list(locked.mistakes)},
    }


def entry_document(entry: Entry, locked: Locked) -> dict[str, Any]:
    """Return one setting for a program: its path in parts and in words, its value, its default."""
    return {
        "key": dotted(entry.keys),
        "keys": list(entry.keys),
        "value": plain(entry.value),
        "default": plain(entry.default),
        "changed": entry.changed,
        "locked": locked.lock_of(entry.keys) is not None,
    }


def plain(value: Any) -> Any:
    """Return the value as JSON holds it."""
    return None if value is None else as_toml(value)
