"""B1: SIGKILL at every system call of every kind of write; then the file is the old one or the new one."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.files.atomic_file import sweep_leftovers
from tests.crash.tracing import (
    SETTINGS,
    TRACED,
    Case,
    Server,
    calls_of,
    cases,
    moments,
    other_writers,
    ours,
    traced,
)
from tests.soak import SOAK


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


SHARES = 4
"""Parts of the kills, which workers take side by side."""


@pytest.mark.timeout(3600 if SOAK else 600)
@pytest.mark.parametrize("share", range(SHARES))
def test_sigkill_at_every_system_call_leaves_the_old_file_or_the_new(
    server: Server, arena: Path, capsys: pytest.CaptureFixture[str], share: int
) -> None:
    table = cases()
    homes = [arena / str(number) for number in range(len(table))]
    paths = [case.prepare(home) for case, home in zip(table, homes, strict=True)]
    jobs = [(case.job, path) for case, path in zip(table, paths, strict=True)]
    with traced(server, "-e", f"trace={TRACED}", output=arena / "trace"):
        assert set(server.run(jobs)) == {0}
    finished = [path.read_bytes() for path in paths]
    kills = 0
    planned = list(moments(calls_of(arena / "trace", server)))
    for name, nth, able in planned[share::SHARES]:
        chosen = able if SOAK else able[nth % 2 :: 2] or able  # in turn: of each job, half of the calls
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
    assert kills >= (4_000 if SOAK else 2_000) // SHARES


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


def traced_calls(trace: Path) -> dict[str, list[str]]:
    """Return the calls of each child, in their order."""
    calls: dict[str, list[str]] = {}
    for line in trace.read_text().splitlines():
        if "(" in line:
            pid, call = line.split(maxsplit=1)
            calls.setdefault(pid, []).append(call)
    return calls


def out_of_order(calls: list[str]) -> list[str]:
    """Return the renames before which the file, or after which its directory, was not written to the disk."""
    wrong = []
    for at, call in enumerate(calls):
        renamed = re.match(r'renameat2?\(\d+<(.+?)>, "(.+?)"', call)
        if renamed is None:
            continue
        place, name = renamed.groups()
        before = any(f"<{place}/{name}>" in each for each in calls[:at] if each.startswith("fsync("))
        after = any(f"<{place}>" in each for each in calls[at:] if each.startswith("fsync("))
        if not (before and after):
            wrong.append(call)
    return wrong


def unsynced_directories(calls: list[str], home: Path) -> list[str]:
    """Return the directories made whose own names were not written to the disk afterwards."""
    wrong = []
    for at, call in enumerate(calls):
        made = re.match(r'mkdir(?:at\(.+?,|\() ?"(.+?)"', call)
        if made is None or not call.endswith("= 0") or not made[1].startswith(str(home)):
            continue
        above = str(Path(made[1]).parent)
        if not any(f"<{above}>" in each for each in calls[at:] if each.startswith("fsync(")):
            wrong.append(call)
    return wrong


def test_bytes_reach_the_disk_before_the_name_and_the_name_before_the_end(
    server: Server, arena: Path
) -> None:
    table = [
        Case("sync", b"# old\n"),
        Case("sync", None, directory=False),
        Case("token", b"# old\n"),
        Case("settings", SETTINGS),
        *other_writers(),
    ]
    paths = [case.prepare(arena / str(number)) for number, case in enumerate(table)]
    kinds = "trace=fsync,?rename,?renameat,?renameat2,?mkdir,?mkdirat"
    with traced(server, "-y", "-e", kinds, output=arena / "trace"):
        jobs = [(case.job, path) for case, path in zip(table, paths, strict=True)]
        assert server.run(jobs) == [0] * len(table)
    calls = list(traced_calls(arena / "trace").values())

    assert len(calls) == len(table)
    for case, done in zip(table, calls, strict=True):
        assert any(call.startswith("renameat") for call in done), case
        assert not any(call.startswith("rename(") for call in done), case
        assert out_of_order(done) == [], case
        assert unsynced_directories(done, arena) == [], case


@pytest.mark.parametrize(
    "calls",
    [
        ['renameat(6</d>, ".x", 6</d>, "t") = 0', "fsync(6</d>) = 0"],
        ["fsync(5</d/.x>) = 0", 'renameat(6</d>, ".x", 6</d>, "t") = 0'],
        ['renameat(6</d>, ".x", 6</d>, "t") = 0', "fsync(5</d/.x>) = 0", "fsync(6</d>) = 0"],
    ],
)
def test_the_order_is_really_looked_at(calls: list[str]) -> None:
    assert len(out_of_order(calls)) == 1
