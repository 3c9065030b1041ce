"""The programs this process was started from: parent, grandparent and so on.

Only reads; whoever cannot be looked at ends the list, without an error.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

DEEPEST = 12
"""Ancestors looked at: `uv run`, `make`, `sudo` and their like stand between the shell and us."""
_PS_SECONDS = 2.0
_TH32CS_SNAPPROCESS = 0x2
_INVALID_HANDLE = (None, 0, -1, 2**32 - 1, 2**64 - 1)

Process = tuple[int, str]
"""The parent's pid, and the program: a path or a bare name."""


def ancestors() -> Iterator[str]:
    """Yield the programs of our ancestors, the parent's first, as paths or bare names."""
    if sys.platform == "linux":
        yield from climbed(os.getppid(), linux_process)
    elif sys.platform == "win32":
        yield from climbed(os.getppid(), windows_processes().get)
    else:
        yield from climbed(os.getppid(), unix_processes().get)


def climbed(first: int, look: Callable[[int], Process | None]) -> Iterator[str]:
    """Yield the program of *first* and of each one above it, as far as *look* sees; ends in a circle, too."""
    pid, seen = first, set[int]()
    while pid > 0 and pid not in seen and len(seen) < DEEPEST and (process := look(pid)) is not None:
        seen.add(pid)
        pid, program = process
        yield program


def linux_process(pid: int) -> Process | None:
    """Look a process up in /proc (proc(5)); None when it is gone or hidden.

    The executable before the name: that of a script is the script's, whatever shell reads it.
    """
    place = Path("/proc", str(pid))
    try:
        before, _, after = (place / "stat").read_text(errors="replace").rpartition(")")
        parent = int(after.split()[1])
    except (OSError, ValueError, IndexError):
        return None
    try:
        program = str((place / "exe").readlink()).removesuffix(" (deleted)")
    except OSError:  # another user's, such as sudo
        program = before.partition("(")[2]
    return parent, program


def unix_processes() -> Mapping[int, Process]:
    """Return every process as `ps` of POSIX tells it; none when it cannot be run."""
    try:
        ran = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,comm="],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PS_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found: dict[int, Process] = {}
    for line in ran.stdout.decode(errors="replace").splitlines():
        pid, parent, program = (*line.split(None, 2), "", "", "")[:3]
        if pid.isdecimal() and parent.isdecimal():
            found[int(pid)] = int(parent), program.strip()
    return found


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
    """Return every process of a tool help snapshot; none where it cannot be made.

    Written from documentation and never run on Windows.
    """
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
