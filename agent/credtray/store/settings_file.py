"""Reads settings.toml, and edits it without losing the user's comments. Their meaning is in core/settings.

Writes whole files or nothing, never over what somebody saved meanwhile, and keeps what was there before.
"""

from __future__ import annotations

import copy
import logging
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from credtray.core.errors import FileContended, NothingToUndo, SettingsInvalid
from credtray.core.settings import (
    Settings,
    Toml,
    Where,
    dotted,
    from_mapping,
    literal,
)
from credtray.files.atomic_file import Draft, check_replaceable, opened, read_bounded, write_atomically
from credtray.files.directory_safety import make_directory, resolve, translated
from credtray.files.file_lock import FileLock
from credtray.files.open_directory import RealWaiter
from credtray.files.settling import Stamp, stamp_at
from credtray.store.locked_settings import Locked
from credtray.store.organisation import Policy, machine_policy

# Reads the text of settings.toml, and finds the line of what is wrong with it. Opens no file.


BOM = "\ufeff"
"""Some editors on Windows begin a file with it; TOML knows it not."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def lines_of(text: str) -> list[str]:
    """Return the lines with their ends, as TOML counts them."""
    return _LINE.findall(text)


_AT_END = "(at end of document)"
"""What tomllib says of a list or text that is not closed."""


def mapping(text: str) -> dict[str, Any]:
    """Return what the text says.

    Raises:
        SettingsInvalid: it is not TOML; the line is named.
    """
    try:
        return tomllib.loads(text.removeprefix(BOM))
    except tomllib.TOMLDecodeError as error:
        last = text.count("\n") + 1
        raise SettingsInvalid(str(error).replace(_AT_END, f"(at line {last}, the end of the file)")) from None
    except RecursionError:
        raise SettingsInvalid("it is nested too deeply") from None


def settings_of(text: str) -> Settings:
    """Return the settings.

    Raises:
        SettingsInvalid: not TOML, an unknown setting, a value of the wrong kind; the line is named.
    """
    data = mapping(text)
    try:
        return from_mapping(data)
    except SettingsInvalid as error:
        line = line_of(text, error.keys)
        if line is None:
            raise
        raise SettingsInvalid(f"{error.detail} (at line {line})", hint=error.advice) from None


def line_of(text: str, keys: Where) -> int | None:
    """Return the number of the (first) line that sets this, None when nothing does."""
    found = lines_setting(text, keys)
    return found.start + 1 if found else None


def lines_setting(text: str, keys: Where) -> range:
    """Return the places of the lines that set this, counted from 0; empty when nothing does.

    The text is TOML as a whole; the last line sought is that of the shortest beginning that has the value.
    """
    lines = lines_of(text.removeprefix(BOM))
    if not keys or not has(_parsed(lines, len(lines)), keys):
        return range(0)
    low, high = 0, len(lines)
    while high - low > 1:  # the first `low` lines do not have it, the first `high` do
        middle = (low + high) // 2
        if has(_parsed(lines, middle), keys):
            high = middle
        else:
            low = middle
    while low > 0 and _whole(lines[:low]) is None:  # a value over several lines begins further up
        low -= 1
    return range(low, high)


def _parsed(lines: list[str], count: int) -> dict[str, Any]:
    """Return what the longest whole beginning of at most so many lines says."""
    while (found := _whole(lines[:count])) is None:
        count -= 1
    return found


def _whole(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def has(data: Any, keys: Where) -> bool:
    """Tell whether a parsed file says something at this path."""
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


_log = logging.getLogger(__name__)
_LIMIT = 1024 * 1024
_ATTEMPTS = 8
"""So often an edit starts over because another program saved the file meanwhile."""


def _new_text() -> str:
    from credtray.store.new_settings import new_text  # most commands only read

    return new_text()


class SettingsFile:
    """Implements ``ports.SettingsFile``.

    Args:
        path: as the user names it; may be a symbolic link or not exist yet.
        own_directory: where the lock and the version before the last edit are kept; beside the file if not
            given.
        fallback_lock_directory: for file systems without locks (see ``FileLock``).
        policy: what counts more than the file; that of this computer if not given.
    """

    def __init__(
        self,
        path: Path,
        own_directory: Path | None = None,
        fallback_lock_directory: Path | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.path = path
        self._own = own_directory if own_directory is not None else path.parent
        self._fallback = fallback_lock_directory
        self._policy = machine_policy() if policy is None else policy
        self._told: Locked | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every file whose change may change the settings."""
        return (self.path, *self._policy.files)

    def locked(self) -> Locked:
        """Return what the organisation sets, whatever is in the file."""
        found = self._policy.read()
        if found != self._told:
            self._tell(found)
        return found

    def enforced(self) -> Settings:
        """Return what holds as long as the file cannot be used."""
        return self.locked().over(Settings())

    @property
    def backup_path(self) -> Path:
        """Where the file as it was before our last edit is kept."""
        return self._own / f"{self.path.name}.before"

    def stamp(self) -> object:
        """Return what changes when the file does, or what the organisation sets."""
        try:
            found = self.path.stat()
        except OSError as error:
            return error.errno, self._policy.stamp()
        return found.st_ino, found.st_size, found.st_mtime_ns, self._policy.stamp()

    def load(self) -> Settings:
        """Read the settings; defaults when there is no file. What the organisation sets counts more.

        Raises:
            SettingsInvalid: not TOML, an unknown setting, a value of the wrong kind; the line is named.
        """
        text = self.text()
        with self._named():
            own = settings_of(text)
        return self.locked().over(own)

    def text(self) -> str:
        """Return what is in the file; nothing when there is none.

        Raises:
            SettingsInvalid: it is not UTF-8.
            FileRefused, FileUnwritable: it cannot be read.
        """
        data = read_bounded(self.path, _LIMIT)
        try:
            return (data or b"").decode()
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise SettingsInvalid(f"{self.path} is not UTF-8 text (at line {line}); save it so") from None

    def set(
        self, keys: Sequence[str], value: Toml | None, check: Callable[[str], None] | None = None
    ) -> None:
        """Set (or with None take out) one value, keeping comments and layout; the result is checked first.

        Args:
            keys: the path of the value.
            value: as the file holds it.
            check: is given the text that is about to be changed, and raises what keeps it from that.

        Raises:
            SettingLocked: the organisation sets it. Nothing was changed.
            SettingsInvalid: the file is broken already, or would be with this value. Nothing was changed.
            FileContended, FileRefused, FileUnwritable: nothing was changed.
        """
        self.locked().check(tuple(keys))

        def change(text: str) -> str:
            if check is not None:
                check(text)
            if value is None and not text:
                return text
            return edited(text or _new_text(), tuple(keys), value)

        self._replace(change)

    def create(self) -> None:
        """Make the file when there is none, for a person to edit: all settings, explained, commented out."""
        if read_bounded(self.path, _LIMIT) is None:
            write_atomically(self.path, _new_text().encode())

    def take_over(self, before: str, after: str) -> None:
        """Replace the text a person began to edit with what they made of it.

        Raises:
            SettingLocked: it changes what the organisation sets. Nothing was changed.
            SettingsInvalid: *after* is broken. Nothing was changed.
            FileContended: the file is not *before* any more, or as ``set``.
        """

        def change(text: str) -> str:
            if text != before:
                raise FileContended(f"{self.path} was changed by another program in the meantime")
            return after

        self._replace(change)

    def undo(self, check: Callable[[str], None] | None = None) -> None:
        """Put back what was there before our last edit; once more, and the edit is back.

        *check* is as for ``set``.

        Raises:
            NothingToUndo: there was none.
            SettingLocked: it would change what the organisation sets. Nothing was changed.
            SettingsInvalid: what was there is broken for this version. Nothing was changed.
        """

        def change(text: str) -> str:
            if check is not None:
                check(text)
            before = read_bounded(self.backup_path, _LIMIT)
            if before is None:
                raise NothingToUndo(f"{self.path} was not edited by credtray")
            return before.decode()

        self._replace(change)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say of which file it is when its text is broken."""
        try:
            yield
        except SettingsInvalid as error:
            raise SettingsInvalid(f"{self.path}: {error.detail}", hint=error.advice) from None

    def _tell(self, found: Locked) -> None:
        """Log it, once: a level that a command without a log does not show on its screen."""
        if found.locks:
            _log.info("your organisation sets %s: %s", ", ".join(found.names), ", ".join(found.places))
        elif self._told is not None:
            _log.info("your organisation no longer sets anything")
        for mistake in found.mistakes:
            _log.info("a mistake in the policy of your organisation: %s", mistake)
        self._told = found

    # --- writing ----------------------------------------------------------------------------------------

    def _replace(self, change: Callable[[str], str]) -> None:
        with FileLock(self._own / "locks" / "settings.lock", fallback=self._fallback):
            for _ in range(_ATTEMPTS):
                seen, before = self._seen(), self.text()
                with self._named():
                    after = change(before)
                    settings_of(after)
                self._check_locked(before, after)
                if after == before or self._published(seen, before, after):
                    return
        raise FileContended(f"{self.path} changed each time it was about to be replaced")

    def _check_locked(self, before: str, after: str) -> None:
        try:
            said = mapping(before)
        except SettingsInvalid:  # a broken file is put in order: what is locked holds whatever it says
            return
        self.locked().check_change(said, mapping(after))

    def _seen(self) -> Stamp | None:
        return Stamp.at(self.path)

    def _published(self, seen: Stamp | None, before: str, after: str) -> bool:
        """Put the text in place, unless somebody has changed the file since; the old one is kept."""
        target = resolve(self.path)
        make_directory(target.parent)
        with opened(target.parent, RealWaiter()) as directory:
            found = check_replaceable(directory, target)
            mode = 0o600 if found is None else stat.S_IMODE(found.st_mode)
            with translated(target, "writing"), Draft(directory) as draft:
                draft.fill(after.encode(), mode)
                write_atomically(self.backup_path, before.encode())
                return draft.publish(target.name, lambda: stamp_at(directory, target.name) == seen)


# Changes one value in the text of settings.toml; every comment and every other line stays as it is.
#
# Writes no file. What comes out is read again: it says what the text said before, and the new value, and it
# has every other line, byte for byte.


_HEADER = re.compile(r"[ \t#]*\[")
"""Of a table, also one that is commented out: whoever takes the # away must not swallow what follows."""


def edited(text: str, keys: Where, value: Toml | None) -> str:
    """Return the text with this value set, or with None taken out.

    Raises:
        SettingsInvalid: the text is broken already or would be with this value, or is written in a way
            that cannot be edited safely.
    """
    before = mapping(text)
    settings_of(text)
    wanted = _changed(before, keys, value)
    if wanted == before:
        return text
    # A table that only dotted keys made is gone with the last of them; one with a header stays, empty.
    emptied = keys[:-1] if value is None else ()
    for way in _ways(before, keys, value):
        after = _with_line_ends(text, way(text))
        if _says(after, wanted, emptied) and _only_touches(text, after, keys):
            settings_of(after)
            return after
    raise SettingsInvalid(f"{dotted(keys)} cannot be changed here without changing more", hint=_BY_HAND)


_BY_HAND = "Change it by hand: credtray settings edit"


def _changed(before: dict[str, Any], keys: Where, value: Toml | None) -> dict[str, Any]:
    after = copy.deepcopy(before)
    table = after
    for key in keys[:-1]:
        if value is None and key not in table:
            return after
        table = table.setdefault(key, {})
    if value is None:
        table.pop(keys[-1], None)
    else:
        table[keys[-1]] = value
    return after


def _says(text: str, wanted: dict[str, Any], emptied: Where) -> bool:
    """Tell whether the text says that; whether an empty table on the path *emptied* is there is all one."""
    try:
        return _without_empty(mapping(text), emptied) == _without_empty(wanted, emptied)
    except SettingsInvalid:
        return False


def _without_empty(data: dict[str, Any], path: Where) -> dict[str, Any]:
    """Return the data without the tables on this path that hold nothing."""
    if not path or not isinstance(data.get(path[0]), dict):
        return data
    below = _without_empty(data[path[0]], path[1:])
    rest = {name: value for name, value in data.items() if name != path[0]}
    return {**rest, path[0]: below} if below else rest


def _only_touches(before: str, after: str, keys: Where) -> bool:
    """Tell whether every line but those of the value is still there; a missing last line end may be added."""
    old, new = (lines_of(_with_line_ends(before, _ended(text))) for text in (before, after))
    own = lines_setting(before, keys) or lines_setting(before, keys[:-1])  # the latter: of an inline table
    if own and _HEADER.match(old[own.start]):
        own = range(0)
    above = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(old)
    )
    below = len(old) - above
    while below and old[-below:] != new[-below:]:
        below -= 1
    return set(range(above, len(old) - below)) <= set(own)


def _with_line_ends(before: str, after: str) -> str:
    """Return the text with the line ends of a file that has those of Windows throughout."""
    if "\r\n" in before and before.count("\n") == before.count("\r\n"):
        return re.sub(r"(?<!\r)\n", "\r\n", after)
    return after


def _ways(before: dict[str, Any], keys: Where, value: Toml | None) -> Iterator[Callable[[str], str]]:
    """Yield the ways to try: a line of its own for what is new, and the TOML library for all else."""
    if value is not None and len(keys) == 1 and keys[0] not in before:
        yield lambda text: _line_at_top(text, keys[0], value)
    if value is not None and len(keys) > 1 and keys[1] not in before.get(keys[0], {}):
        yield lambda text: _table_at_end(text, keys, value)
    yield lambda text: _by_library(text, keys, value)


def _line_at_top(text: str, key: str, value: Toml) -> str:
    """Put the line behind the commented one of the same setting, or at the end of the top level."""
    lines = lines_of(text)
    end = next((number for number, line in enumerate(lines) if _HEADER.match(line)), len(lines))
    commented = re.compile(rf"[ \t]*#[ \t]*{re.escape(key)}[ \t]*=")
    place = next((number + 1 for number, line in enumerate(lines[:end]) if commented.match(line)), end)
    while place == end and place > 0 and end < len(lines) and lines[place - 1].lstrip(" \t").startswith("#"):
        place = end = place - 1  # the comment above a table belongs to the table
    above = "".join(lines[:place])
    return f"{_ended(above)}{key} = {literal(value)}\n{''.join(lines[place:])}"


def _table_at_end(text: str, keys: Where, value: Toml) -> str:
    gap = "\n" if text.strip() else ""
    return f"{_ended(text)}{gap}[{dotted(keys[:-1])}]\n{keys[-1]} = {literal(value)}\n"


def _ended(text: str) -> str:
    return f"{text}\n" if text and not text.endswith("\n") else text


def _by_library(text: str, keys: Where, value: Toml | None) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        table: Any = document
        for key in keys[:-1]:
            table = table.setdefault(key, tomlkit.table())
        if value is None:
            table.pop(keys[-1], None)
        else:
            table[keys[-1]] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError, ValueError, KeyError, IndexError, RecursionError):
        return ""
