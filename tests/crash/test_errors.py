"""B2: every call fails once with every error; then the file is the old one or the new one, and it is said."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from credtray.files.atomic_file import LEFTOVER_PREFIX
from tests.crash import victim
from tests.crash.tracing import SETTINGS, TRACED, Case, Server, calls_of, moments, other_writers, ours, traced
from tests.soak import SOAK

ERRORS = ["ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE", "EDQUOT", "ENOMEM", "EINTR"]
FAILING = {"openat", "write", "fsync", "rename", "renameat", "renameat2", "close", "fchmod", "mkdir", "flock"}
WIDER = """
    read pread64 lseek stat lstat fstat newfstatat statx unlink unlinkat readlink readlinkat fcntl fchown
    fchmodat chmod access faccessat faccessat2 getrandom
"""
"""More calls, in the long run: most of them are made by Python before a file is touched."""
if SOAK:
    FAILING |= set(WIDER.split())
USERS = b"# mine\n[work]\nregion = eu-west-1\n"


def left(home: Path) -> list[Path]:
    """Return temporary files that a write left behind."""
    return [path for path in home.rglob(f"{LEFTOVER_PREFIX}*") if path.is_file()]


SHARES = 2
"""Parts of the calls, which workers take side by side."""


@pytest.mark.timeout(3600 if SOAK else 600)
@pytest.mark.parametrize("share", range(SHARES))
def test_any_error_of_any_call_is_reported_and_loses_nothing(server: Server, arena: Path, share: int) -> None:
    table = [
        Case("sync", USERS),
        Case("sync", None, directory=False),
        Case("refresh", ours(), linked=True),
        Case("token", b"{}"),
        Case("settings", SETTINGS),
        *other_writers(),
    ]
    homes = [arena / str(number) for number in range(len(table))]
    paths = [case.prepare(home) for case, home in zip(table, homes, strict=True)]
    jobs = [(case.job, path) for case, path in zip(table, paths, strict=True)]
    with traced(server, "-e", f"trace={TRACED}", output=arena / "trace"):
        assert set(server.run(jobs)) == {0}
    finished = [path.read_bytes() for path in paths]
    calls = [call for call in moments(calls_of(arena / "trace", server)) if call[0] in FAILING]
    reported = 0
    for number, (name, nth, chosen) in list(enumerate(calls))[share::SHARES]:
        for error in islice(ERRORS * 2, number % len(ERRORS), number % len(ERRORS) + (8 if SOAK else 2)):
            for job in chosen:
                table[job].prepare(homes[job])
            inject = f"inject={name}:error={error}:when={nth}"
            with traced(server, "-e", f"trace={name}", "-e", inject, output=Path(os.devnull)):
                statuses = [
                    os.waitstatus_to_exitcode(status) for status in server.run([jobs[j] for j in chosen])
                ]
            for job, status in zip(chosen, statuses, strict=True):
                case, path = table[job], paths[job]
                content = path.read_bytes() if path.exists() else None
                where = (case, name, nth, error)

                assert status in {0, victim.REPORTED}, where
                assert content in {case.start, finished[job]}, where
                assert status != 0 or content == finished[job], where
                assert name.startswith("unlink") or left(homes[job]) == [], where
                reported += status == victim.REPORTED
            assert set(server.run([jobs[job] for job in chosen])) == {0}, (name, nth, error)
            assert [paths[job].read_bytes() for job in chosen] == [finished[job] for job in chosen]
    assert reported > len(calls) // (2 * SHARES)
