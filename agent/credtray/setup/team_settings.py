"""The settings of a team file: what they make of settings.toml, shown and asked about before it is written.

Where the organisation's policy decides, its value stays; see store/locked_settings.
"""

from __future__ import annotations

import difflib

from credtray.app import Components
from credtray.cli import terminal
from credtray.cli.settings import OF_CODING_AGENTS
from credtray.core.settings import dotted
from credtray.core.words import plain
from credtray.guard.command import check_person
from credtray.setup.team_file import TeamFile
from credtray.store.new_settings import new_text
from credtray.store.settings_file import edited, settings_of


def take_settings_over(components: Components, team: TeamFile, *, ask: bool, dry_run: bool) -> None:
    """Show what a team file changes in settings.toml, ask, and write it.

    Raises:
        CodingAgentRefused: a coding agent would change what it may have.
    """
    file = components.settings_file
    before, team = file.text(), _without_locked(components, team)
    after = settings_after(before or new_text(), team)
    if not team.settings or settings_of(after) == settings_of(before):
        return
    terminal.say(f"\nChanges to {file.path}:")
    for line in difference(before or new_text(), after).splitlines()[2:]:
        terminal.say(line)
    if dry_run:
        terminal.say("Nothing was written (--dry-run).")
        return
    if not OF_CODING_AGENTS.isdisjoint(where[-1] for where, _value in team.settings):
        check_person(file.load())
    if ask:
        from credtray.cli.questions import ask_yes

        if not ask_yes("Take these settings over?"):
            terminal.say("The settings stay as they are.")
            return
    file.take_over(before, after)
    terminal.say("The settings were taken over; `credtray settings undo` gives the former ones back.")


def _without_locked(components: Components, team: TeamFile) -> TeamFile:
    """Return the file without the settings that the organisation's policy decides about, and tell them."""
    locked = components.settings_file.locked()
    for where, _value in team.settings:
        lock = locked.lock_of(where)
        if lock is not None:
            terminal.say(f"{plain(dotted(where))} is set by your organisation ({lock.place}) and stays.")
    return team.without({where for where, _value in team.settings if locked.lock_of(where) is not None})


def settings_after(text: str, team: TeamFile) -> str:
    """Return settings.toml with what the team file says; all else stays, comments too.

    Raises:
        SettingsInvalid: the settings file is broken, or written in a way that cannot be edited safely.
    """
    for where, value in team.settings:
        text = edited(text, where, value)
    return text


def difference(before: str, after: str) -> str:
    """Return the unified difference of two settings files; empty where there is none."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="")
    return "\n".join(lines)
