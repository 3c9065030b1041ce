"""Plans to replace commands that start a credtray which is not there any more."""

from __future__ import annotations

from credtray.core import ini
from credtray.core.config.text import read_config
from credtray.core.own_commands import own_command
from credtray.core.repairs.plan import RepairPlan, Scene, config_change

_KEY = "credential_process"


def plan_old_commands(scene: Scene) -> RepairPlan:
    """Plan the command of this installation for each of ours that can start nothing.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    edits: list[ini.Edit] = []
    changes: list[str] = []
    for name, section in sorted(read_config(scene.config).profiles.items()):
        text = section.text(_KEY)
        command = own_command(text) if text else None
        reason = None if command is None else command.outdated(lambda path: path not in scene.gone)
        if command is None or reason is None or scene.command is None or _KEY not in section.span.values:
            continue
        edits.append(ini.SectionEdit(section.span.name, {_KEY: scene.command(command.profile)}))
        changes.append(f"profile {name}: its credential process starts this credtray ({reason})")
    return RepairPlan(tuple(changes), config=config_change(scene.config, edits))


def plan_old_autostart(scene: Scene) -> RepairPlan:
    """Plan to let the desktop start this installation at login instead of one that is gone."""
    old = scene.old_start
    if old is None:
        return RepairPlan()
    return RepairPlan(
        (f"{old.place}: starts this credtray at login ({old.reason})",),
        ("If you do not want it to start at login: credtray autostart disable",),
        start=old,
    )
