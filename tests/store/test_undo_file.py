"""undo.json: what can be taken back, and what a torn or newer file does to that."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import FileRefused
from credtray.store.state_files import UndoFile
from tests.core.making import NOON

BEFORE = {"profile dev": b"[profile dev]\r\nregion = x\xff\n", "sso-session corp": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credtray" / "undo.json"


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.posix("modes")
def test_changes_come_back_byte_for_byte_oldest_first(path: Path) -> None:
    UndoFile(path).remember(NOON, "setup corp", BEFORE)
    UndoFile(path).remember(NOON + timedelta(hours=1), "setup other", {})
    first, second = UndoFile(path).changes()

    assert (first.at, first.what, first.originals()) == (NOON, "setup corp", BEFORE)
    assert second.what == "setup other"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_change_taken_back_is_forgotten_and_the_others_stay(path: Path) -> None:
    file = UndoFile(path)
    file.remember(NOON, "one", BEFORE)
    file.remember(NOON, "two", BEFORE)
    file.forget(file.changes()[0])

    assert [change.what for change in file.changes()] == ["two"]


def test_only_the_latest_fifty_are_kept(path: Path) -> None:
    file = UndoFile(path)
    for number in range(53):
        file.remember(NOON, str(number), {})

    assert [change.what for change in file.changes()] == [str(number) for number in range(3, 53)]


def test_no_file_means_nothing_to_take_back(path: Path) -> None:
    assert UndoFile(path).changes() == []
    assert not path.parent.exists()


def one_change(**parts: object) -> bytes:
    change = {"at": "2026-11-22T12:00:00Z", "what": "setup", "sections": {}, **parts}
    return json.dumps({"version": 1, "changes": [change]}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        one_change(sections={"a": "%%%"}),
        one_change(at="2026-11-22T12:00:00"),
    ],
)
def test_torn_file_offers_nothing_and_takes_new_changes(path: Path, data: bytes) -> None:
    put(path, data)
    file = UndoFile(path)

    assert file.changes() == []
    file.remember(NOON, "after", {})
    assert [change.what for change in file.changes()] == ["after"]


@pytest.mark.parametrize("data", [b'{"version": 2, "changes": {}}', b'{"version": 2, "changes": []}'])
def test_file_of_a_newer_version_is_refused_and_never_overwritten(path: Path, data: bytes) -> None:
    put(path, data)
    with pytest.raises(FileRefused, match="newer"):
        UndoFile(path).changes()
    with pytest.raises(FileRefused, match="newer"):
        UndoFile(path).remember(NOON, "setup", {})

    assert path.read_bytes() == data


@given(st.dictionaries(st.text(max_size=20), st.none() | st.binary(max_size=200), max_size=4))
def test_any_bytes_of_a_section_survive(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, bytes | None]
) -> None:
    file = UndoFile(tmp_path_factory.mktemp("undo") / "undo.json")
    file.remember(NOON, "setup", before)

    assert file.changes()[0].originals() == before
