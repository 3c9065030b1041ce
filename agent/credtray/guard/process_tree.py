"""Looks at a process and those above it: what they are called, and which marks of coding agents they carry.

Linux's /proc, the snapshot of all processes on Windows, `ps` on macOS; what cannot be read is left out. Keeps
no command line and no environment: only the names of programs, and which marks there are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from credtray.guard.agents import MARKS, Process, names_of

_PROC = Path("/proc")
_STAT = re.compile(r"(?P<pid>\d+) \((?P<name>.*)\) \S (?P<rest>.*)", re.DOTALL)
_PARENT, _STARTED = 0, 18
"""Of the numbers behind the state (proc_pid_stat(5), fields 4 and 22)."""
_MOST = 64
"""Processes above one another; more is a mistake, or somebody who wants to keep us busy."""
_WORDS = 6
"""Of a command line: the program, options of an interpreter, and the script."""
_LONGEST_LINE, _LARGEST_ENVIRONMENT = 4096, 4 * 1024 * 1024
_PS = ("/bin/ps", "-axo", "pid=,ppid=,comm=")
_PS_SECONDS = 2.0
_PS_LINE = re.compile(r"\s*(?P<pid>\d+)\s+(?P<parent>\d+)\s+(?P<name>.+)")

Table = Mapping[int, tuple[int, str]]
"""The parent and the program of each process."""


def chain_above(pid: int, proc: Path = _PROC) -> tuple[Process, ...]:
    """Return the process and those above it, the nearest first; empty where nothing can be found out."""
    if sys.platform == "win32" and proc == _PROC:
        from credtray.windows_processes import windows_processes

        return chain_in(pid, windows_processes())
    if sys.platform == "darwin" and proc == _PROC:
        return chain_in(pid, mac_processes())
    return tuple(_chain(pid, proc))


def _chain(pid: int, proc: Path) -> Iterator[Process]:
    for _ in range(_MOST):
        found = _process(pid, proc)
        if found is None:
            return
        process, parent = found
        yield process
        if parent <= 0 or parent == pid:
            return
        pid = parent


def _process(pid: int, proc: Path) -> tuple[Process, int] | None:
    """Return the process and its parent; None for one that has ended."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        match = _STAT.match(text)
        if match is None:
            return None
        numbers = match["rest"].split()
        parent, started = int(numbers[_PARENT]), int(numbers[_STARTED])
    except (OSError, ValueError, IndexError):
        return None
    names = names_of(match["name"], _first_words(proc / str(pid) / "cmdline"))
    return Process((pid, started), names, _marks(proc / str(pid) / "environ")), parent


def _first_words(path: Path) -> list[str]:
    words = _start_of(path, _LONGEST_LINE).split(b"\0", _WORDS)[:_WORDS]
    return [word.decode(errors="replace") for word in words if word]


def _marks(path: Path) -> frozenset[str]:
    """Return which marks the environment has with a value; none for a process that is not ours to look at."""
    found = (entry.partition(b"=") for entry in _start_of(path, _LARGEST_ENVIRONMENT).split(b"\0"))
    return MARKS.intersection(name.decode("ascii", "replace") for name, _, value in found if value)


def _start_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""


def chain_in(pid: int, table: Table) -> tuple[Process, ...]:
    """Return the same from a table of all processes, which has no environments and no times."""
    chain: dict[int, Process] = {}
    while pid in table and pid not in chain and len(chain) < _MOST:
        parent, name = table[pid]
        chain[pid] = Process((pid, 0), names_of(name, ()))
        pid = parent
    return tuple(chain.values())


def mac_processes(run: Callable[[], str] | None = None) -> Table:
    """Return what `ps` of macOS tells; nothing where it cannot be had. Never run on a Mac."""
    try:
        text = (run or _ps)()
    except (OSError, subprocess.SubprocessError):
        return {}
    found = (match for line in text.splitlines() if (match := _PS_LINE.match(line)))
    return {int(match["pid"]): (int(match["parent"]), match["name"].strip()) for match in found}


def _ps() -> str:
    return subprocess.run(  # noqa: S603 - a fixed question
        _PS, capture_output=True, check=True, timeout=_PS_SECONDS, encoding="utf-8", errors="replace"
    ).stdout


def with_own_marks(chain: tuple[Process, ...], environ: Mapping[str, str]) -> tuple[Process, ...]:
    """Return the chain of this process with the marks of its environment, which it knows on every system."""
    if not chain:
        return chain
    marks = MARKS.intersection(name for name, value in environ.items() if value)
    first = chain[0]
    return (Process(first.id, first.names, first.marks | marks), *chain[1:])


def own_chain() -> tuple[Process, ...]:
    """Return this process and those above it."""
    return with_own_marks(chain_above(os.getpid()), os.environ)
