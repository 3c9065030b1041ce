"""What Wine 8.0 lacks and CPython 3.11 to 3.13 calls; does nothing on a real Windows.

Python imports it at each start, but for one with ``-S``. Nothing here stands for a gap of credtray.
"""

from __future__ import annotations

import ctypes
import sys

assert sys.platform == "win32"  # noqa: S101 -- for the type checker


def _fill_gaps() -> None:
    import _winapi
    import os

    # platform.uname() asks WMI: propsys.VariantToString is missing, which ends the process.
    sys.modules["_wmi"] = None  # type: ignore[assignment]  # Python's own way to say that there is none

    # shutil.copy of 3.12 and later: KERNEL32.CopyFile2 is missing, which ends the process.
    if hasattr(_winapi, "CopyFile2"):
        del _winapi.CopyFile2

    # os.getppid() of 3.13: KERNEL32.PssCaptureSnapshot is missing, which ends the process.
    os.getppid = _parent

    _name_errors_of_locking()


class _BasicInformation(ctypes.Structure):
    """PROCESS_BASIC_INFORMATION; every member is as wide as a pointer, padding included."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("status", "peb", "mask", "priority", "pid", "parent")]


def _parent() -> int:
    found, size = _BasicInformation(), ctypes.c_ulong()
    ctypes.WinDLL("ntdll").NtQueryInformationProcess(
        ctypes.c_void_p(-1), 0, ctypes.byref(found), ctypes.sizeof(found), ctypes.byref(size)
    )
    return found.parent or 0


def _name_errors_of_locking() -> None:
    """Let ``msvcrt.locking`` of a region that is locked say EACCES, as on Windows; Wine sets no errno."""
    import errno
    import msvcrt
    import os

    locking = msvcrt.locking

    def locking_with_errno(descriptor: int, mode: int, count: int, /) -> None:
        try:
            locking(descriptor, mode, count)
        except OSError as error:
            if error.errno:
                raise
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None

    msvcrt.locking = locking_with_errno


if hasattr(ctypes.WinDLL("ntdll"), "wine_get_version"):
    _fill_gaps()
