"""Carries out a repair a person has agreed to: plans it anew for the file as it is, under its lock.

Decides nothing (see core/repairs), and writes nothing when the plan is another one by then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from credtray.aws.credentials_file import Batch, own_sections, synced
from credtray.core.errors import RepairRefused
from credtray.core.ports import Mark
from credtray.core.repairs.plan import ConfigChange, RepairPlan
from credtray.files.shared_file import SharedFile


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
