"""What `credtray uninstall` would do, and what stays and why. Looks, and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from credtray.core.errors import AutostartRefused, CredtrayError
from credtray.doctor.collect_files import spoken_path
from credtray.files.atomic_file import read_bounded
from credtray.tokens.edits import edited_files
from credtray.uninstall.aws_files import AwsFiles
from credtray.uninstall.carry_out import Choice, Hands
from credtray.uninstall.traces import Going, Places, foreign, present

_MOST = 3
"""So many files of one kind in one folder are named; of more, only their number."""
_SHELL_FILES = (
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".config/fish/config.fish",
    ".config/powershell/Microsoft.PowerShell_profile.ps1",
    "Documents/PowerShell/Microsoft.PowerShell_profile.ps1",
    "Documents/WindowsPowerShell/Microsoft.PowerShell_profile.ps1",
)
_SHELL_LIMIT = 1024 * 1024
_CALLS_US = re.compile(rb"^[^#\n]*\bcredtray[ \t]+[a-z]")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that goes."""

    title: str
    place: str


@dataclass(frozen=True, slots=True)
class Stay:
    """One thing that stays."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done."""

    always: tuple[Item, ...]
    settings: tuple[Item, ...]
    profiles: tuple[Item, ...]
    backups: tuple[Item, ...]
    stays: tuple[Stay, ...]

    def chosen(self, choice: Choice) -> list[Item]:
        """Return what goes."""
        parts = [(True, self.always), (choice.settings, self.settings), (choice.profiles, self.profiles)]
        parts.append((choice.backups, self.backups))
        return [item for wanted, items in parts if wanted for item in items]

    @property
    def is_empty(self) -> bool:
        """There is nothing of credtray's here."""
        return not (self.always or self.settings or self.profiles or self.backups)


def plan(places: Places, files: AwsFiles, hands: Hands, *, agent: str | None) -> Plan:
    """Look at everything; *agent* says of the running one what a person should know, None: there is none."""
    by_going: dict[Going, list[Item]] = {going: [] for going in Going}
    if agent is not None:
        by_going[Going.ALWAYS].append(Item("agent", agent))
    by_going[Going.ALWAYS] += _entries(hands)
    for trace, path in present(places):
        by_going[trace.going].append(Item(trace.title, str(path)))
    always = by_going[Going.ALWAYS] + [Item("registry", key) for key in hands.registry.found()]
    always += [Item("keys", edited.place) for edited in files.with_keys()]
    always += [Item("entries", path) for path in dict.fromkeys(each.path for each in edited_files().edits())]
    always += [Item("unpacked program", str(tree)) for tree in places.unpacked()]
    always += by_going[Going.LAST] if not by_going[Going.WITH_BACKUPS] else []
    if not always:
        always += [Item("empty folders", str(root)) for root in places.empty_roots()]
    profiles = [Item("profiles", edited.place) for edited in files.with_profiles() if edited.loses]
    profiles += [Item("sign-in", str(path)) for path in files.lost_sign_ins()]
    last = by_going[Going.LAST] if by_going[Going.WITH_BACKUPS] else []
    return Plan(
        tuple(always),
        tuple(by_going[Going.WITH_SETTINGS]),
        tuple(profiles),
        tuple(by_going[Going.WITH_BACKUPS] + last),
        tuple(staying(places, files, hands, Choice())),
    )


def _entries(hands: Hands) -> Iterator[Item]:
    for title, entry in hands.entries.items():
        with suppress(AutostartRefused):
            found = entry.found()
            if found is not None and found.ours:
                yield Item(title, entry.place)


# --- what stays ----------------------------------------------------------------------------------------


def staying(places: Places, files: AwsFiles, hands: Hands, choice: Choice) -> Iterator[Stay]:
    """Yield what stays after an uninstallation with this choice, or has stayed after it."""
    yield from _of_aws(files, choice)
    yield from _of_ours(places, choice)
    yield from _of_entries(hands)
    for path, line in _calls_in_shells(places.home):
        yield Stay(f"{path}, line {line}", "your shell runs credtray there: delete the line")


def _of_aws(files: AwsFiles, choice: Choice) -> Iterator[Stay]:
    profiles = files.with_profiles()
    for edited in (*files.with_keys(), *profiles):
        for header, reason in sorted(edited.text.left.items()):
            yield Stay(f"[{header}] in {edited.path}", reason)
    gone = {header for edited in profiles for header in edited.text.sections if choice.profiles}
    if not choice.profiles:
        for edited in profiles:
            if edited.text.sections:
                yield Stay(edited.place, "you wanted to keep it")
    for path, header in files.still_calling():
        if header not in gone:
            yield Stay(f"[{header}] in {path}", "its credential_process runs credtray: remove that line")
    lost = set(files.lost_sign_ins()) if choice.profiles else set()
    if any(path not in lost for path in files.sign_ins()):
        yield Stay(
            str(files.token_cache),
            "sign-ins there belong to the AWS CLI as well. To end them, run: aws sso logout",
        )


def _of_ours(places: Places, choice: Choice) -> Iterator[Stay]:
    wanted = {Going.WITH_SETTINGS: choice.settings, Going.WITH_BACKUPS: choice.backups}
    for trace, path in present(places):
        if trace.going is Going.NEVER:
            yield Stay(str(path), "another program's text, which could not be merged: look at it first")
        elif not wanted.get(trace.going, True):
            yield Stay(str(path), "you wanted to keep it")
    for path in foreign(places):
        yield Stay(str(path), "credtray did not write it")
    for root in places.own_roots():
        if root.is_symlink():
            yield Stay(str(root), "it is a symbolic link, which credtray did not create")


def _of_entries(hands: Hands) -> Iterator[Stay]:
    for entry in hands.entries.values():
        try:
            found = entry.found()
        except AutostartRefused as error:
            yield Stay(entry.place, error.detail)
        else:
            if found is not None and not found.ours:
                yield Stay(entry.place, "it was not written by credtray")


def _calls_in_shells(home: Path) -> Iterator[tuple[Path, int]]:
    for name in _SHELL_FILES:
        path = home / name
        try:
            content = read_bounded(path, _SHELL_LIMIT) or b""
        except CredtrayError:
            continue
        for number, line in enumerate(content.splitlines(), 1):
            if _CALLS_US.match(line):
                yield path, number


# --- in words ------------------------------------------------------------------------------------------


def listed(items: Iterable[Item], home: Path) -> list[str]:
    """Return a line for each item, many of one kind in one folder together."""
    lines = []
    for (title, folder), group in groupby(items, lambda item: (item.title, Path(item.place).parent)):
        places = [item.place for item in group]
        shown = [f"{len(places)} files in {folder}"] if len(places) > _MOST else places
        lines += [(title, spoken(each, home)) for each in shown]
    width = max((len(title) for title, _ in lines), default=0)
    return [f"  {title:{width}}  {place}" for title, place in lines]


def spoken(place: str, home: Path) -> str:
    """Return what names a place with the home directory as a person writes it."""
    before, between, path = place.rpartition(" in ")
    if Path(path).is_absolute():
        return f"{before}{between}{spoken_path(Path(path), home)}"
    return place


def stays_listed(stays: Sequence[Stay], home: Path) -> list[str]:
    """Return a line for each thing that stays."""
    return [f"  {spoken(stay.place, home)}: {stay.reason}" for stay in stays]
