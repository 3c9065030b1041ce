"""What credtray changed for a person and can take back: section names, profiles of setup, kept keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from credtray.core.config.undo import Change, Undone
from credtray.core.effects import Effect
from credtray.core.errors import NothingToUndo, UsageError
from credtray.core.events import Deactivated, FilesChanged, SettingsLoaded, Switched
from credtray.core.models import Profile
from credtray.core.ports import ChangeRecord, SettingsFile
from credtray.core.settings import Settings
from credtray.core.state import State
from credtray.core.status import iso
from credtray.core.wishes import DEFAULT
from credtray.daemon.loop import Loop

SETTLE_SECONDS = 15.0


Restore = Callable[[Mapping[str, bytes | None], Mapping[str, bytes | None]], Undone]
"""Takes sections of the config file as they were and as we left them; puts back what nobody changed since."""


class Changes:
    """Makes and takes back changes on behalf of requests."""

    def __init__(self, settings: SettingsFile, restore: Restore, record: ChangeRecord) -> None:
        self._settings = settings
        self._restore_sections = restore
        self._record = record

    async def set_section(self, loop: Loop, profile: str, section: str) -> None:
        """Give a profile's keys another section of the credentials file.

        Raises:
            SettingsInvalid: not a name that can stand between brackets, or the settings file is broken.
        """
        name = None if section == profile else section

        def work() -> Settings:
            self._settings.set(("profiles", profile, "section"), name)
            return self._settings.load()

        loop.take(SettingsLoaded(await loop.file_work(work)))

    def shadowed_default(self, state: State) -> str | None:
        """Tell when programs will not look at the ``[default]`` we mirror, and why; None when they will.

        botocore and the AWS CLI take an SSO profile of the config file before keys of the credentials file.
        """
        if state.default is None:
            return None
        default = state.config.profiles.get(DEFAULT)
        if isinstance(default, Profile) and not default.chain:
            return (
                "your config file makes [default] an SSO profile itself, so the AWS CLI and boto3 go on "
                f"using {default.role_name} in {default.account_id}; programs that read only keys use "
                "the new default"
            )
        return None

    async def undo(self, loop: Loop, what: str | None) -> dict[str, Any]:
        """Take back what credtray changed, or with ``what="list"`` tell what that would be.

        Raises:
            NothingToUndo: no section of ours, no recorded change.
            UsageError: *what* is neither of the two.
        """
        if what not in {None, "list"}:
            raise UsageError(f"Undo takes no name ({what!r}): it undoes everything at once")
        recorded = await loop.file_work(self._record.changes)
        ours = {section: mark.profile for section, mark in loop.state.file.marks.items()}
        plan = {
            "credentials": [{"section": section, "profile": profile} for section, profile in ours.items()],
            "profiles": [
                {"at": iso(each.at), "what": each.what, "sections": sorted(each.originals())}
                for each in recorded
            ],
        }
        if what == "list":
            return plan
        if not ours and not recorded and not loop.state.kept:
            raise NothingToUndo
        loop.take(Deactivated((*loop.state.active, *loop.state.imports)))
        loop.take(Switched(None))
        await loop.reached(Effect(sections=(*ours, *loop.state.file.marks)), SETTLE_SECONDS)
        left = set(loop.state.file.marks)
        report = await loop.file_work(lambda: self._restore(recorded))
        loop.take(FilesChanged())
        await loop.read(SETTLE_SECONDS)
        return {
            "credentials": {
                "restored": sorted(set(ours) - left),
                "skipped": dict.fromkeys(sorted(left), "it could not be rewritten; see `credtray status`"),
            },
            "profiles": report,
        }

    def _restore(self, recorded: Sequence[Change]) -> dict[str, Any]:
        restored: set[str] = set()
        skipped: dict[str, str] = {}
        for change in reversed(recorded):  # the newest first: each finds the file as it left it
            report = self._restore_sections(change.originals(), change.results())
            restored.update(report.restored)
            skipped.update(report.skipped)
            self._record.forget(change)
        left_alone = {section: why for section, why in skipped.items() if section not in restored}
        return {"restored": sorted(restored), "skipped": left_alone}
