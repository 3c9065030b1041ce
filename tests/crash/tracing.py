"""Start files, the process that writes over them again and again, and strace holding its children."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.aws.file_fakes import NOW, StandingClock, credentials_file, wanted
from tests.crash import victim

SYSCALLS = """
    openat open read pread64 write pwrite64 lseek close dup fsync fdatasync fchmod fchmodat chmod fchown
    rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat stat lstat fstat newfstatat statx
    access faccessat faccessat2 flock fcntl ftruncate truncate readlink readlinkat getrandom umask
"""
TRACED = ",".join(f"?{name}" for name in SYSCALLS.split())  # ?: whatever this machine has of them


def ours(**more: bytes) -> bytes:
    """A file that already holds sections of ours."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "aws" / "credentials"
        path.parent.mkdir()
        path.write_bytes(more.get("before", b"# mine\n[work]\nregion = eu-west-1\n"))
        file = credentials_file(path, StandingClock())
        file.sync([wanted("dev", 1), wanted("old", 1)], [], NOW)
        return path.read_bytes()


@dataclass(frozen=True)
class Case:
    """One write over one start file."""

    job: str
    start: bytes | None
    mode: int = 0o600
    linked: bool = False
    directory: bool = True
    name: str = "credentials"
    """Of the file, below the directory."""

    def prepare(self, home: Path) -> Path:
        """Lay the start file out; return the path to write to."""
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        path = home / ".aws" / self.name
        if self.directory:
            (home / ".aws").mkdir(mode=0o700)
        if self.start is None:
            return path
        real = home / "dotfile" if self.linked else path
        real.write_bytes(self.start)
        real.chmod(self.mode)
        os.utime(real, (0, 0))
        if self.linked:
            path.symlink_to(real)
        return path


SETTINGS = b'# mine\n#icon = "auto"\nwarn_before = ["1h"]  # early\n'


def cases() -> list[Case]:
    mine = b"# mine\n[work]\nregion = eu-west-1\n\n[default]\nregion = eu-west-1\n"
    many = b"".join(b"[p%d]\nregion = r\naws_access_key_id = AKIA%d\n\n" % (n, n) for n in range(40))
    marked = ours()
    return [
        *(Case("sync", start) for start in (None, b"", b"# nothing\n", mine, mine.replace(b"\n", b"\r\n"))),
        *(
            Case("sync", start)
            for start in (mine[:-1], many, "[é]\nk = ✓\n".encode(), b"[dev]\n  x = 1\n", marked)
        ),
        Case("sync", None, directory=False),
        Case("sync", mine, mode=0o644),
        Case("sync", mine, linked=True),
        *(Case("refresh", start) for start in (marked, marked.replace(b"\n", b"\r\n"), marked + many, mine)),
        Case("refresh", marked, linked=True),
        *(Case("remove", start) for start in (marked, marked + many, ours(before=b""))),
        *(Case("token", start) for start in (None, b"{}", victim.TOKEN + b" " * 100)),
        Case("token", b"{}", linked=True),
        Case("token", None, directory=False),
        *(Case("settings", SETTINGS, linked=linked) for linked in (False, True)),
    ]


def other_writers() -> list[Case]:
    """Return one case for each file we write that is no credentials file and no settings."""
    cache = victim.cache(Path("/cache/x"))
    token = f"4711/{hashlib.sha256(b'dev').hexdigest()[:32]}/token"
    return [
        Case("config", b"# mine\n[default]\nregion = eu-west-1\n", name="config"),
        Case("config", None, directory=False, name="config"),
        Case("registration", b"{}", name=cache.registration_path(victim.SESSION).name),
        Case("access_token", b"{}", name=cache.token_path(victim.SESSION).name),
        Case("state", b'{"version": 0}', name="state.json"),
        Case("undo", b'{"version": 1, "changes": []}', name="undo.json"),
        Case("endpoint", b"{}", name="endpoint.json"),
        Case("endpoint_token", None, name=token),
        Case("autostart", b"[Desktop Entry]\n", name="credtray.desktop"),
    ]


class Server:
    """The victim's parent, started once: a child costs a few milliseconds."""

    def __init__(self) -> None:
        self._link, theirs = socket.socketpair()
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.victim", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=root,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        self._link.settimeout(60)

    def run(self, jobs: list[tuple[str, Path]]) -> list[int]:
        """Return the wait status of each job."""
        self._link.send(json.dumps([(job, str(path)) for job, path in jobs]).encode())
        statuses: list[int] = json.loads(self._link.recv(1 << 20))
        return statuses

    def close(self) -> None:
        self._link.close()
        self.process.wait(20)
        if self.process.stderr is not None:
            self.process.stderr.close()


@contextmanager
def traced(server: Server, *arguments: str, output: Path) -> Iterator[None]:
    """Hold an strace on the server and its children to come."""
    command = ["strace", "-f", "-o", str(output), *arguments, "-p", str(server.process.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        assert "attached" in line, line
        try:
            yield
        finally:
            strace.send_signal(signal.SIGINT)
            strace.communicate(timeout=20)


def calls_of(trace: Path, server: Server) -> list[Counter[str]]:
    """Count the calls of each kind that each child made, in the order of the children."""
    counts: dict[str, Counter[str]] = {}
    for line in trace.read_text().splitlines():
        found = re.match(r"(\d+) +(\w+)\(", line)
        if found and found.group(1) != str(server.process.pid):
            counts.setdefault(found.group(1), Counter())[found.group(2)] += 1
    return list(counts.values())


def moments(counts: list[Counter[str]]) -> Iterator[tuple[str, int, list[int]]]:
    """Give every (system call, nth) with the jobs that make that many of them."""
    for name in sorted({name for count in counts for name in count}):
        for nth in range(1, max(count[name] for count in counts) + 1):
            yield name, nth, [number for number, count in enumerate(counts) if count[name] >= nth]
