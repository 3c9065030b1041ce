"""`credtray project`, `trust` and `hook`: what a directory asks for, a person's word on it, and the shells.

What a hook reads are plain lines: nothing that a file says is ever run by a shell.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from credtray.cli import terminal
from credtray.cli.agreement import agreed
from credtray.cli.choices import JsonOption
from credtray.cli.names import complete_profile
from credtray.core.errors import CredtrayError, UsageError
from credtray.core.forms import SYNTAX, Form, Shell
from credtray.desktop import paths
from credtray.files.directory_safety import resolve
from credtray.project.project_file import (
    HERE,
    NAME,
    Project,
    Trust,
    find,
    read,
    trusted,
    untrusted,
    working_directory,
)

_NOTHING = "-"
"""Stands in a line for a value that is not given: a shell drops empty lines at the end."""
_PRODUCTION = "production"
_SHOWN_LINES = 40
_NONE = (
    f"No {NAME} here or above. A line such as profile = "
    '"synderys-readonly" in one names the profile of a project.'
)


def here(profile: str | None) -> tuple[str, str | None]:
    """Return (profile, region) for the name that a command was given; ``.`` and None ask the project.

    Raises:
        UsageError: the project names none, or nobody has agreed to what it names.
        FileRefused, FileUnwritable: its file cannot be read.
    """
    if profile not in {None, HERE}:
        return str(profile), None
    project = trusted(working_directory(os.environ), _trust())
    return project.profile, project.region


def _trust() -> Trust:
    return Trust(paths.state_directory())


# --- credtray project -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """What `credtray project --json` prints."""

    version: int
    file: str | None
    profile: str | None = None
    region: str | None = None
    trusted: bool = False
    production: bool = False


def project(
    json_output: JsonOption = False,
    lines: Annotated[bool, typer.Option("--lines", hidden=True)] = False,
    kind: Annotated[
        str | None, typer.Option("--kind", hidden=True, metavar="PROFILE", autocompletion=complete_profile)
    ] = None,
) -> None:
    """Show which profile this directory asks for.

    A project names its profile in a file `.credtray.toml`, in its own folder or above. It counts after
    you have trusted it: then `credtray exec -- COMMAND`, `credtray env` and `credtray wait .` use that
    profile, and your shell sets AWS_PROFILE, if you have added its hook.

    Examples:
      credtray project
      credtray project --json
      credtray exec -- ./deploy.sh
    """
    if kind is not None:
        terminal.show_exactly(f"{_PRODUCTION if _is_production(kind) else _NOTHING}\n")
    elif lines:
        _tell_hook()
    else:
        _tell_person(json_output=json_output)


def _tell_hook() -> None:
    """Print the profile and the region of a trusted project, a line each; say on stderr why there is none."""
    try:
        found = trusted(working_directory(os.environ), _trust())
    except CredtrayError as error:
        if find(working_directory(os.environ)) is not None:  # otherwise there is nothing to tell
            terminal.complain(str(error), error.advice, kind="warning")
        return
    terminal.show_exactly(f"{found.profile}\n{found.region or _NOTHING}\n")


def _tell_person(*, json_output: bool) -> None:
    path = find(working_directory(os.environ))
    if path is None:
        if json_output:
            terminal.show_json(_Seen(1, None))
        else:
            terminal.show_words(_NONE)
        return
    found, trust = read(path), _trust()
    if json_output:
        agreed, production = trust.holds(found), _is_production(found.profile)
        terminal.show_json(_Seen(1, str(found.path), found.profile, found.region, agreed, production))
        return
    terminal.show_words(_words(found))
    if not trust.holds(found):
        refusal = untrusted(found, changed=trust.knew(found.path))
        terminal.complain(str(refusal), refusal.advice, kind="warning")


def _words(found: Project) -> str:
    region = f", region {found.region}" if found.region else ""
    production = " It is marked as production." if _is_production(found.profile) else ""
    return f"{found.path} asks for the profile {found.profile}{region}.{production}"


def _is_production(profile: str) -> bool:
    """Tell whether a person marked the profile; settings that cannot be read mark none."""
    from credtray.store.settings_file import SettingsFile  # a hook that finds no project does without

    place = paths.settings_file()
    try:
        settings = SettingsFile(place, paths.state_directory(), paths.fallback_lock_directory()).load()
    except CredtrayError:
        return False
    return settings.profile(profile).production


# --- credtray trust ---------------------------------------------------------------------------------


def trust(
    where: Annotated[
        Path | None,
        typer.Argument(metavar="PATH", help="The project; not needed inside of it.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Trust this project no more.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Show what you trust.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Let a project's `.credtray.toml` choose the profile.

    Shows the file and asks. What you agree to is this content at this place: after a change, such as one
    that `git pull` brings, it asks for nothing until you trust it again.

    Examples:
      credtray trust
      credtray trust ~/src/dns --yes
      credtray trust --remove
      credtray trust --list
    """
    if only_list and (where is not None or remove or yes):
        raise UsageError("--list goes with nothing but --json")
    known = _trust()
    if only_list:
        _list(known, json_output=json_output)
        return
    if remove:
        path = _meant(where, gone_is_fine=True)
        _done("removed" if known.take_back(path) else "unknown", path, json_output=json_output)
        return
    found = read(_meant(where, gone_is_fine=False))
    if known.holds(found):
        _done("already", found.path, json_output=json_output)
        return
    if not yes:
        _agree(found)
    known.give(found)
    _done("trusted", found.path, json_output=json_output)


_SAID = {
    "trusted": "Trusted: {}. `credtray trust --remove` takes that back.",
    "already": "{} is trusted already.",
    "removed": "No longer trusted: {}.",
    "unknown": "{} was not trusted.",
}


def _done(outcome: str, path: Path, *, json_output: bool) -> None:
    if json_output:
        terminal.show_json({"version": 1, "file": str(path), "outcome": outcome})
    else:
        terminal.show_words(_SAID[outcome].format(path))


def _list(known: Trust, *, json_output: bool) -> None:
    places = known.places()
    if json_output:
        terminal.show_json({"version": 1, "files": [str(path) for path in places]})
        return
    for path in places:
        terminal.show_words(str(path))
    if not places:
        terminal.show_words("You trust no project.")


def _meant(where: Path | None, *, gone_is_fine: bool) -> Path:
    """Return the project file that a person means: a file, one in that folder, or the nearest one.

    Raises:
        UsageError: there is none.
        FileRefused, FileUnwritable: links lead nowhere, or a part of the path cannot be looked at.
    """
    if where is None:
        found = find(working_directory(os.environ))
        if found is None:
            raise UsageError(f"There is no {NAME} here or above", hint="Name the project's folder.")
        return resolve(found)
    whole = where.expanduser()
    path = whole / NAME if whole.is_dir() or (gone_is_fine and whole.name != NAME) else whole
    if path.name != NAME:
        raise UsageError(f"{where} is neither a folder nor a {NAME}")
    return resolve(path)


def _agree(found: Project) -> None:
    """Show the file and ask; raises typer.Exit when the answer is no."""
    lines = found.data.decode().splitlines()
    terminal.say(f"{found.path}:")
    for line in lines[:_SHOWN_LINES]:
        terminal.say(f"  {line}")
    if len(lines) > _SHOWN_LINES:
        terminal.say(f"  and {len(lines) - _SHOWN_LINES} more lines")
    terminal.say(_words(found))
    if not agreed("Trust this file?", "credtray trust --yes"):
        terminal.say("It stays untrusted.")
        raise typer.Exit(1)


# --- credtray hook ----------------------------------------------------------------------------------


class HookShell(StrEnum):
    """The shells that have a hook."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def hook(
    shell: Annotated[HookShell, typer.Argument(help="Your shell.", show_default=False)],
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Also show the profile in the prompt, production in red.")
    ] = False,
) -> None:
    """Print what makes AWS_PROFILE follow the directory.

    In a project whose `.credtray.toml` you trust, your shell sets AWS_PROFILE, and AWS_REGION where the
    file names one; outside it gives back what was there before. What you set yourself stays.

    Examples:
      eval "$(credtray hook bash)"             (in ~/.bashrc)
      eval "$(credtray hook zsh --prompt)"     (in ~/.zshrc)
      credtray hook fish | source              # in ~/.config/fish/config.fish
    """
    form = Shell[shell.name].form
    quoted = SYNTAX[form].quoted(str(_trust().directory))
    place = f"set -g _credtray_trusted {quoted}" if form is Form.FISH else f"_credtray_trusted={quoted}"
    script = paths.asset(f"hook/credtray.{shell.value}").decode()
    more = "_credtray_with_prompt\n" if prompt else ""
    sys.stdout.write(f"{place}\n{script}{more}")
