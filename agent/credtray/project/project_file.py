"""The `.credtray.toml` of a project: where it is, what it says, and whether a person trusts what it says.

A file in a repository is written by somebody else, and to act as another profile is to act in another
account. So nothing a project says counts before a person has agreed to these very bytes at this very place.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from credtray.core.addresses import check_region, shown
from credtray.core.errors import CredtrayError, UsageError
from credtray.core.shapes import from_json
from credtray.core.words import did_you_mean
from credtray.files.atomic_file import read_bounded, write_atomically
from credtray.files.directory_safety import is_there, private_directory, resolve, translated

NAME = ".credtray.toml"
HERE = "."
"""Stands for "the profile of this project" where a command takes the name of a profile."""
MAX_BYTES = 64 * 1024
_LONGEST_NAME = 500
_ENTRY_BYTES = 16 * 1024
_KEYS = ("profile", "region")


@dataclass(frozen=True, slots=True)
class Project:
    """What one file says, read once: the bytes that are trusted are the bytes that were understood."""

    path: Path
    """Where the file really is: symbolic links are followed."""
    data: bytes
    profile: str
    region: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hex."""
        return hashlib.sha256(self.data).hexdigest()


# --- finding and reading ----------------------------------------------------------------------------


def working_directory(environ: Mapping[str, str]) -> Path | None:
    """Return the current directory as the shell names it, or as it really is; None where it is gone.

    The shell's name goes first, because a project is what a person sees above: below a symbolic link that is
    another directory than the one the system would climb to.
    """
    with suppress(OSError, ValueError):
        named = Path(environ.get("PWD", ""))
        if named.is_absolute() and named.samefile("."):
            return named
    try:
        return Path.cwd()
    except OSError:
        return None


def find(directory: Path | None) -> Path | None:
    """Return the nearest project file, in this directory or above; None where there is none."""
    if directory is None:
        return None
    candidates = (folder / NAME for folder in (directory, *directory.parents))
    return next((path for path in candidates if is_there(path)), None)


def read(path: Path) -> Project:
    """Read a project file.

    Raises:
        FileRefused, FileUnwritable: it is no plain file, too long, or cannot be read.
        UsageError: there is none, or it does not say what it has to.
    """
    data = read_bounded(path, MAX_BYTES)
    if data is None:
        raise UsageError(f"There is no {path}", hint='It needs a line such as: profile = "synderys-readonly"')
    try:
        said = tomllib.loads(data.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:  # the decoder's error is a ValueError, too
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else shown(str(error))
        raise _unfit(path, f"it is not TOML: {reason}") from None
    return Project(resolve(path), data, *_said(path, said))


def _said(path: Path, said: Mapping[str, object]) -> tuple[str, str | None]:
    unknown = next((key for key in said if key not in _KEYS), None)
    if unknown is not None:
        raise _unfit(path, f"{shown(unknown)} is not known there.{did_you_mean(unknown, _KEYS)}")
    profile, region = said.get("profile"), said.get("region")
    if not isinstance(profile, str) or not profile.strip() or not profile.isprintable():
        raise _unfit(path, 'it needs a line such as profile = "synderys-readonly"')
    if len(profile) > _LONGEST_NAME or profile == HERE:
        raise _unfit(path, f"{shown(profile)} cannot be the name of a profile")
    if region is None:
        return profile, None
    if not isinstance(region, str):
        raise _unfit(path, 'a region is written like this: region = "eu-central-1"')
    return profile, check_region(region)


def _unfit(path: Path, why: str) -> UsageError:
    return UsageError(f"{path}: {why}", hint="Correct the file; it may hold `profile` and `region`.")


# --- trust ------------------------------------------------------------------------------------------


class _Entry(msgspec.Struct, frozen=True):
    """One file that a person has agreed to."""

    path: str
    sha256: str
    version: int = 1


class Trust:
    """What a person agreed to: one small file (0600) for each project, so that two never meet.

    The directory's own time of change is what the shells' hooks compare a project file with.
    """

    def __init__(self, state_directory: Path) -> None:
        """Name the directory; nothing is opened."""
        self.directory = state_directory / "trusted"

    def holds(self, project: Project) -> bool:
        """Tell whether a person agreed to this content at this place."""
        return self._load(self._place(project.path)) == _Entry(str(project.path), project.digest)

    def knew(self, path: Path) -> bool:
        """Tell whether a person once agreed to what was there."""
        return self._load(self._place(path)) is not None

    def give(self, project: Project) -> None:
        """Remember that a person agreed.

        Raises:
            FileRefused, FileUnwritable: it cannot be kept; what was remembered before still is.
        """
        private_directory(self.directory)
        entry = _Entry(str(project.path), project.digest)
        write_atomically(self._place(project.path), msgspec.json.encode(entry))

    def take_back(self, path: Path) -> bool:
        """Forget a place; tell whether it was known.

        Raises:
            FileRefused, FileUnwritable: it cannot be forgotten, so it is still trusted.
        """
        place = self._place(path)
        with translated(place, "removing"):
            try:
                place.unlink()
            except FileNotFoundError:
                return False
        return True

    def places(self) -> list[Path]:
        """Return the project files that are trusted, or were before they changed, in order."""
        entries = (self._load(place) for place in self._entries())
        return sorted(Path(entry.path) for entry in entries if entry is not None)

    def _entries(self) -> Iterator[Path]:
        try:
            yield from sorted(self.directory.glob("*.json"))
        except OSError:
            return

    def _place(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
        return self.directory / f"{name}.json"

    @staticmethod
    def _load(place: Path) -> _Entry | None:
        """Return an entry; what cannot be read is no trust."""
        try:
            data = read_bounded(place, _ENTRY_BYTES)
            return None if data is None else from_json(data, _Entry)
        except (CredtrayError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


# --- for the commands -------------------------------------------------------------------------------


def trusted(directory: Path | None, trust: Trust) -> Project:
    """Return the project that this directory belongs to.

    Raises:
        UsageError: there is none, it is broken, or nobody has agreed to it.
        FileRefused, FileUnwritable: it cannot be read.
    """
    path = find(directory)
    if path is None:
        raise UsageError(
            f"Name a profile: there is no {NAME} here or above that would",
            hint='A project names its profile with a line such as: profile = "synderys-readonly"',
        )
    project = read(path)
    if not trust.holds(project):
        raise untrusted(project, changed=trust.knew(project.path))
    return project


def untrusted(project: Project, *, changed: bool) -> UsageError:
    """Return what to say of a file that nobody has agreed to."""
    why = "has changed since you trusted it" if changed else "is not trusted"
    return UsageError(
        f"{project.path} {why}, so its profile {shown(project.profile)} is not used",
        hint="To read it and decide: credtray trust",
    )
