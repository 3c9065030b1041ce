"""`credtray repair`: shows what it can repair in the AWS files and at login, asks, does it, says what next.

Decides nothing: see doctor/repair_plans.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from credtray.app import Components
from credtray.aws.cache_format import read_fields
from credtray.aws.credentials_file import Batch, own_sections, synced
from credtray.cli import terminal
from credtray.cli.agreement import agreed
from credtray.cli.choices import JsonOption
from credtray.core.config.sections import read_config
from credtray.core.config.setup_edits import Change
from credtray.core.desired_sections import DEFAULT
from credtray.core.errors import (
    AgentNotRunning,
    AutostartRefused,
    ConfigInvalid,
    CredtrayError,
    RepairRefused,
    UsageError,
)
from credtray.core.models import SsoSession
from credtray.core.own_commands import OldStart, own_command
from credtray.core.ports import Mark
from credtray.core.words import did_you_mean
from credtray.desktop.autostart import Autostart, credential_process_command
from credtray.doctor.repair_plans import REPAIRS, ConfigChange, Repair, RepairPlan, Scene, TokenOrigin
from credtray.files.atomic_file import CACHE_LIMIT, read_bounded
from credtray.files.shared_file import SharedFile
from credtray.ipc_client import AgentClient

_MOST_LINES = 60
"""Longer previews are cut; --dry-run shows them whole."""


def _complete_repair(incomplete: str) -> list[str]:
    return [name for name in REPAIRS if name.startswith(incomplete)]


def repair(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help=f"One of: {', '.join(REPAIRS)}. All of them when not given.",
            autocompletion=_complete_repair,
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be changed.")] = False,
    preview_id: Annotated[
        str | None,
        typer.Option(
            "--preview-id",
            metavar="ID",
            help="Only if the preview is still the one that --dry-run --json showed with this ID.",
            show_default=False,
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Repair what is out of date in your AWS files, and an old entry that starts credtray at login.

    Each repair shows its changes first. What it changes in the config file, `credtray undo` takes back
    byte for byte; everything else in the file stays as it is.

    Examples:
      credtray repair --dry-run
      credtray repair legacy_profiles
      credtray repair --yes
    """
    from credtray.app import build

    if json_output and not yes and not dry_run:
        raise UsageError("With --json, credtray cannot ask", hint="Add --dry-run or --yes.")
    if preview_id is not None and name is None:
        raise UsageError("--preview-id needs the name of a repair", hint="credtray repair --help")
    components = build()
    seen = scene(components)
    cases = _cases(_chosen(name), seen)
    for case in cases:
        if not json_output:
            _preview(case, whole=dry_run)
        case.refuse_another_than(preview_id)
        if (
            case.problem is None
            and case.plan.needed
            and not dry_run
            and (yes or agreed("Repair this?", "credtray repair --yes"))
        ):
            _carry_out(components, case, seen, quiet=json_output)
    if json_output:
        terminal.show_json({"repairs": [case.document() for case in cases]})
    elif not any(case.plan.needed or case.problem for case in cases):
        terminal.show_words("Nothing to repair.")
    failed = next((case.problem for case in cases if case.problem is not None), None)
    if failed is not None:
        raise failed
    if not dry_run and any(case.plan.needed and not case.done for case in cases):
        raise typer.Exit(1)


@dataclass(slots=True)
class _Case:
    """One repair and what becomes of it."""

    name: str
    repair: Repair
    plan: RepairPlan
    problem: CredtrayError | None = None
    done: bool = False

    def refuse_another_than(self, preview_id: str | None) -> None:
        """Make it a problem that it would change something else than what was previewed."""
        if preview_id not in {None, self.plan.preview_id} and self.problem is None:
            detail = "what it would change is no longer what was previewed"
            self.problem = RepairRefused(detail, hint="Look at the preview again.")

    def document(self) -> dict[str, Any]:
        """Return it for --json."""
        return {
            "name": self.name,
            "title": self.repair.title,
            "needed": self.plan.needed,
            "undoable": self.repair.undoable,
            "changes": list(self.plan.changes),
            "diff": self.plan.diff,
            "preview_id": self.plan.preview_id,
            "left_alone": dict(self.plan.left_alone),
            "next_steps": list(self.plan.next_steps),
            "problem": None if self.problem is None else str(self.problem),
            "done": self.done,
        }


def _chosen(name: str | None) -> Mapping[str, Repair]:
    if name is None:
        return REPAIRS
    if name not in REPAIRS:
        raise UsageError(
            f"{name!a} is not a repair.{did_you_mean(name, REPAIRS)}", hint=f"There are: {', '.join(REPAIRS)}"
        )
    return {name: REPAIRS[name]}


def _cases(repairs: Mapping[str, Repair], seen: Scene) -> list[_Case]:
    cases = []
    for name, each in repairs.items():
        try:
            cases.append(_Case(name, each, each.plan(seen)))
        except CredtrayError as error:
            cases.append(_Case(name, each, RepairPlan(), error))
    return cases


def _preview(case: _Case, *, whole: bool) -> None:
    plan = case.plan
    say = terminal.show if whole else terminal.say
    if plan.needed:
        say(f"{case.name}: {case.repair.title}.")
        lines = [*(f"  {change}" for change in plan.changes), "", *plan.diff.splitlines()]
        most = len(lines) if whole else _MOST_LINES
        for line in lines[:most]:
            say(line)
        if len(lines) > most:
            say(f"and {len(lines) - most} more lines; --dry-run shows them all")
        if not case.repair.undoable:
            say("`credtray undo` cannot undo this.")
    for what, reason in plan.left_alone.items():
        terminal.complain(f"{case.name}: {what} was not changed: {reason}", kind="warning")


def _carry_out(components: Components, case: _Case, seen: Scene, *, quiet: bool) -> None:
    try:
        carry_out(components, case.name, case.repair, seen, case.plan)
    except CredtrayError as error:
        case.problem = error
        return
    case.done = True
    if quiet:
        return
    terminal.show_words(f"{case.name}: done." + (" To undo: credtray undo" if case.repair.undoable else ""))
    for step in case.plan.next_steps:
        terminal.show_words(step)


# Carries out a repair a person has agreed to: plans it anew for the file as it is, under its lock.
#
# Decides nothing (see doctor/repair_plans), and writes nothing when the plan is another one by then.


def repair_config(
    file: SharedFile,
    plan: Callable[[bytes], RepairPlan],
    agreed: RepairPlan,
    record: Callable[[ConfigChange], None],
) -> None:
    """Write what was agreed to into the config file.

    *record* is called before each attempt to write, with exactly what will be written: should the process
    die in between, an undo finds a record of a change that was never made, and no change without a record.

    Raises:
        RepairRefused: somebody changed the file so that the repair would be another one. Nothing was written.
        FileContended, FileUnparsable, FileRefused, FileUnwritable: see ``SharedFile.edit``.
    """

    def transform(data: bytes) -> bytes:
        now = plan(data)
        if now.decision != agreed.decision or now.config is None:
            raise RepairRefused(f"{file.path} was changed since the preview", hint="Run the command again.")
        record(now.config)
        return now.config.after

    file.edit(transform, secret=False)


def remove_sections(file: SharedFile, agreed: Collection[Mark]) -> None:
    """Take the keys of these sections out of the credentials file, if they are still the very same.

    Raises:
        RepairRefused: one of them holds other keys now, or somebody has changed it. Nothing was written.
        FileContended, FileUnparsable, FileRefused, FileUnwritable: see ``SharedFile.edit``.
    """
    wanted = {mark.section: (mark.expires_at, mark.digest) for mark in agreed}

    def transform(data: bytes) -> bytes:
        there = {section.name: (mark.expires_at, mark.key_digest) for section, mark in own_sections(data)}
        if any(there.get(name) != about for name, about in wanted.items()):
            raise RepairRefused(f"{file.path} was changed since the preview", hint="Run the command again.")
        return synced(data, [], set(wanted), Batch())

    file.edit(transform, secret=False)


# Gathers what the repairs look at, and carries one out. Asks and tells nobody.
#
# Of token files only start URL and region are taken; nothing else in them is kept or shown.


def scene(components: Components) -> Scene:
    """Return how things are now.

    Raises:
        CredtrayError: a file cannot be read.
    """
    config = components.shared_file(components.environment.aws.config).read()
    return Scene(
        components.ports.clock.now(),
        config,
        components.shared_file(components.environment.aws.credentials).read(),
        _token_origins(components, config),
        tuple(components.ports.credentials_file.marks()),
        _gone(config),
        credential_process_command,
        _old_start(),
        _owned(components),
    )


def carry_out(components: Components, name: str, repair: Repair, seen: Scene, agreed: RepairPlan) -> None:
    """Do what was agreed to, and record it for `credtray undo`.

    Raises:
        RepairRefused: the file is another one by now.
        CredtrayError: it cannot be written; nothing was changed.
    """
    aws = components.environment.aws
    if agreed.removed:
        remove_sections(components.shared_file(aws.credentials), agreed.removed)
    if agreed.start is not None:
        _start_anew(agreed)
    if agreed.config is None:
        return
    recorded: list[Change] = []

    def forget() -> None:
        while recorded:
            components.undo_file.forget(recorded.pop())

    def record(change: ConfigChange) -> None:
        forget()  # of an attempt that came to nothing
        now = components.ports.clock.now()
        recorded.append(
            components.undo_file.remember(now, f"repair {name}", change.originals, change.results)
        )

    try:
        repair_config(
            components.shared_file(aws.config),
            lambda data: repair.plan(replace(seen, config=data)),
            agreed,
            record,
        )
    except CredtrayError:
        forget()
        raise


def _start_anew(agreed: RepairPlan) -> None:
    """Have the desktop start this installation, if what it starts is still what was shown.

    Raises:
        RepairRefused: it is something else by now.
        AutostartRefused: the entry cannot be written.
    """
    starting = Autostart()
    if starting.outdated() != agreed.start:
        raise RepairRefused(
            "what starts at login has changed since the preview", hint="Run the command again."
        )
    starting.enable()


def _old_start() -> OldStart | None:
    try:
        return Autostart().outdated()
    except AutostartRefused:  # not ours to repair; `credtray autostart status` says why
        return None


def _token_origins(components: Components, config: bytes) -> dict[str, TokenOrigin]:
    try:
        names = read_config(config).sso_sessions
    except ConfigInvalid:  # each repair that needs the file says so itself
        return {}
    found = ((name, _token_origin(components, name)) for name in names)
    return {name: origin for name, origin in found if origin is not None}


def _token_origin(components: Components, session: str) -> TokenOrigin | None:
    path = components.token_cache.token_path(SsoSession(session, "", ""))
    try:
        fields = read_fields(read_bounded(path, CACHE_LIMIT) or b"")
    except (CredtrayError, ValueError):
        return None
    start_url, region = fields.get("startUrl"), fields.get("region")
    if not isinstance(start_url, str) or not isinstance(region, str):
        return None
    return TokenOrigin(start_url, region)


def _gone(config: bytes) -> frozenset[str]:
    """Return the paths in commands of ours that do not exist."""
    try:
        profiles = read_config(config).profiles.values()
    except ConfigInvalid:  # the repair says so itself
        return frozenset()
    commands = [own_command(section.text("credential_process") or "") for section in profiles]
    paths = {path for command in commands if command is not None for path in (command.python, command.door)}
    return frozenset(path for path in paths if path is not None and not Path(path).exists())


def _owned(components: Components) -> frozenset[str]:
    """Return the sections a running agent keeps; without one nobody renews what has ended."""
    try:
        with AgentClient.connect():
            pass
    except AgentNotRunning:
        return frozenset()
    state, settings = components.state_file.load(), components.ports.settings_file.load()
    kept = {settings.section(name) for name in state.active} | set(state.imports)
    return frozenset(kept | ({DEFAULT} if state.default is not None else set()))
