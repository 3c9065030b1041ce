"""Writes the profiles of `credtray setup` into the AWS config file, after a preview, and takes them back.

Decides nothing: see core/config/setup_edits and core/config/setup_edits. Writes through ``SharedFile`` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from credtray.core import ini
from credtray.core.config.sections import Section
from credtray.core.config.setup_edits import SetupPlan, SetupWish, Undone, difference, plan_setup, undo_setup
from credtray.core.config.sso import whole_credentials
from credtray.core.errors import CredtrayError, FileContended
from credtray.files.shared_file import EditOutcome, SharedFile


@dataclass(frozen=True, slots=True)
class Preview:
    """What a setup would do; hand it to ``ProfileWriter.apply``."""

    wish: SetupWish
    plan: SetupPlan
    diff: str
    """Unified, only the lines setup writes or removes; empty when there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a setup did."""

    plan: SetupPlan
    outcome: EditOutcome
    originals: Mapping[str, bytes | None]
    """Section header -> its bytes before, None where there was none: what ``restore`` needs."""
    results: Mapping[str, bytes | None]
    """Section header -> its bytes afterwards, None where it was taken out: the other half of it."""


def _left(data: bytes, header: str, original: bytes | None) -> bytes | None:
    """Return a section as it was left; in front of a new one the line end that was put before it."""
    text = ini.section_text(data, header)
    return b"\n" + text if text is not None and original is None else text


class ProfileWriter:
    """Edits one AWS config file; raises what ``SharedFile`` raises.

    Args:
        file: the config file.
        credentials: the credentials file, which is read for what it says of profiles; None: there is none.
    """

    def __init__(self, file: SharedFile, credentials: SharedFile | None = None) -> None:
        self._file = file
        self._credentials = credentials

    def preview(self, wish: SetupWish) -> Preview:
        """Plan a setup for the file as it is now; nothing is written.

        Raises:
            ConfigInvalid, UsageError, IniRefused: see ``core.config.setup_edits.plan_setup``.
        """
        plan = plan_setup(self._file.read(), wish)
        return Preview(wish, plan, difference(plan))

    def apply(self, preview: Preview) -> Written:
        """Carry out what was shown; what others changed in the file meanwhile is kept.

        Raises:
            FileContended: the file was changed so that other profiles would be written than were shown.
        """
        plans: list[SetupPlan] = []
        landed: list[int] = []

        def transform(data: bytes) -> bytes:
            plan = plan_setup(data, preview.wish)
            if plan.decision != preview.plan.decision:
                raise FileContended(
                    f"{self._file.path} was changed since the preview", hint="Run the command again."
                )
            plans.append(plan)
            return plan.after

        outcome = self._file.edit(transform, secret=False, on_replaced=lambda: landed.append(len(plans) - 1))
        written = plans[landed[0] :] if landed else plans[-1:]
        originals: dict[str, bytes | None] = {}
        for plan in reversed(written):  # made again when others wrote meanwhile: the first one's word counts
            originals |= plan.originals
        results = {header: _left(written[-1].after, header, originals[header]) for header in originals}
        return Written(written[0], outcome, originals, results)

    def restore(self, originals: Mapping[str, bytes | None], results: Mapping[str, bytes | None]) -> Undone:
        """Put sections back as they were, except those that somebody changed since.

        Raises:
            ConfigInvalid, FileUnparsable: the file is broken; nothing is written into it.
        """
        undone: list[Undone] = []
        said = self._said_of_profiles()

        def transform(data: bytes) -> bytes:
            undone.append(undo_setup(data, originals, results, said))
            return undone[-1].after

        self._file.edit(transform, secret=False)
        return undone[-1]

    def _said_of_profiles(self) -> Mapping[str, Section]:
        """Return what the credentials file says; one that cannot be read says nothing."""
        if self._credentials is None:
            return {}
        try:
            return whole_credentials(self._credentials.read())
        except CredtrayError:
            return {}
