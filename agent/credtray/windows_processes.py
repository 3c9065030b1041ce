"""Asks Windows for its processes: which has started which, and what they are called. Only reads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

_TH32CS_SNAPPROCESS = 0x2
_INVALID_HANDLE = (None, 0, -1, 2**32 - 1, 2**64 - 1)

Process = tuple[int, str]
"""The parent's pid, and the program: a path or a bare name."""


class _ProcessEntry(ctypes.Structure):
    """PROCESSENTRY32W (tlhelp32.h)."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("usage", ctypes.c_uint32),
        ("pid", ctypes.c_uint32),
        ("heap", ctypes.c_size_t),
        ("module", ctypes.c_uint32),
        ("threads", ctypes.c_uint32),
        ("parent", ctypes.c_uint32),
        ("priority", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("program", ctypes.c_wchar * 260),
    )


def windows_processes(load: Callable[[], Any] | None = None) -> Mapping[int, Process]:
    """Return every process of a tool help snapshot; none where it cannot be made."""
    try:
        kernel = (load or _kernel32)()
    except OSError:
        return {}
    snapshot = kernel.CreateToolhelp32Snapshot(_TH32CS_SNAPPROCESS, 0)
    if snapshot in _INVALID_HANDLE:
        return {}
    found: dict[int, Process] = {}
    entry = _ProcessEntry()
    entry.size = ctypes.sizeof(_ProcessEntry)
    more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
    while more:
        found[entry.pid] = entry.parent, entry.program
        more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
    kernel.CloseHandle(snapshot)
    return found


def _kernel32() -> Any:
    library = getattr(ctypes, "WinDLL", None)
    if library is None:
        raise OSError("no kernel32.dll here")
    kernel = library("kernel32", use_last_error=True)
    kernel.CreateToolhelp32Snapshot.restype = ctypes.c_void_p
    kernel.Process32FirstW.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    kernel.Process32NextW.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    return kernel
