"""B1: SIGKILL at every system call of every kind of write; then the file is the old one or the new one."""

from __future__ import annotations

import os
import signal
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.files.atomic_file import sweep_leftovers
from tests.crash.tracing import TRACED, Case, Server, calls_of, cases, moments, ours, traced

SOAK = os.environ.get("CREDTRAY_SOAK") == "1"


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


@pytest.mark.parametrize("job", ["sync", "token"])
def test_bytes_reach_the_disk_before_the_name_and_the_name_before_the_end(
    server: Server, arena: Path, job: str
) -> None:
    path = Case(job, b"# old\n").prepare(arena / "home")
    with traced(server, "-y", "-e", "trace=fsync,?rename,?renameat,?renameat2", output=arena / "trace"):
        assert server.run([(job, path)]) == [0]
    calls = [line.split(maxsplit=1)[1] for line in (arena / "trace").read_text().splitlines() if "(" in line]
    mine = [call for call in calls if str(path.parent) in call]

    assert [call.split("(")[0].rstrip("2") for call in mine] == ["fsync", "renameat", "fsync"]
    assert ".credtray-" in mine[0]
    assert mine[2].startswith("fsync(")
    assert f"<{path.parent}>" in mine[2]
