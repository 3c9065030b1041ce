"""Carries an uninstallation out: the agent first, the record of what was there before last.

Every step may have been done already, by a run that was killed: whoever begins again finishes. One that fails
stops no other; what it needed is then kept for the next run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from credtray.core.errors import (
    AgentRefused,
    AutostartRefused,
    CredtrayError,
    FileContended,
    FileRefused,
    FileUnwritable,
)
from credtray.desktop import paths
from credtray.desktop.background import ask_systemd
from credtray.desktop.login_entry import LoginEntry
from credtray.files import made_record
from credtray.files.directory_safety import translated
from credtray.files.file_lock import FileLock
from credtray.tokens.edits import edited_files, undo_edits
from credtray.uninstall.aws_files import AwsFiles
from credtray.uninstall.traces import Going, Places, Trace, present

_LOCK_SECONDS = 20.0
"""Longer than another uninstallation takes."""
_LOCK_TRIES = 3
_SYSTEMCTL_SECONDS = 20.0
_IN_USE = ("locks", "files of the agent")
"""Titles of what is needed while the AWS files are edited."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants to go, beside what always goes."""

    profiles: bool = True
    settings: bool = True
    backups: bool = True


@dataclass(slots=True)
class Report:
    """What was done."""

    done: list[tuple[str, str]] = field(default_factory=list)
    """Title and place of each thing that is gone."""
    left: dict[str, str] = field(default_factory=dict)
    """Places of what was ours and stays, because somebody has changed it, each with the reason."""
    failed: list[tuple[str, CredtrayError]] = field(default_factory=list)
    """Places of what is still there, each with the reason."""
    incomplete: bool = False
    """An AWS file could not be edited: the record of what it was is kept."""


class RegistryKeys(Protocol):
    """What Windows keeps of us in the registry, beside the login entry; elsewhere nothing."""

    def found(self) -> list[str]:
        """Name each key that is there."""
        ...

    def remove(self) -> list[str]:
        """Remove them, and name each that is gone."""
        ...


class NoRegistryKeys:
    """Implements ``RegistryKeys`` where there is no registry."""

    def found(self) -> list[str]:
        """Nothing."""
        return []

    def remove(self) -> list[str]:
        """Nothing."""
        return []


@dataclass(frozen=True, slots=True)
class Hands:
    """What reaches beyond files; tests put their own here."""

    end_agent: Callable[[], str | None]
    entries: Mapping[str, LoginEntry]
    """What starts at login, and what stands in the menu of applications, by their titles."""
    registry: RegistryKeys


class Uninstallation:
    """One run; ``carry_out`` does all of it."""

    def __init__(self, places: Places, files: AwsFiles, hands: Hands, choice: Choice) -> None:
        self._places = places
        self._files = files
        self._hands = hands
        self._choice = choice
        self.report = Report()

    def carry_out(self) -> Report:
        """Do it.

        Raises:
            AgentSilent: the agent cannot be ended; nothing was removed.
            FileContended: another credtray is starting, or being uninstalled.
        """
        self._stop()
        with self._alone() as lock:
            self._entries()
            self.report.done += [("registry", place) for place in self._hands.registry.remove()]
            self._remove(lambda trace: trace.going is Going.ALWAYS and trace.title not in _IN_USE)
            self._aws()
            if not self.report.incomplete:
                self._remove(self._chosen)
            self._remove(lambda trace: trace.going is Going.ALWAYS)
            self._sweep(lock)
        return self.report

    def _stop(self) -> None:
        units = [path for trace, path in present(self._places) if trace.title == "systemd unit"]
        if units:  # else systemd would start it again
            with suppress(
                OSError, subprocess.TimeoutExpired
            ):  # without systemd there is nothing that it could start
                ask_systemd("disable", "--now", "credtray.service", seconds=_SYSTEMCTL_SECONDS)
        try:
            told = self._hands.end_agent()
        except AgentRefused as error:  # whoever listens there is not our agent
            self.report.failed.append(("agent", error))
        else:
            if told is not None:
                self.report.done.append(("agent", "stopped"))

    @contextmanager
    def _alone(self) -> Iterator[FileLock | None]:
        """Keep agents and other uninstallations out; without a lock where there can be none."""
        lock = None
        for _ in range(_LOCK_TRIES):  # another uninstallation may remove the directory under our hands
            try:
                lock = FileLock(paths.agent_lock(), timeout=_LOCK_SECONDS)
                lock.acquire()
                break
            except FileContended:
                raise FileContended(
                    "another credtray is starting, or being uninstalled",
                    hint="Wait a moment. Then run: credtray uninstall",
                ) from None
            except (AgentRefused, FileRefused, FileUnwritable):
                lock = None
        try:
            yield lock
        finally:
            if lock is not None:
                lock.release()

    def _entries(self) -> None:
        for title, entry in self._hands.entries.items():
            with suppress(AutostartRefused):  # it cannot be read: somebody else's, and named as what stays
                found = entry.found()
                if found is not None and found.ours:
                    with self._noting(entry.place, title):
                        entry.remove()

    def _chosen(self, trace: Trace) -> bool:
        wanted = {Going.WITH_SETTINGS: self._choice.settings, Going.WITH_BACKUPS: self._choice.backups}
        return wanted.get(trace.going, False)

    def _remove(self, wanted: Callable[[Trace], bool]) -> None:
        for trace, path in present(self._places):
            if wanted(trace):
                with self._noting(str(path), trace.title):
                    _unlink(path)

    @contextmanager
    def _noting(self, place: str, title: str) -> Iterator[None]:
        """Note what became of one thing."""
        try:
            yield
        except CredtrayError as error:
            self.report.failed.append((place, error))
        else:
            self.report.done.append((title, place))

    # --- the AWS files ----------------------------------------------------------------------------------

    def _aws(self) -> None:
        before = len(self.report.failed)
        for edited in (*self._files.with_keys(), *self._files.with_profiles()):
            left = edited.text.left.items()
            self.report.left |= {f"[{header}] in {edited.path}": reason for header, reason in left}
        for edited in self._files.with_keys():
            with self._noting(edited.place, "keys"):
                if edited.problem is not None:
                    raise edited.problem
                self._files.take_keys(edited.path)
        if self._choice.profiles:
            for path in self._files.lost_sign_ins():  # first: afterwards nobody knows whose they are
                with self._noting(str(path), "sign-in"):
                    _unlink(path)
            for edited in filter(lambda each: each.loses, self._files.with_profiles()):
                with self._noting(edited.place, "profiles"):
                    if edited.problem is not None:
                        raise edited.problem
                    self._files.take_profiles(edited.path)
        self._elsewhere()
        for path, error in self._files.put_back():
            if error is not None:
                self.report.failed.append((str(path), error))
        self.report.incomplete = len(self.report.failed) > before

    def _elsewhere(self) -> None:
        """Take our entries out of files of other programs, such as a kubeconfig."""
        if edits := edited_files().edits():
            with self._noting(", ".join(dict.fromkeys(each.path for each in edits)), "entries"):
                self.report.left |= undo_edits().skipped

    # --- the end ----------------------------------------------------------------------------------------

    def _sweep(self, lock: FileLock | None) -> None:
        """Remove directories that are empty now, ours and those that we made, and the record of them."""
        made = made_record.read(*self._places.records, *self._places.cache_records).directories
        self._remove_lock(lock)
        self._prune(made)
        if self.report.incomplete or not self._choice.backups:
            return
        record, moved = self._places.records
        with suppress(OSError):
            record.replace(moved)  # a run that is killed from here on is still to be finished
        with suppress(OSError):
            record.unlink(missing_ok=True)
        self._prune(made)
        with suppress(OSError):
            moved.unlink(missing_ok=True)

    def _remove_lock(self, lock: FileLock | None) -> None:
        if lock is None:
            return
        if sys.platform == "win32":
            lock.release()  # there nobody can remove an open file
        with suppress(OSError):
            paths.agent_lock().unlink()

    def _prune(self, made: Iterable[Path]) -> None:
        for root in self._places.own_roots():
            if root.is_symlink():  # what it leads to is the user's
                continue
            for folder, _folders, _files in os.walk(root, topdown=False):
                with suppress(OSError):  # not empty
                    Path(folder).rmdir()
        for path in sorted(made, key=lambda each: len(each.parts), reverse=True):
            with suppress(OSError):
                path.rmdir()


def remove_unpacked(places: Places) -> None:
    """Remove the unpacked program of credtray.pyz, from which this may run: nothing is imported after it."""
    made = made_record.read(*places.cache_records).directories
    for tree in places.unpacked():
        shutil.rmtree(tree, ignore_errors=True)
    for record in places.cache_records:
        with suppress(OSError):
            record.unlink()
        with suppress(OSError):
            record.parent.rmdir()
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir()


def _unlink(path: Path) -> None:
    with translated(path, "removing"):
        path.unlink(missing_ok=True)
