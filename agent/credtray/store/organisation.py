"""Where an organisation writes what it sets for everybody who uses a computer. Writes nothing, ever.

On Linux a file, on macOS managed preferences, on Windows the registry: each is where only an administrator
can write, and nothing in the environment leads anywhere else. It is a guard rail, not a wall: who may run
programs of their own can run another credtray.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from credtray.core.errors import CredtrayError
from credtray.files.atomic_file import read_descriptor
from credtray.files.directory_safety import close
from credtray.files.open_directory import RealWaiter, open_to_read
from credtray.store.locked_settings import Locked, Said, understood

ON_LINUX = Path("/etc/credtray/policy.toml")
ON_MACOS = Path("/Library/Managed Preferences")
DOMAIN = "credtray"
ON_WINDOWS = r"Software\Policies\credtray"
ADMINISTRATOR = 0
"""Whose files count: root's."""
LIMIT = 256 * 1024
_ATTEMPTS = 50
"""So many lines at the end of a file may belong to what is cut off."""


class Policy(Protocol):
    """The place of it."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files whose change matters, whether they are there or not."""
        ...

    def stamp(self) -> object:
        """Return what changes when the policy does; never raises."""
        ...

    def read(self) -> Locked:
        """Return what it sets; what cannot be used is named in there, never raised."""
        ...


def machine_policy() -> Policy:
    """Return the policy of this computer. Reads nothing."""
    if sys.platform == "win32":
        return RegistryPolicy()
    elif sys.platform == "darwin":  # noqa: RET505 -- type checkers take the branch of their platform
        import pwd

        name, user = f"{DOMAIN}.plist", pwd.getpwuid(os.getuid()).pw_name  # what $USER says is the user's
        return FilePolicy((ON_MACOS / name, ON_MACOS / user / name), said_by_plist, ADMINISTRATOR)
    else:
        return FilePolicy((ON_LINUX,), said_by_toml, ADMINISTRATOR)


# --- files ------------------------------------------------------------------------------------------


Parser = Callable[[bytes], tuple[Mapping[str, Any], tuple[str, ...]]]
"""Makes of the bytes of a file what they say, and why there is not more of it."""


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """Implements ``Policy`` with files that only their owner can have written."""

    files: tuple[Path, ...]
    """The first counts most."""
    parse: Parser
    owner: int
    """The user id of the administrator."""

    def stamp(self) -> object:
        """Return what is known of the files without reading them."""
        return tuple(_looks(place) for path in self.files for place in (path, path.parent))

    def read(self) -> Locked:
        """Return what they set."""
        return understood([said for path in self.files if (said := self._said(path)) is not None])

    def _said(self, path: Path) -> Said | None:
        try:
            data = _of_owner(path, self.owner)
        except CredtrayError as error:
            return Said(str(path), mistakes=(f"it is not used: {error.detail}",))
        except (OSError, _Unsafe) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            return Said(str(path), mistakes=(f"it is not used: {reason}",))
        return None if data is None else Said(str(path), *self.parse(data))


class _Unsafe(Exception):
    """Somebody else than the administrator may have written it."""


def _looks(path: Path) -> object:
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    moment = None if stat.S_ISDIR(found.st_mode) else (found.st_size, found.st_mtime_ns)
    return found.st_ino, found.st_uid, found.st_mode, moment


def _of_owner(path: Path, owner: int) -> bytes | None:
    """Return the content of a file that nobody but its owner can write; None when there is none.

    Raises:
        OSError, FileRefused: it cannot be read, or is too large.
        _Unsafe: others can write it.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        target = path.resolve(strict=True)
    except RuntimeError:  # Python before 3.13 says so of links that lead in a circle
        raise _Unsafe("it is a link that leads to itself") from None
    fd = open_to_read(target, RealWaiter())
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise _Unsafe("it is not a file")
        _check_owner(found, owner, path)
        _check_owner(path.parent.stat(), owner, path.parent)
        return read_descriptor(fd, path, LIMIT)
    finally:
        close(fd)


def _check_owner(found: os.stat_result, owner: int, path: Path) -> None:
    if found.st_uid != owner:
        raise _Unsafe(f"{path} does not belong to root")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _Unsafe(f"others than root can write to {path}")


_LINE = re.compile(r"at line (\d+)")


def said_by_toml(data: bytes) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Read a text as settings.toml is one; of a broken one all above its mistake."""
    try:
        lines = data.decode().removeprefix("\ufeff").splitlines(keepends=True)
    except UnicodeDecodeError:
        return {}, ("it is not used: it is not UTF-8 text",)
    count, reason = len(lines), ""
    for _ in range(_ATTEMPTS):
        try:
            found = tomllib.loads("".join(lines[:count]))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            line = _LINE.search(str(error))
            count = max(0, min(count - 1, int(line[1]) - 1 if line else count))
            reason = reason or (str(error) if isinstance(error, ValueError) else "it is nested too deeply")
        else:
            return found, (f"only what is above its mistake is used: {reason}",) if reason else ()
    return {}, (f"it is not used: {reason}",)


def said_by_plist(data: bytes) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Read a property list, binary or XML, whose keys are those of settings.toml."""
    import plistlib
    from xml.parsers.expat import ExpatError

    try:
        found = plistlib.loads(data)
    except (ValueError, ExpatError, plistlib.InvalidFileException, OverflowError, RecursionError, IndexError):
        return {}, ("it is not used: it is not a property list",)
    if not isinstance(found, dict):
        return {}, ("it is not used: it is not a dictionary",)
    return {str(name): value for name, value in found.items()}, ()


# --- the registry -----------------------------------------------------------------------------------


def said_by_registry(found: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a key of the registry as settings.toml would hold it.

    REG_DWORD 0 and 1 are false and true, REG_MULTI_SZ is a list. The registry minds no case, and the names of
    settings have none; those of sessions and profiles keep theirs.
    """
    return {
        (name if depth == 1 else name.lower()): (
            said_by_registry(value, depth + 1)
            if isinstance(value, Mapping)
            else bool(value)
            if type(value) is int and value in {0, 1}
            else value
        )
        for name, value in found.items()
    }


if sys.platform == "win32":
    import winreg

    _ROOTS = (("HKLM", winreg.HKEY_LOCAL_MACHINE), ("HKCU", winreg.HKEY_CURRENT_USER))
    _DEEPEST = 2
    _MOST = 500
    _KINDS = frozenset({winreg.REG_DWORD, winreg.REG_SZ, winreg.REG_MULTI_SZ})

    @dataclass(frozen=True, slots=True)
    class RegistryPolicy:
        """Implements ``Policy`` with the keys that group policies write; the computer's counts most."""

        key: str = ON_WINDOWS
        files: tuple[Path, ...] = ()

        def stamp(self) -> object:
            """Return what is in there: it costs no more than to look whether it changed."""
            return repr([_tree(root, self.key) for _, root in _ROOTS])

        def read(self) -> Locked:
            """Return what it sets."""
            found = [(rf"{name}\{self.key}", _tree(root, self.key)) for name, root in _ROOTS]
            return understood(_said_there(place, tree) for place, tree in found if tree is not None)

    def _said_there(place: str, tree: dict[str, Any] | OSError) -> Said:
        if isinstance(tree, OSError):
            return Said(place, mistakes=(f"it is not used: {tree.strerror}",))
        return Said(place, said_by_registry(tree))

    def _tree(root: int, key: str, depth: int = 0) -> dict[str, Any] | OSError | None:
        """Return the values and keys below one; None when it is not there."""
        try:
            with winreg.OpenKey(root, key) as opened:
                keys, values, _ = winreg.QueryInfoKey(opened)
                found: dict[str, Any] = {}
                for number in range(min(values, _MOST)):
                    name, value, kind = winreg.EnumValue(opened, number)
                    found[name] = value if kind in _KINDS else f"a value of type {kind}"
                if depth < _DEEPEST:
                    names = [winreg.EnumKey(opened, number) for number in range(min(keys, _MOST))]
                    found |= {name: _tree(root, rf"{key}\{name}", depth + 1) or {} for name in names}
                return found
        except FileNotFoundError:
            return None
        except OSError as error:
            return error
