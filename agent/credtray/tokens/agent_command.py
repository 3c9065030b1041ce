"""`credtray agent TOOL`: the settings with which a coding agent gets keys from credtray, printed or written.

Hands over no key, and opens no browser: the tool asks for keys when it needs them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.choices import ProfileOption, RegionOption
from credtray.core.errors import FileRefused, UsageError
from credtray.core.shell_words import argument, command_line
from credtray.desktop.autostart import fast_command
from credtray.files.atomic_file import read_bounded
from credtray.store.text_edits import Edit, applied
from credtray.tokens.aws_calls import chosen_region, known_places
from credtray.tokens.coding_agents import PLACES, Place, Tool, Wish, merged, pieces_between, printed
from credtray.tokens.edits import agree, edited_files, place_of, show_pieces

_LIMIT = 4 * 1024 * 1024
"""Bytes of a settings file."""
_NOTES = {
    Tool.CLAUDE_CODE: "Put this into ~/.claude/settings.json, or let --write do it.",
    Tool.OPENCODE: "Put this into ~/.config/opencode/opencode.json, or let --write do it.",
    Tool.CODEX: "Put this into ~/.codex/config.toml, or let --write do it.",
    Tool.CLINE: "Choose this in the settings of Cline, in your editor.",
    Tool.CONTINUE: "Put this into ~/.continue/config.yaml, with the model you want.",
    Tool.MCP: 'Put this into each server below "mcpServers" that is to use the profile.',
}


def agent(
    tool: Annotated[Tool, typer.Argument(help="The coding agent.", show_default=False)],
    profile: ProfileOption,
    region: RegionOption = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write it into the tool's settings, after showing the difference.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --write: do not ask.")] = False,
) -> None:
    """Print the settings with which a coding agent uses a profile.

    Claude Code asks credtray for keys each time; the others use the profile, whose sign-in credtray keeps
    fresh. With --write everything else in the file stays; `credtray undo` takes it back.

    Examples:
      credtray agent claude-code -P synderys-dns
      credtray agent claude-code -P synderys-dns --write
      credtray agent codex -P synderys-dns --region us-west-2
    """
    wish = _wish(profile, region)
    if not write:
        terminal.show_exactly(printed(tool, wish) + "\n")
        terminal.say(_NOTES[tool])
        return
    if tool not in PLACES:
        raise UsageError(f"credtray does not write the settings of {tool}", hint="Leave out --write.")
    place = PLACES[tool]
    path = Path.home() / place.path
    there = read_bounded(path, _LIMIT)
    before, after = _texts(path, there, place, wish)
    pieces = pieces_between(before, after)
    if not pieces:
        terminal.show(f"Nothing to do: {place_of(path)} has it already.")
        return
    show_pieces(path, pieces)
    agree(yes=yes)
    edit = Edit(
        at=datetime.now(UTC),
        what=f"credtray agent {argument(tool)}",
        path=str(path),
        names=(f"the settings for {profile}",),
        created=there is None,
        pieces=tuple(pieces),
    )
    edited_files().write(there, edit, applied(there or b"", pieces))
    terminal.show(f"{tool} uses {terminal.visible(profile)} now ({place_of(path)}). Start it again.")


def _texts(path: Path, there: bytes | None, place: Place, wish: Wish) -> tuple[str, str]:
    """Return what the file says, and what it would say.

    Raises:
        FileRefused: it cannot be read, or leaves no place.
    """
    try:
        before = (there or b"").decode("utf-8")
        return before, merged(before, place.block(wish), toml=place.toml)
    except UnicodeDecodeError:
        raise FileRefused(f"{path}: it is not UTF-8") from None
    except FileRefused as error:
        raise FileRefused(f"{path}: {error.detail}", hint=error.advice) from None


def _wish(profile: str, region: str | None) -> Wish:
    """Return what the tool shall use.

    Raises:
        UnknownProfile, UsageError: there is no such profile, or it has no region.
    """
    known, _ = known_places(profile)
    windows = sys.platform == "win32"
    marker = ["--"] if profile.startswith("-") else []
    export = fast_command("credentials", "--form", "sts", *marker, profile)
    python, isolated, _no_site, door = fast_command()
    refresh = [python, isolated, door, "wait", "--login", "--timeout", "10m", *marker, profile]
    return Wish(
        profile,
        chosen_region(profile, region, known),
        command_line(export, windows=windows),
        command_line(refresh, windows=windows),
    )
