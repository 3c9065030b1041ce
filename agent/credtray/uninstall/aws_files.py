"""What credtray has put into the AWS files, and how it leaves them: sections, profiles and sign-ins.

What it would do to a text is pure; the writing is done by ``SharedFile``, which loses nobody's edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from credtray.app import Components
from credtray.aws.credentials_file import leaving, own_sections
from credtray.core import ini
from credtray.core.config.sections import Section, Unusable, read_config, read_session
from credtray.core.config.setup_edits import MARK, PROFILE_KEYS, Change, is_ours, removal, undo_setup
from credtray.core.config.sso import whole_credentials
from credtray.core.errors import ConfigInvalid, CredtrayError, FileUnparsable
from credtray.core.models import SsoSession
from credtray.core.own_commands import own_command
from credtray.core.section_mark import PREFIX
from credtray.files import made_record
from credtray.files.atomic_file import INI_LIMIT, is_null, read_bounded
from credtray.files.directory_safety import is_there, resolve
from credtray.files.made_record import FileBefore
from credtray.files.shared_file import SharedFile


@dataclass(frozen=True, slots=True)
class Text:
    """What would become of one content of a file."""

    after: bytes
    sections: tuple[str, ...] = ()
    """Headers of what goes, or is put back as it was."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Headers of what was ours and stays, each with the reason."""


def without_keys(data: bytes, backup: bytes | None = None) -> Text:
    """Return a credentials file without our sections; one that somebody took over loses only our comment.

    The end of a file that had no line end is taken from the *backup*: once a section stood behind it.
    """
    own = own_sections(data)
    edits = [leaving(section, mark) for section, mark in own]
    left = {}
    for name, section in ini.scan(data).by_name().items():
        if name not in {each.name for each, _ in own} and any(
            comment.text.startswith(PREFIX) for comment in section.comments
        ):
            edits.append(ini.SectionEdit(name, mark=ini.Mark(PREFIX, None)))
            left[name] = "somebody has put other keys into it since"
    after = ini.edit(data, edits) if edits else data
    return Text(_ended_as(after, backup), tuple(section.name for section, _ in own), left)


def without_profiles(
    data: bytes,
    changes: Sequence[Change],
    credentials: Mapping[str, Section] = MappingProxyType({}),
    backup: bytes | None = None,
) -> Text:
    """Return a config file as it was before credtray: recorded changes undone, then marked profiles removed.

    A section that setup took out comes back at the end: where the result has every line of the *backup* and
    no other, it is put back as it was.

    Raises:
        ConfigInvalid, IniRefused: the file is broken, or would be.
    """
    after, gone, left = data, dict[str, None](), dict[str, str]()
    for change in reversed(changes):  # the newest first: each finds the file as it left it
        undone = undo_setup(after, change.originals(), change.results(), credentials)
        after = undone.after
        gone |= dict.fromkeys(undone.restored)
        left |= undone.skipped
    for section in read_config(after).profiles.values():
        header = section.span.name
        if is_ours(section) and header not in left:
            if section.settings.keys() <= PROFILE_KEYS:
                after = ini.edit(after, [removal(section.span)])
                gone[header] = None
            else:
                left[header] = "somebody has changed it since"
    moved = any(None not in (each.originals().values()) for each in changes)
    if backup is not None and moved and _lines(after) == _lines(backup):
        after = backup
    after = _ended_as(after, backup)
    there = ini.scan(data).by_name()
    return Text(after, tuple(header for header in gone if header in there), left)


def _ended_as(after: bytes, backup: bytes | None) -> bytes:
    if backup is not None and after.rstrip(b"\r\n") == backup.rstrip(b"\r\n"):
        return backup
    return after


def _lines(data: bytes) -> list[bytes]:
    return sorted(line for line in data.splitlines() if line.strip())


def sessions_lost(before: bytes, after: bytes) -> list[SsoSession]:
    """Return the sso-sessions that only the first text has: nobody can use their sign-ins any more."""
    remaining = read_config(after).sso_sessions
    lost = []
    for name, section in read_config(before).sso_sessions.items():
        if name not in remaining:
            try:
                lost.append(read_session(name, section))
            except Unusable:
                continue
    return lost


def still_calling(data: bytes) -> list[str]:
    """Return the headers of profiles whose credential process is a credtray."""
    try:
        profiles = read_config(data).profiles.values()
    except ConfigInvalid:
        return []
    return [
        section.span.name
        for section in profiles
        if own_command(section.text("credential_process") or "") is not None
    ]


@dataclass(frozen=True, slots=True)
class Edited:
    """One AWS file, and what is to be done to it."""

    path: Path
    text: Text
    changes: bool = False
    """Whether any byte of it changes."""
    problem: CredtrayError | None = None
    """Why it cannot be edited; then nothing is known of what is in it."""

    @property
    def loses(self) -> bool:
        """Whether something is to be taken out, or nobody knows."""
        return self.problem is not None or self.changes

    @property
    def place(self) -> str:
        """What is meant, for a person: the sections and the file."""
        if self.problem is not None:
            return str(self.path)
        if not self.text.sections and not self.text.left:
            return f"line end in {self.path}"
        named = ", ".join(f"[{header}]" for header in (self.text.sections or self.text.left))
        return f"{named} in {self.path}"


def _edited(path: Path, before: bytes, text: Text) -> Edited:
    return Edited(path, text, changes=text.after != before)


class AwsFiles:
    """The AWS files of this user, those of other names that credtray once edited included."""

    def __init__(self, components: Components, records: Sequence[Path]) -> None:
        self._components = components
        self._records = records
        self._opened: dict[Path, SharedFile] = {}
        self.config = components.environment.aws.config
        self.credentials = components.environment.aws.credentials
        self.token_cache = components.environment.aws.token_cache

    def with_keys(self) -> list[Edited]:
        """Return each file that holds sections of ours, or could not be looked at."""
        found = [self._looked_at(path, self._without_keys(path)) for path in self._paths(self.credentials)]
        return [each for each in found if each.loses or each.text.left]

    def with_profiles(self) -> list[Edited]:
        """Return each file that holds profiles of ours, or could not be looked at."""
        found = []
        for path in self._paths(self.config):
            changes = self._changes() if path == self.config else []
            found.append(self._looked_at(path, partial(self._without_profiles, changes)))
        return [each for each in found if each.loses or each.text.left]

    def lost_sign_ins(self) -> list[Path]:
        """Return the files of the token cache that nobody can use once our sso-sessions are gone."""
        found = []
        for edited in self.with_profiles():
            if edited.problem is None:
                for session in sessions_lost(self._read(edited.path), edited.text.after):
                    cache = self._components.token_cache
                    found += [cache.token_path(session), cache.registration_path(session)]
        return [path for path in dict.fromkeys(found) if path.is_file()]

    def still_calling(self) -> list[tuple[Path, str]]:
        """Return the profiles, each with its file, whose credential process is a credtray."""
        return [(self.config, header) for header in still_calling(self._read_or_nothing(self.config))]

    def sign_ins(self) -> list[Path]:
        """Return all files of the token cache, whoever wrote them."""
        return sorted(self.token_cache.glob("*.json"))

    def take_keys(self, path: Path) -> None:
        """Take our sections out of a credentials file; raises what ``SharedFile.edit`` raises."""
        wanted = self._without_keys(path)
        self._shared(path).edit(lambda data: wanted(data).after, secret=False)

    def take_profiles(self, path: Path) -> None:
        """Take our profiles out of a config file; raises what ``SharedFile.edit`` raises."""
        changes = self._changes() if path == self.config else []
        self._shared(path).edit(lambda data: self._without_profiles(changes, data).after, secret=False)

    def put_back(self) -> Iterator[tuple[Path, CredtrayError | None]]:
        """Remove files that credtray made and that are empty now, and widen what it narrowed.

        Yields each file that this is done to, or that it cannot be done to, with the reason.
        """
        for path, before in self._edited().items():
            try:
                if self._put_back(path, before):
                    yield path, None
            except CredtrayError as error:
                yield path, error

    def _edited(self) -> Mapping[Path, FileBefore]:
        return made_record.read(*self._records).files

    def _put_back(self, path: Path, before: FileBefore) -> bool:
        if not is_there(path):
            return False
        shared = self._shared(path)
        if not before.existed:
            return shared.remove_if_empty()
        if before.mode is None:
            return False
        backups = shared.backup_path.parent.glob("*.credtray-backup")
        return shared.widen(before.mode, [read_bounded(each, INI_LIMIT) or b"" for each in backups])

    def _without_profiles(self, changes: Sequence[Change], data: bytes) -> Text:
        said = whole_credentials(self._read_or_nothing(self.credentials))
        return without_profiles(data, changes, said, self._backup(self.config))

    def _without_keys(self, path: Path) -> Callable[[bytes], Text]:
        return partial(without_keys, backup=self._backup(path))

    def _backup(self, path: Path) -> bytes | None:
        """Return the file as it was before the very first edit, where that is known."""
        try:
            return read_bounded(self._shared(path).backup_path, INI_LIMIT)
        except CredtrayError:
            return None

    def _changes(self) -> list[Change]:
        return self._components.undo_file.changes()

    def _paths(self, first: Path) -> list[Path]:
        """Return the file as it is found today, and others that we edited when it was found elsewhere."""
        known = {self._target(path) for path in (self.config, self.credentials)}
        others = [path for path in self._edited() if path not in known and path.is_file()]
        return [path for path in (first, *others) if not is_null(path)]

    @staticmethod
    def _target(path: Path) -> Path:
        try:
            return resolve(path)
        except CredtrayError:
            return path

    def _looked_at(self, path: Path, transform: Callable[[bytes], Text]) -> Edited:
        try:
            data = self._read(path)
            broken = ini.parse_problem(data)
            if broken is None:
                return _edited(path, data, transform(data))
            if not any(mark.encode() in data for mark in (PREFIX, MARK)):
                return Edited(path, Text(data))  # broken, and nothing of ours is in it
            problem: CredtrayError = FileUnparsable(f"{path}, line {broken.line}: {broken.text}")
        except CredtrayError as error:
            problem = error
        return Edited(path, Text(b""), problem=problem)

    def _read(self, path: Path) -> bytes:
        return self._shared(path).read()

    def _read_or_nothing(self, path: Path) -> bytes:
        try:
            return self._read(path)
        except CredtrayError:
            return b""

    def _shared(self, path: Path) -> SharedFile:
        if path not in self._opened:  # each knows which empty file is its own doing
            self._opened[path] = self._components.shared_file(path)
        return self._opened[path]
