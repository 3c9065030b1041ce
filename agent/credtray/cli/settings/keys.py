"""The paths of settings as a person types them, and their completion. Reads no settings; prints nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import typer

from credtray.cli.names import complete_profile, complete_session
from credtray.core.errors import CredtrayError, SettingsInvalid
from credtray.core.settings import KINDS, TABLES, Settings, Where, dotted, kind_of, names_of

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


def _pieces(text: str) -> Where:
    keys, place, more = [], 0, True
    while more:
        piece = _PIECE.match(text, place)
        if piece is None:
            raise SettingsInvalid(
                f"{text!r} is not the name of a setting",
                hint="""Such as warn_before, or 'profiles."my profile".tags'""",
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
