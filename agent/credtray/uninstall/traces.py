"""THE table of what credtray leaves behind, and where: every file, and whose leave it takes to remove it.

Looks, and removes nothing. What is not in this table is not credtray's: it stays, and is named. A test runs
the product in a home and fails on a file that no row describes.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from credtray.aws.locations import AwsLocations, locate
from credtray.desktop import paths
from credtray.desktop.login_entry.start_menu import programs_folder
from credtray.desktop.socket_path import socket_paths
from credtray.files.atomic_file import LEFTOVER_PREFIX, is_null
from credtray.files.made_record import NAME as RECORD

_OWN = "credtray"
_UNPACKED = "one-file"
_LARGEST = 256 * 1024
"""Bytes of a file that is looked through for our mark."""


class Where(Enum):
    """Directories that a trace can be in; ``Places`` knows their paths."""

    SETTINGS = "settings"
    STATE = "state"
    LOG = "log"
    RUNTIME = "runtime"
    AWS = "aws"
    CONFIG_HOME = "config_home"
    DATA_HOME = "data_home"
    HOME = "home"
    START_MENU = "start_menu"
    CACHE = "cache"


class Going(Enum):
    """When a trace goes."""

    ALWAYS = "always"
    BY_ENTRY = "entry"
    """Always, by the ``LoginEntry`` that wrote it: it knows whether the entry is ours."""
    WITH_SETTINGS = "settings"
    WITH_BACKUPS = "backups"
    LAST = "last"
    """It is needed until everything else is done."""
    NEVER = "never"
    """It holds what another program wrote: a person has to look at it first."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One kind of file that credtray leaves."""

    title: str
    """For a person, as the list of `credtray uninstall` names it."""
    where: Where
    pattern: str
    """Below that directory, with ``/``; ``*`` stands for a part of one name."""
    going: Going = Going.ALWAYS
    mark: bytes = b""
    """What stands in each file of ours; without it, the file is somebody else's."""


_COMPLETION_MARK = b"credtray __complete "
MOVED_RECORD = f"{LEFTOVER_PREFIX}made.tmp"
"""Here the record lies while the directory it was in is being removed."""
_LEFTOVERS = f"{LEFTOVER_PREFIX}*.tmp"

TRACES = (
    Trace("login entry", Where.CONFIG_HOME, "autostart/credtray.desktop", Going.BY_ENTRY),
    Trace("login entry", Where.HOME, "Library/LaunchAgents/io.credtray.agent.plist", Going.BY_ENTRY),
    Trace("menu entry", Where.DATA_HOME, "applications/credtray.desktop", Going.BY_ENTRY),
    Trace("menu entry", Where.START_MENU, "credtray.lnk", Going.BY_ENTRY),
    Trace("application", Where.HOME, "Applications/credtray.app/Contents/Info.plist", Going.BY_ENTRY),
    Trace("icons", Where.DATA_HOME, "icons/hicolor/*/apps/credtray.png", mark=b"credtray"),
    Trace("icons", Where.DATA_HOME, "icons/hicolor/*/apps/credtray.svg", mark=b"credtray"),
    Trace("systemd unit", Where.CONFIG_HOME, "systemd/user/credtray.service", mark=b"credtray run"),
    Trace("systemd unit", Where.CONFIG_HOME, "systemd/user/*.wants/credtray.service"),
    Trace("completion", Where.DATA_HOME, "bash-completion/completions/credtray", mark=_COMPLETION_MARK),
    Trace("completion", Where.CONFIG_HOME, "fish/completions/credtray.fish", mark=_COMPLETION_MARK),
    Trace("completion", Where.DATA_HOME, "zsh/site-functions/_credtray", mark=_COMPLETION_MARK),
    Trace("completion", Where.HOME, ".zfunc/_credtray", mark=_COMPLETION_MARK),
    Trace("completion", Where.HOME, ".zsh/completions/_credtray", mark=_COMPLETION_MARK),
    Trace("endpoint tokens", Where.STATE, "endpoint/endpoint.json"),
    Trace("endpoint tokens", Where.STATE, "endpoint/*/*/token"),
    Trace("endpoint tokens", Where.STATE, f"endpoint/{_LEFTOVERS}"),
    Trace("endpoint tokens", Where.STATE, f"endpoint/*/*/{_LEFTOVERS}"),
    Trace("log", Where.LOG, "agent.log*"),
    Trace("history", Where.STATE, "history.jsonl"),
    Trace("history", Where.STATE, "history.older.jsonl"),
    Trace("roles you have", Where.STATE, "roles.json"),
    Trace("where the open page is", Where.STATE, "page.json"),
    Trace("trusted projects", Where.STATE, "trusted/*.json"),
    Trace("trusted projects", Where.STATE, f"trusted/{_LEFTOVERS}"),
    Trace("locks", Where.STATE, "locks/*.lock"),
    Trace("locks", Where.RUNTIME, "locks/*.lock"),
    Trace("files of `credtray exec`", Where.RUNTIME, "exec/*"),
    Trace("files of `credtray share`", Where.RUNTIME, "share/*"),
    Trace("files of `credtray share`", Where.RUNTIME, "containers/*/*"),
    Trace("files of the agent", Where.RUNTIME, "agent.sock"),
    Trace("files of the agent", Where.RUNTIME, "agent.pipe"),
    Trace("unfinished files", Where.STATE, _LEFTOVERS),
    Trace("unfinished files", Where.SETTINGS, _LEFTOVERS),
    Trace("unfinished files", Where.RUNTIME, _LEFTOVERS),
    Trace("unfinished files", Where.AWS, _LEFTOVERS),
    Trace("unfinished files", Where.CONFIG_HOME, f"autostart/{_LEFTOVERS}"),
    Trace("unfinished files", Where.DATA_HOME, f"applications/{_LEFTOVERS}"),
    Trace("unfinished files", Where.DATA_HOME, f"icons/hicolor/*/apps/{_LEFTOVERS}"),
    Trace("settings", Where.SETTINGS, "settings.toml", Going.WITH_SETTINGS),
    Trace("settings", Where.STATE, "settings.toml.before", Going.WITH_SETTINGS),
    Trace("settings", Where.STATE, "settings.toml.yours", Going.WITH_SETTINGS),
    Trace("state", Where.STATE, "state.json", Going.WITH_BACKUPS),
    Trace("state", Where.STATE, "state.broken", Going.WITH_BACKUPS),
    Trace("record of changes", Where.STATE, "undo.json", Going.WITH_BACKUPS),
    Trace("record of changes", Where.STATE, "edits.json", Going.WITH_BACKUPS),
    Trace("backups", Where.STATE, "*.credtray-backup", Going.WITH_BACKUPS),
    Trace("record of changes", Where.STATE, RECORD, Going.LAST),
    Trace("files of the agent", Where.RUNTIME, "agent.lock", Going.LAST),
    Trace("record of changes", Where.CACHE, RECORD, Going.LAST),
    Trace("record of changes", Where.HOME, MOVED_RECORD, Going.LAST),
    Trace("rescued text of another program", Where.STATE, "*.credtray-rescued", Going.NEVER),
)
"""Beside these there is what ``aws_files`` takes out of the AWS files, and what ``windows`` names."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where this user's traces can be."""

    home: Path
    aws: AwsLocations
    directories: Mapping[Where, tuple[Path, ...]]

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> Places:
        """Return those of a user with this environment and home."""
        aws = locate(environ, home)
        beside = (path.parent for path in (aws.config, aws.credentials) if not is_null(path))
        listening = [Path(path).parent for path in socket_paths()]
        return cls(
            home,
            aws,
            {
                Where.SETTINGS: (paths.settings_file().parent,),
                Where.STATE: (paths.state_directory(),),
                Where.LOG: (paths.log_file().parent,),
                Where.RUNTIME: tuple(dict.fromkeys(listening)),
                Where.AWS: tuple(dict.fromkeys((*beside, aws.token_cache))),
                Where.CONFIG_HOME: (_base_directory(environ, "XDG_CONFIG_HOME", home / ".config"),),
                Where.DATA_HOME: (_base_directory(environ, "XDG_DATA_HOME", home / ".local" / "share"),),
                Where.HOME: (home,),
                Where.START_MENU: (programs_folder(environ, home),),
                Where.CACHE: _caches(environ, home),
            },
        )

    @property
    def state(self) -> Path:
        """What credtray remembers."""
        return self.directories[Where.STATE][0]

    @property
    def records(self) -> tuple[Path, Path]:
        """Where the record of what credtray made is, and where it goes last."""
        return self.state / RECORD, self.home / MOVED_RECORD

    @property
    def cache_records(self) -> list[Path]:
        """Where credtray.pyz records which folders it made."""
        return [directory / RECORD for directory in self.directories[Where.CACHE]]

    def unpacked(self) -> tuple[Path, ...]:
        """Return where credtray.pyz has unpacked itself: whole trees of ours."""
        trees = (directory / _UNPACKED for directory in self.directories[Where.CACHE])
        return tuple(tree for tree in trees if tree.is_dir() and not tree.is_symlink())

    def own_roots(self) -> tuple[Path, ...]:
        """Return the directories that are credtray's alone: all of them bear its name."""
        roots: dict[Path, None] = {}
        for where in (Where.SETTINGS, Where.STATE, Where.LOG, Where.RUNTIME, Where.CACHE):
            for path in self.directories[where]:
                named = next((each for each in (path, *path.parents) if each.name == _OWN), None)
                if named is not None:
                    roots[named] = None
        return tuple(roots)

    def empty_roots(self) -> list[Path]:
        """Return those of them that are there and hold no file: what a run that was killed has left."""
        roots = (root for root in self.own_roots() if root.is_dir() and not root.is_symlink())
        return [root for root in roots if not any(files for _folder, _folders, files in os.walk(root))]


def _base_directory(environ: Mapping[str, str], name: str, default: Path) -> Path:
    given = Path(environ.get(name, ""))
    return given if given.is_absolute() else default


def _caches(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return where credtray.pyz may have unpacked itself (packaging/one_file/__main__.py)."""
    default = home / ".cache"
    above = (
        _base_directory(environ, "XDG_CACHE_HOME", default),
        default,
        _base_directory(environ, "XDG_RUNTIME_DIR", default),
    )
    return tuple(dict.fromkeys(each / _OWN for each in above))


def present(places: Places) -> Iterator[tuple[Trace, Path]]:
    """Yield every file of ours that is there, by the table's order; what a link hides is not looked at."""
    seen: set[Path] = set()
    for trace in TRACES:
        for directory in places.directories[trace.where]:
            if trace.where is Where.SETTINGS and directory.is_symlink():
                continue  # of a collection of dotfiles
            for path in _matching(directory, trace.pattern.split("/")):
                if path not in seen and _is_ours(path, trace.mark):
                    seen.add(path)
                    yield trace, path


def described(places: Places, path: Path) -> Trace | None:
    """Return the row of the table that describes a file; None: none does."""
    for trace in TRACES:
        for directory in places.directories[trace.where]:
            if path.is_relative_to(directory):
                parts, patterns = path.relative_to(directory).parts, trace.pattern.split("/")
                if len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns)):
                    return trace
    return None


def _matching(directory: Path, patterns: list[str]) -> Iterator[Path]:
    """Yield what lies there under such names; symbolic links to directories are not followed."""
    name, *below = patterns
    try:
        entries = sorted(os.listdir(directory)) if "*" in name else [name]  # noqa: PTH208 -- names suffice
    except OSError:
        return
    for entry in entries:
        path = directory / entry
        if not fnmatch.fnmatchcase(entry, name) or not os.path.lexists(path):
            continue
        if not below:
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _matching(path, below)


def _is_ours(path: Path, mark: bytes) -> bool:
    """Tell whether it is a file (or socket, or link) that goes; one with a mark must be readable."""
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            return False
        if not mark:
            return True
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            return False
        return mark in path.read_bytes()
    except OSError:
        return False


def foreign(places: Places) -> Iterator[Path]:
    """Yield what lies in our own directories and is in no row of the table."""
    for root in places.own_roots():
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if Path(folder, name) not in places.unpacked()]
            for name in sorted(files):
                path = Path(folder, name)
                if described(places, path) is None:
                    yield path
