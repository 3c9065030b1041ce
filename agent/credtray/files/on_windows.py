"""Win32's own calls for files: who may open one meanwhile, who may read it, how one replaces another.

What to do when a call fails is decided in ``open_directory``. Imported on Windows only; everything raises
OSError with ``winerror``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

if sys.platform == "win32":  # all of it: elsewhere there is no WinDLL
    import msvcrt

    _PRIVATE_FILE = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)"
    """All rights for the owner, administrators and the system, and nothing inherited: what 0600 is elsewhere,
    where root reads all. In the language of ConvertStringSecurityDescriptorToSecurityDescriptorW."""
    _PRIVATE_DIRECTORY = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"
    """The same, also for what is made in it; ``os.mkdir(mode=0o700)`` does so from Python 3.12.4 on."""

    class _SecurityAttributes(ctypes.Structure):
        """SECURITY_ATTRIBUTES (minwinbase.h)."""

        _fields_ = (("size", ctypes.c_uint32), ("descriptor", ctypes.c_void_p), ("inherit", ctypes.c_int))

    _GENERIC_READ, _GENERIC_WRITE, _DELETE = 0x80000000, 0x40000000, 0x00010000
    _SHARE_READ, _SHARE_WRITE, _SHARE_DELETE = 1, 2, 4
    _SHARE_ALL = _SHARE_READ | _SHARE_WRITE | _SHARE_DELETE
    _CREATE_NEW, _OPEN_EXISTING = 1, 3
    _NORMAL = 0x80
    _INVALID_HANDLE = -1
    _REPLACE_PLAIN = 0
    """No REPLACEFILE_IGNORE_*: what cannot be kept is an error, not a loss."""

    class WindowsCalls:
        """``open_directory.FileCalls`` of this system."""

        def hold(self, path: str) -> int:
            """See ``FileCalls``."""
            return _opened(path, _GENERIC_READ, _SHARE_READ | _SHARE_DELETE)

        def release(self, handle: int) -> None:
            """See ``FileCalls``."""
            _kernel32().CloseHandle(handle)

        def exchange(self, target: str, draft: str, aside: str) -> None:
            """See ``FileCalls``."""
            if not _kernel32().ReplaceFileW(target, draft, aside, _REPLACE_PLAIN, None, None):
                raise _failed(target)

        def move(self, source: str, target: str) -> None:
            """See ``FileCalls``."""
            os.rename(source, target)  # noqa: PTH104 -- on Windows never over an existing file

        def unlink(self, path: str) -> None:
            """See ``FileCalls``."""
            os.unlink(path)  # noqa: PTH108 -- the path is a str

    def open_shared(path: Path) -> int:
        """Return a descriptor to read a file by, while others may do with it what they like."""
        return _descriptor(_opened(str(path), _GENERIC_READ, _SHARE_ALL), os.O_RDONLY)

    def create_private(path: Path) -> int:
        """Return a descriptor of a new file that only its owner may open."""
        access = _GENERIC_READ | _GENERIC_WRITE
        return _descriptor(_opened(str(path), access, _SHARE_ALL, _CREATE_NEW, _PRIVATE_FILE), os.O_RDWR)

    def check_deletable(path: Path) -> None:
        """Open the file as a replacement does, and close it: raises what keeps it from being replaced now."""
        _kernel32().CloseHandle(_opened(str(path), _DELETE, _SHARE_ALL))

    def make_private(path: Path) -> None:
        """Create a directory that only its owner may enter; raises OSError."""
        with_list = _Attributes(_PRIVATE_DIRECTORY)
        if not _kernel32().CreateDirectoryW(str(path), with_list.pointer):
            raise _failed(str(path))

    def _opened(
        path: str, access: int, share: int, how: int = _OPEN_EXISTING, access_list: str | None = None
    ) -> int:
        given = None if access_list is None else _Attributes(access_list)
        pointer = None if given is None else given.pointer
        handle = _kernel32().CreateFileW(path, access, share, pointer, how, _NORMAL, None)
        if handle == _INVALID_HANDLE:
            raise _failed(path)
        return int(handle)

    def _descriptor(handle: int, flags: int) -> int:
        try:
            return msvcrt.open_osfhandle(handle, flags | os.O_NOINHERIT)
        except OSError:
            _kernel32().CloseHandle(handle)
            raise

    class _Attributes:
        """An access list as CreateFileW takes it, as long as this object lives."""

        def __init__(self, access_list: str) -> None:
            self._descriptor = ctypes.c_void_p()
            if not _advapi32().ConvertStringSecurityDescriptorToSecurityDescriptorW(
                access_list, 1, ctypes.byref(self._descriptor), None
            ):
                raise _failed(access_list)
            self._attributes = _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), self._descriptor, 0)
            self.pointer = ctypes.byref(self._attributes)

        def __del__(self) -> None:
            _kernel32().LocalFree(self._descriptor)

    def _failed(path: str) -> OSError:
        failed = ctypes.WinError(ctypes.get_last_error())
        failed.filename = path
        return failed

    @cache
    def _kernel32() -> ctypes.WinDLL:
        library = ctypes.WinDLL("kernel32", use_last_error=True)
        # Handles are wider than the int ctypes assumes.
        library.CreateFileW.restype = ctypes.c_ssize_t
        library.CreateFileW.argtypes = (
            *(ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p),
            *(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p),
        )
        library.CloseHandle.argtypes = library.LocalFree.argtypes = (ctypes.c_void_p,)
        library.ReplaceFileW.argtypes = (
            *(ctypes.c_wchar_p, ctypes.c_wchar_p, ctypes.c_wchar_p),
            *(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p),
        )
        library.CreateDirectoryW.argtypes = (ctypes.c_wchar_p, ctypes.c_void_p)
        return library

    @cache
    def _advapi32() -> ctypes.WinDLL:
        return ctypes.WinDLL("advapi32", use_last_error=True)
