"""Windows: a shortcut in this user's Start menu, with the AppUserModelID that toasts and the icon have, too.

Sources: Win32 "Shell Links"; "Application User Model IDs"; the order of a COM interface's functions is that
of its header (shobjidl_core.h, objidl.h, propsys.h).
"""

from __future__ import annotations

import ctypes
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from credtray.core.errors import AutostartRefused, FileRefused, FileUnwritable
from credtray.core.shell_words import command_line, command_words
from credtray.desktop.login_entry import EntryFile, Found
from credtray.desktop.paths import APP_ID, asset_path
from credtray.files.directory_safety import make_directory

_log = logging.getLogger(__name__)

NAME: Final = "credtray.lnk"
DESCRIPTION: Final = "Keeps AWS IAM Identity Center credentials fresh"
_OURS = re.compile(r"(?: -m credtray|[\\/]credtray[\\/]__main__\.py\"?) start(?: |$)")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """What a shortcut says."""

    target: str
    arguments: str
    icon: str


def programs_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return the folder of this user's programs in the Start menu."""
    roaming = environ.get("APPDATA", "")
    base = Path(roaming) if Path(roaming).is_absolute() else home / "AppData" / "Roaming"
    return base / "Microsoft" / "Windows" / "Start Menu" / "Programs"


@dataclass(frozen=True, slots=True)
class StartMenuEntry:
    """Implements ``LoginEntry`` for the Start menu; its content is what the shortcut says, as JSON."""

    folder: Path

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return what the shortcut is to say."""
        program, *arguments = command
        icon = asset_path("credtray.ico")
        line = command_line(arguments, windows=True)
        return _encoded(Shortcut(program, line, "" if icon is None else str(icon)))

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the command by the rules of the C runtime."""
        return command_line(command, windows=True)

    def found(self) -> Found | None:
        """Return what the shortcut says."""
        if EntryFile(self._path).read() is None:
            return None
        with _refused(self._path):
            there = read_shortcut(self._path)
        words = (there.target, *command_words(there.arguments, windows=True))
        return Found(
            _encoded(there),
            ours=_OURS.search(f" {there.arguments}") is not None,
            starts=command_line(words, windows=True),
            program=there.target,
            words=words,
        )

    def write(self, content: bytes) -> None:
        """Write the shortcut."""
        with _refused(self._path):
            make_directory(self.folder)
            write_shortcut(self._path, Shortcut(**json.loads(content)))

    def remove(self) -> None:
        """Remove the shortcut, if it is there."""
        EntryFile(self._path).remove()

    @property
    def _path(self) -> Path:
        return self.folder / NAME


def _encoded(shortcut: Shortcut) -> bytes:
    return json.dumps(asdict(shortcut)).encode()


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AutostartRefused(f"{path}: {error.strerror or error}") from error
    except (FileRefused, FileUnwritable) as error:
        raise AutostartRefused(error.detail) from error


# --- COM, as far as shortcuts need it -----------------------------------------------------------------


_SHELL_LINK: Final = "{00021401-0000-0000-C000-000000000046}"
_I_SHELL_LINK: Final = "{000214F9-0000-0000-C000-000000000046}"
_I_PERSIST_FILE: Final = "{0000010B-0000-0000-C000-000000000046}"
_I_PROPERTY_STORE: Final = "{886D8EEB-8CF2-4446-8D02-CDBA1DBDCF99}"
_APP_ID_KEY: Final = "{9F4C2855-9F79-4B39-A8D0-E1D42DE1D5F3}"
_APP_ID_NUMBER: Final = 5
_IN_PROCESS, _TEXT, _WHOLE_PATH = 1, 31, 4
_MOST = 4096
"""Characters of a path or of arguments; more than any that a shortcut holds."""


class _Key(ctypes.Structure):
    """PROPERTYKEY."""

    _fields_ = (("kind", ctypes.c_byte * 16), ("number", ctypes.c_uint32))


class _Value(ctypes.Structure):
    """PROPVARIANT, as far as it holds a text."""

    _fields_ = (
        ("kind", ctypes.c_uint16),
        ("reserved", ctypes.c_uint16 * 3),
        ("text", ctypes.c_wchar_p),
        ("rest", ctypes.c_void_p),
    )


def write_shortcut(path: Path, shortcut: Shortcut) -> None:
    """Write a shortcut file.

    Raises:
        OSError: Windows cannot.
    """
    text, number = ctypes.c_wchar_p, ctypes.c_int
    with _shell_link() as link:
        _function(20, text)(link, shortcut.target)
        _function(11, text)(link, shortcut.arguments)
        _function(7, text)(link, DESCRIPTION)
        if shortcut.icon:
            _function(17, text, number)(link, shortcut.icon, 0)
        try:
            _name(link)
        except OSError as error:  # toasts and the icon go without the same name
            _log.warning("the shortcut has no AppUserModelID: %s", error)
        with _as(link, _I_PERSIST_FILE) as file:
            _function(6, text, number)(file, str(path), 1)


def read_shortcut(path: Path) -> Shortcut:
    """Return what a shortcut file says.

    Raises:
        OSError: it is none.
    """
    number = ctypes.c_int
    with _shell_link() as link:
        with _as(link, _I_PERSIST_FILE) as file:
            _function(5, ctypes.c_wchar_p, ctypes.c_uint32)(file, str(path), 0)
        target, arguments, icon = (ctypes.create_unicode_buffer(_MOST) for _ in range(3))
        place = ctypes.c_int()
        _function(3, ctypes.c_void_p, number, ctypes.c_void_p, number)(link, target, _MOST, None, _WHOLE_PATH)
        _function(10, ctypes.c_void_p, number)(link, arguments, _MOST)
        _function(16, ctypes.c_void_p, number, ctypes.c_void_p)(link, icon, _MOST, ctypes.byref(place))
        return Shortcut(target.value, arguments.value, icon.value)


def _name(link: ctypes.c_void_p) -> None:
    key, value = _Key(_guid(_APP_ID_KEY), _APP_ID_NUMBER), _Value(_TEXT, text=APP_ID)
    with _as(link, _I_PROPERTY_STORE) as store:
        _function(6, ctypes.c_void_p, ctypes.c_void_p)(store, ctypes.byref(key), ctypes.byref(value))
        _function(7)(store)


@contextmanager
def _shell_link() -> Iterator[ctypes.c_void_p]:
    ole = _ole()
    ole.CoInitialize(None)
    try:
        link = ctypes.c_void_p()
        kind, interface = _guid(_SHELL_LINK), _guid(_I_SHELL_LINK)
        ole.CoCreateInstance(kind, None, _IN_PROCESS, interface, ctypes.byref(link))
        try:
            yield link
        finally:
            _release(link)
    finally:
        ole.CoUninitialize()


@contextmanager
def _as(link: ctypes.c_void_p, interface: str) -> Iterator[ctypes.c_void_p]:
    """Ask the object for another of its interfaces."""
    other = ctypes.c_void_p()
    _function(0, ctypes.c_void_p, ctypes.c_void_p)(link, _guid(interface), ctypes.byref(other))
    try:
        yield other
    finally:
        _release(other)


def _release(interface: ctypes.c_void_p) -> None:
    libraries: Any = ctypes  # WINFUNCTYPE is there on Windows only, for type checkers too
    libraries.WINFUNCTYPE(ctypes.c_uint32)(2, "Release")(interface)


def _function(place: int, *arguments: Any) -> Callable[..., int]:
    """Return the function at this place of an interface; it raises OSError when it fails."""
    libraries: Any = ctypes  # as above
    found: Callable[..., int] = libraries.WINFUNCTYPE(libraries.HRESULT, *arguments)(
        place, f"function {place}"
    )
    return found


def _guid(text: str) -> Any:
    found = (ctypes.c_byte * 16)()
    _ole().CLSIDFromString(ctypes.c_wchar_p(text), found)
    return found


def _ole() -> Any:
    """Return the library of COM; its functions raise OSError when they fail."""
    libraries: Any = ctypes  # as above
    return libraries.OleDLL("ole32")
