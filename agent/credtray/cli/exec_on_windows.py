"""What starting a command on Windows takes: batch files through cmd, and a child that outlives nobody.

Starts nothing itself. On other systems the command takes this process's place (``exec_replace``).
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from credtray.core.errors import CommandRefused
from credtray.desktop.paths import windows_program

_BATCH = (".bat", ".cmd")
_SWITCHES = "/d /e:on /v:off /s /c"
"""No AutoRun of the registry, no `!NAME!`, and only the outermost quotes go (`cmd /?`)."""
_OWN_VARIABLES = frozenset(
    {"CD", "DATE", "TIME", "RANDOM", "ERRORLEVEL", "CMDEXTVERSION", "CMDCMDLINE", "HIGHESTNUMANODENUMBER"}
    | {"__CD__", "__APPDIR__", "COMSPEC", "PATH", "PATHEXT", "PROMPT"}
)
"""Those that cmd makes by itself."""


@dataclass(frozen=True, slots=True)
class ChildCommand:
    """What CreateProcess gets."""

    program: str
    line: str


def child_command(program: str, arguments: Sequence[str], environ: Mapping[str, str]) -> ChildCommand:
    """Return how a program that was found is started with these arguments.

    A batch file is read by cmd, which knows nothing of the C runtime's quotes: an argument could run
    another command (CVE-2024-24576 is that bug elsewhere). So every word is quoted, and a word that
    cmd cannot hold in quotes is refused.

    Raises:
        CommandRefused: a batch file would get a word with a double quote, a percent sign or a line break, or
            cmd would look for it elsewhere.
    """
    if not program.lower().rstrip(" .").endswith(_BATCH):
        return ChildCommand(program, subprocess.list2cmdline([program, *arguments]))
    for word in arguments:
        if any(character in '"%' or not character.isprintable() for character in word):
            shown = word if word.isprintable() else ascii(word)[1:-1]
            raise CommandRefused(
                f"{program} is a batch file, and cmd cannot take this argument as it is: {shown}",
                hint="Leave out double quotes, percent signs and line breaks, "
                "or name the program that the batch file starts.",
            )
    filled_in = _filled_in(program, environ)
    if filled_in is not None:
        raise CommandRefused(
            f"{program} is a batch file, and cmd would fill in {filled_in} in its path",
            hint="Rename that folder, or name the program that the batch file starts.",
        )
    quoted = " ".join(f'"{word}"' for word in (program, *arguments))
    cmd = windows_program("cmd.exe", environ)
    return ChildCommand(cmd, f'"{cmd}" {_SWITCHES} "{quoted}"')


def _filled_in(path: str, environ: Mapping[str, str]) -> str | None:
    """Return what cmd takes for a variable in a path; None: it leaves all percent signs as they are.

    After ``/c`` it does so with those of variables that do not exist; in a batch file it would not.
    """
    known = _OWN_VARIABLES | {name.upper() for name in environ}
    between = path.split("%")[1:-1]
    return next((f"%{name}%" for name in between if name.upper() in known), None)


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    INTERRUPTS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGBREAK)
    """What Ctrl-C and Ctrl-Break in a console send to every process there."""

    _EXTENDED_LIMITS = 9
    """JobObjectExtendedLimitInformation (winnt.h)."""
    _BREAKAWAY_OK = 0x0800
    _KILL_ON_JOB_CLOSE = 0x2000

    class _Limits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION (winnt.h), with the basic limits and IO_COUNTERS inside."""

        _fields_ = (
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
            ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
            ("IoInfo", ctypes.c_ulonglong * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    @contextlib.contextmanager
    def living_together() -> Iterator[None]:
        """Let what this process starts die with it, while the block runs; what it starts may break away.

        This process joins the job itself, so a child is in it from its first moment. At the end the
        limit is lifted: what the command left running on purpose stays, as it does elsewhere.
        Where Windows refuses the job, the command runs without.
        """
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
        kernel.SetInformationJobObject.argtypes = (
            wintypes.HANDLE,
            ctypes.c_int,
            ctypes.c_void_p,
            wintypes.DWORD,
        )
        kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
        job = kernel.CreateJobObjectW(None, None)  # held until this process ends, which is what counts

        def limit(flags: int) -> None:
            limits = _Limits(LimitFlags=flags)
            kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))

        if job:
            limit(_KILL_ON_JOB_CLOSE | _BREAKAWAY_OK)
            # -1 is GetCurrentProcess: a constant by its documentation.
            kernel.AssignProcessToJobObject(job, wintypes.HANDLE(-1))
        try:
            yield
        finally:
            if job:
                limit(0)

else:
    INTERRUPTS: tuple[signal.Signals, ...] = (signal.SIGINT,)

    def living_together() -> contextlib.AbstractContextManager[None]:
        """Do nothing: here the command takes this process's place."""
        return contextlib.nullcontext()
