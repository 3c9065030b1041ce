"""Gathers what the repairs look at, and carries one out. Asks and tells nobody.

Of token files only start URL and region are taken; nothing else in them is kept or shown.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from credtray.app import Components
from credtray.aws.repairer import remove_sections, repair_config
from credtray.core.cache_format import read_fields
from credtray.core.config.edits import Change
from credtray.core.config.text import read_config
from credtray.core.desired_sections import DEFAULT
from credtray.core.errors import (
    AgentNotRunning,
    AutostartRefused,
    ConfigInvalid,
    CredtrayError,
    RepairRefused,
)
from credtray.core.models import SsoSession
from credtray.core.own_commands import OldStart, own_command
from credtray.core.repairs import Repair, RepairPlan, Scene, TokenOrigin
from credtray.core.repairs.plan import ConfigChange
from credtray.desktop.autostart import Autostart, credential_process_command
from credtray.files.atomic_file import CACHE_LIMIT, read_bounded
from credtray.ipc_client import AgentClient


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
