"""What credtray changed for a person and can take back: section names, profiles of setup, kept keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from credtray.core.config.setup_edits import Change, Undone
from credtray.core.desired_sections import DEFAULT
from credtray.core.effects import Effect
from credtray.core.errors import NothingToUndo, UsageError
from credtray.core.events import Deactivated, FilesChanged, SettingsLoaded, Switched
from credtray.core.models import Profile
from credtray.core.ports import ChangeRecord, SettingsFile
from credtray.core.protocol.results import (
    OurSection,
    RecordedEdit,
    RestoredSections,
    UndoPlan,
    UndoResult,
    whole_seconds,
)
from credtray.core.settings import Settings
from credtray.core.state import State
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

    async def plan(self, loop: Loop) -> UndoPlan:
        """Tell what an undo would take back."""
        marks = loop.state.file.marks.items()
        return UndoPlan(
            tuple(OurSection(section, mark.profile) for section, mark in marks),
            tuple(
                RecordedEdit(whole_seconds(each.at), each.what, tuple(sorted(each.originals())))
                for each in await loop.file_work(self._record.changes)
            ),
        )

    async def undo(self, loop: Loop, what: str | None = None) -> UndoResult:
        """Take back what credtray changed: all of it, or the ``last`` edit of the config file.

        Raises:
            NothingToUndo: no section of ours, no recorded change.
            UsageError: it is neither.
        """
        if what == "last":
            return await self.undo_last(loop)
        if what is not None:
            raise UsageError(f"Undo takes no name ({what!r})", hint="credtray undo --help")
        recorded = await loop.file_work(self._record.changes)
        ours = set(loop.state.file.marks)
        if not ours and not recorded and not loop.state.kept:
            raise NothingToUndo
        loop.take(Deactivated((*loop.state.active, *loop.state.imports)))
        loop.take(Switched(None))
        await loop.reached(Effect(sections=(*ours, *loop.state.file.marks)), SETTLE_SECONDS)
        left = set(loop.state.file.marks)
        report = await loop.file_work(lambda: self._restore(recorded))
        loop.take(FilesChanged())
        await loop.read(SETTLE_SECONDS)
        skipped = dict.fromkeys(sorted(left), "it could not be rewritten; see `credtray status`")
        return UndoResult(RestoredSections(tuple(sorted(ours - left)), skipped), report)

    async def undo_last(self, loop: Loop, expected: Change | None = None) -> UndoResult:
        """Take back the last edit of the config file, and nothing else.

        Args:
            loop: reads the file afterwards.
            expected: the edit that is meant; any when not given.

        Raises:
            NothingToUndo: there is none, or the last one is another.
        """

        def work() -> RestoredSections:
            last = self._record.changes()[-1:]
            if not last or (expected is not None and last[0] != expected):
                raise NothingToUndo("another change was made since" if last else "")
            return self._restore(last)

        report = await loop.file_work(work)
        loop.take(FilesChanged())
        await loop.read(SETTLE_SECONDS)
        return UndoResult(RestoredSections((), {}), report)

    def _restore(self, recorded: Sequence[Change]) -> RestoredSections:
        restored: set[str] = set()
        skipped: dict[str, str] = {}
        for change in reversed(recorded):  # the newest first: each finds the file as it left it
            report = self._restore_sections(change.originals(), change.results())
            restored.update(report.restored)
            skipped.update(report.skipped)
            self._record.forget(change)
        left_alone = {section: why for section, why in skipped.items() if section not in restored}
        return RestoredSections(tuple(sorted(restored)), left_alone)
