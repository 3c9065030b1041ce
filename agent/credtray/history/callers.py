"""Which program asks for keys: from a process id, or from where its loopback connection comes.

Linux's /proc, and for a process id the snapshot of all processes that Windows gives.

None where it cannot be found out, which is never an error: the history then says "a program". Never reads a
command line further than its second word, and keeps none: it may hold secrets.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from credtray.web.loopback_peer import Address, inode_in

_PROC = Path("/proc")
_TABLES = ("net/tcp", "net/tcp6")
_STAT = re.compile(r"(?P<pid>\d+) \((?P<name>.*)\) \S (?P<parent>\d+) ", re.DOTALL)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "busybox"})
_MOST_SHELLS = 3
_OWN_NAMES = frozenset({"credtray.exe", "credtrayw.exe", "docker-credential-credtray.exe"})
_LONGEST_CHAIN = 5


@dataclass(frozen=True, slots=True)
class Program:
    """A process, and what it is called."""

    pid: int
    name: str | None = None


def asker_behind(pid: int, proc: Path = _PROC) -> Program:
    """Return who wants the keys that a `credtray` command with this process id asks for: its parent.

    A shell that only runs the command for somebody (``sh -c``) is passed over.
    """
    if sys.platform == "win32" and proc == _PROC:
        from credtray.windows_processes import windows_processes

        return asker_among(pid, windows_processes())
    found = _process(pid, proc)
    if found is None:
        return Program(pid)
    for _ in range(_MOST_SHELLS):
        above = _process(found.parent, proc)
        if above is None or above.pid <= 1:
            break
        found = above
        if found.name not in _SHELLS or not _runs_a_command(found.pid, proc):
            break
    return Program(found.pid, found.name)


def asker_among(pid: int, processes: Mapping[int, tuple[int, str]]) -> Program:
    """Return who is behind a command on Windows, given the parent and the program of each process.

    pip's ``credtray.exe`` starts a Python, and that of an environment another one: who asks is above them.
    """
    chain: list[Program] = []
    while (found := processes.get(pid)) is not None and len(chain) < _LONGEST_CHAIN:
        chain.append(Program(pid, found[1]))
        pid = found[0]
    if not chain:
        return Program(pid)
    own = [place for place, program in enumerate(chain[:-1]) if (program.name or "").lower() in _OWN_NAMES]
    return chain[min(max(own, default=0) + 1, len(chain) - 1)]


def program_at(peer: Address, ours: Address, seen: Iterable[int] = (), proc: Path = _PROC) -> Program | None:
    """Return whose connection it is; None where that cannot be found out.

    Args:
        peer: where the connection comes from.
        ours: where it ends.
        seen: processes that have asked before: they are looked at first.
        proc: for tests.
    """
    inode = next(
        (found for table in _tables(proc) if (found := inode_in(table, peer, ours, sys.byteorder))), None
    )
    if inode is None:
        return None
    for pid in _candidates(seen, proc):
        if _holds(pid, f"socket:[{inode}]", proc):
            process = _process(pid, proc)
            return Program(pid) if process is None else Program(pid, process.name)
    return None


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    name: str
    parent: int


def _process(pid: int, proc: Path) -> _Process | None:
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = _STAT.match(text)
    return None if match is None else _Process(int(match["pid"]), match["name"], int(match["parent"]))


def _runs_a_command(pid: int, proc: Path) -> bool:
    try:
        with (proc / str(pid) / "cmdline").open("rb") as file:
            words = file.read(4096).split(b"\0", 2)
    except OSError:
        return False
    return len(words) > 1 and words[1] == b"-c"


def _tables(proc: Path) -> Iterator[str]:
    for name in _TABLES:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            yield (proc / name).read_text(encoding="ascii")


def _candidates(seen: Iterable[int], proc: Path) -> Iterator[int]:
    """Yield the processes that it may be: those seen before, then the latest first, which it mostly is."""
    first = list(dict.fromkeys(seen))
    yield from first
    with contextlib.suppress(OSError):
        with os.scandir(proc) as found:
            every = sorted((int(each.name) for each in found if each.name.isdecimal()), reverse=True)
        yield from (pid for pid in every if pid not in first)


def _holds(pid: int, link: str, proc: Path) -> bool:
    """Tell whether one of its descriptors is that socket; False for a process that is not ours to look at."""
    try:
        with os.scandir(proc / str(pid) / "fd") as descriptors:
            return any(_target(each.path) == link for each in descriptors)
    except OSError:
        return False


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 -- hundreds of them: a Path for each takes twice as long
    except OSError:
        return ""
