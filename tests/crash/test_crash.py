"""B1: SIGKILL at every system call of every kind of write; then the file is the old one or the new one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.aws.atomic_file import sweep_leftovers
from tests.aws.file_fakes import NOW, StandingClock, credentials_file, wanted
from tests.crash import victim

SOAK = os.environ.get("CREDTRAY_SOAK") == "1"
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

    def prepare(self, home: Path) -> Path:
        """Lay the start file out; return the path to write to."""
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        path = home / ".aws" / "credentials"
        if self.directory:
            path.parent.mkdir(mode=0o700)
        if self.start is None:
            return path
        real = home / "dotfile" if self.linked else path
        real.write_bytes(self.start)
        real.chmod(self.mode)
        os.utime(real, (0, 0))
        if self.linked:
            path.symlink_to(real)
        return path


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


@pytest.fixture
def server() -> Iterator[Server]:
    if shutil.which("strace") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("strace is missing: apt-get install strace")
        pytest.skip("no strace here")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def arena() -> Iterator[Path]:
    """On a file system in memory where there is one: fsync is called all the same, and costs nothing."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:  # noqa: S108 - only speed
        yield Path(name)


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


def check(case: Case, path: Path, new: bytes, *, killed: bool) -> None:
    """Old or new, never a mix; nothing readable by others; nothing left after a sweep."""
    content = path.read_bytes() if path.exists() else None

    assert content in {case.start, new}, (case, content)
    assert killed or content == new
    for entry in path.parent.parent.rglob("*"):
        found = entry.lstat()
        secret = entry.is_file() and (
            entry.read_bytes() == new != case.start or entry.name.startswith(".credtray-")
        )
        if secret and not entry.is_symlink():
            assert stat.S_IMODE(found.st_mode) == 0o600, entry
    if path.parent.is_dir():
        sweep_leftovers(path.resolve().parent, datetime.now(UTC) + timedelta(seconds=61))
    left = [entry for entry in path.parent.parent.rglob(".credtray-*") if "state" not in str(entry)]
    assert left == []
    assert path.is_symlink() is case.linked


@pytest.mark.timeout(3600 if SOAK else 300)
def test_sigkill_at_every_system_call_leaves_the_old_file_or_the_new(
    server: Server, arena: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = cases()
    homes = [arena / str(number) for number in range(len(table))]
    paths = [case.prepare(home) for case, home in zip(table, homes, strict=True)]
    jobs = [(case.job, path) for case, path in zip(table, paths, strict=True)]
    with traced(server, "-e", f"trace={TRACED}", output=arena / "trace"):
        assert set(server.run(jobs)) == {0}
    finished = [path.read_bytes() for path in paths]
    kills = 0
    for name, nth, chosen in moments(calls_of(arena / "trace", server)):
        for number in chosen:
            table[number].prepare(homes[number])
        inject = f"inject={name}:signal=SIGKILL:when={nth}"
        with traced(server, "-e", f"trace={name}", "-e", inject, output=Path(os.devnull)):
            statuses = server.run([jobs[number] for number in chosen])
        for number, status in zip(chosen, statuses, strict=True):
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            assert killed or status == 0, (table[number], status)
            kills += killed
            check(table[number], paths[number], finished[number], killed=killed)

    with capsys.disabled():
        sys.stdout.write(f" {kills} kills ")
    assert kills >= 2_000


def test_write_interrupted_by_a_kill_succeeds_when_it_is_done_again(server: Server, arena: Path) -> None:
    case = Case("sync", ours(), mode=0o644)
    home = arena / "home"
    path = case.prepare(home)
    assert server.run([("sync", path)]) == [0]
    new = path.read_bytes()
    for name in ("fsync", "renameat", "fchmod"):
        case.prepare(home)
        inject = f"inject={name}:signal=SIGKILL:when=1"
        with traced(server, "-e", f"trace={name}", "-e", inject, output=Path(os.devnull)):
            [status] = server.run([("sync", path)])
        assert os.WIFSIGNALED(status)

        assert server.run([("sync", path)]) == [0]
        assert new == path.read_bytes()
