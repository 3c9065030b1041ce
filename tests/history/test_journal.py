"""The files of the history: private, bounded, and readable whatever happened to them."""

from __future__ import annotations

import errno
import json
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credtray.core.errors import FileRefused, FileUnwritable
from credtray.core.models import Way
from credtray.history.entries import Entry, Kind, counted, decode, encode, header
from credtray.history.journal import Journal
from tests.core.making import MINUTE, NOON, SECOND


def entry(seconds: float = 0, **parts: Any) -> Entry:
    made: dict[str, Any] = {
        "at": NOON + seconds * SECOND,
        "kind": Kind.KEYS_FETCHED,
        "profile": "dev",
        **parts,
    }
    return Entry(**made)


def given(seconds: float = 0, **parts: Any) -> Entry:
    return entry(
        seconds, **{"kind": Kind.KEYS_GIVEN, "way": Way.ENDPOINT, "program": "aws", "pid": 1, **parts}
    )


def test_what_was_written_is_read_again_with_all_its_fields(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    whole = given(
        count=3, last=NOON + SECOND, until=NOON + MINUTE, about=True, code="x", text="y", session="s"
    )
    journal.append([entry(), whole])

    assert journal.read().entries == (entry(), whole)


def test_a_line_is_short_what_does_not_apply_is_left_out() -> None:
    assert encode([entry()]) == b'{"at":"2026-11-22T12:00:00Z","kind":"keys_fetched","profile":"dev"}\n'


@pytest.mark.posix("modes")
def test_only_the_owner_may_read_it_whatever_the_umask_and_whoever_made_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.path.write_bytes(b"")
    journal.path.chmod(0o644)
    journal.append([entry()])

    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_two_files_of_bounded_size_are_kept_and_the_oldest_entries_go(tmp_path: Path) -> None:
    journal = Journal(tmp_path, limit=1000)
    for second in range(200):
        journal.append([entry(second)])
    left = journal.read().entries

    assert {path.name for path in tmp_path.iterdir()} == {"history.jsonl", "history.older.jsonl"}
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert left == tuple(entry(second) for second in range(200 - len(left), 200))
    assert len(left) > 10


def test_lines_that_cannot_be_read_are_counted_and_cost_no_other_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(1)])
    with journal.path.open("ab") as file:
        file.write(b'\x00\xff\n{"at":"2026-11-22T12:00:00Z","kind":"of the future"}\n[1]\n{"at":')
    journal.append([entry(2)])
    found = journal.read()

    assert (found.entries, found.unreadable) == ((entry(1), entry(2)), 4)


@pytest.mark.parametrize("name", ["at", "until", "last"])
@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_moment_that_not_every_clock_can_show_costs_no_other_line(name: str, instant: str) -> None:
    parts = {"at": NOON.isoformat(), "kind": "keys_fetched", name: instant}
    found = decode(header() + json.dumps(parts).encode() + b"\n" + encode([entry()]))

    assert (found.entries, found.unreadable) == ((entry(),), 1)


def test_a_file_of_a_newer_version_is_read_as_far_as_it_goes_and_never_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    content = b'{"credtray_history":2}\n' + encode([entry()])
    journal.path.write_bytes(content)

    assert (journal.read().newer, journal.read().entries) == (True, (entry(),))
    with pytest.raises(FileRefused, match="newer credtray"):
        journal.append([entry(1)])
    assert journal.path.read_bytes() == content


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append([entry()])
    before = journal.path.read_bytes()
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)

    with pytest.raises(FileUnwritable, match="disk is full"):
        journal.append([entry(second) for second in range(3)])
    assert journal.path.read_bytes() == before


@pytest.mark.posix("FIFOs and links")
def test_what_is_no_file_of_ours_is_refused_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    os.mkfifo(journal.path)
    with pytest.raises(FileRefused):
        journal.append([entry()])
    journal.path.unlink()
    journal.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileRefused):
        journal.append([entry()])

    assert not (tmp_path / "elsewhere").exists()


def test_the_directory_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "state")
    journal.append([entry()])

    assert len(journal.read().entries) == 1


def test_clearing_removes_both_files_and_says_whether_there_were_any(tmp_path: Path) -> None:
    journal = Journal(tmp_path, limit=300)
    for second in range(20):
        journal.append([entry(second)])

    assert journal.clear()
    assert list(tmp_path.iterdir()) == []
    assert not journal.clear()
    assert journal.read().entries == ()


def test_entries_are_read_in_the_order_of_time_though_counts_are_written_later(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(10), given(5)])

    assert journal.read().entries == (given(5), entry(10))


# --- counting ----------------------------------------------------------------------------------------


def test_the_same_program_within_a_minute_is_one_entry_with_a_count() -> None:
    found = counted([given(0), entry(1), given(20, pid=2), given(59, count=4, last=NOON + 59 * SECOND)])

    assert [(each.kind, each.count, each.pid) for each in found] == [
        (Kind.KEYS_GIVEN, 6, None),
        (Kind.KEYS_FETCHED, 1, None),
    ]
    assert found[0].latest == NOON + 59 * SECOND


@pytest.mark.parametrize(
    "other",
    [
        given(60),
        given(1, program="terraform"),
        given(1, profile="ro"),
        given(1, way=Way.PROCESS),
        given(1, program=None),
        given(1, kind=Kind.KEYS_DENIED, code="x"),
    ],
)
def test_what_differs_or_comes_later_is_an_entry_of_its_own(other: Entry) -> None:
    assert counted([given(0), other]) == [given(0), other]


def test_what_is_written_to_the_file_is_never_counted() -> None:
    twice = [given(0, way=Way.FILE), given(1, way=Way.FILE)]

    assert counted(twice) == twice


def test_the_first_line_names_the_version() -> None:
    assert header() == b'{"credtray_history":1}\n'
    assert decode(header()).entries == ()
    assert timedelta() == decode(encode([entry()])).entries[0].latest - NOON
