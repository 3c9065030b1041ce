"""state.json on a real disk: torn, newer, unreadable, unwritable."""

from __future__ import annotations

import json
import logging
import stat
import sys
from pathlib import Path

import pytest

from credtray.core import state_document
from credtray.core.errors import CredtrayError, FileInUse, FileRefused, FileUnwritable
from credtray.core.state import State
from credtray.store import state_files
from credtray.store.state_files import StateFile
from tests.core.making import signed_in

if sys.platform != "win32":
    import resource

SIGN_IN = {"started_at": "2026-11-22T12:00:00Z", "ends_at": "2026-11-22T20:00:00Z", "proof": "setting"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credtray" / "state.json"


def document(**parts: object) -> bytes:
    session = {"start_url": "https://d-9067000001.awsapps.com/start", "region": "us-east-1", **parts}
    return json.dumps({"version": 1, "active": ["dev"], "sessions": {"corp": session}}).encode()


def put(path: Path, data: bytes) -> StateFile:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    return StateFile(path)


def empty(state: State) -> bool:
    return (state.active, state.default, dict(state.remembered)) == ((), None, {})


@pytest.mark.posix("modes")
def test_what_was_saved_comes_back_and_is_private(path: Path) -> None:
    StateFile(path).save(state_document.encode(signed_in("dev", "ro")))

    assert StateFile(path).load().active == ("dev", "ro")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_first_start_begins_with_a_seed_of_its_own(path: Path) -> None:
    first, second = StateFile(path).load(), StateFile(path).load()

    assert empty(first)
    assert first.seed != second.seed
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"sessions":' + b'{"a":' * 100_000,
        document(length=1e300),
        document(length=-5),
        document(token_life=0),
        document(sign_in={**SIGN_IN, "ends_at": "2026-11-22T20:00:00"}),
        document(sign_in={**SIGN_IN, "proof": "guess"}),
        document(sign_in={**SIGN_IN, "said": [3]}),
    ],
)
def test_torn_file_is_moved_aside_by_the_next_save_and_not_before(path: Path, data: bytes) -> None:
    file = put(path, data)

    assert empty(file.load())
    assert path.read_bytes() == data
    file.save(b"{}")
    assert path.read_bytes() == b"{}"
    assert path.with_suffix(".broken").read_bytes() == data


def test_file_of_a_newer_version_is_left_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    newer = b'{"version": 2, "active": {"dev": {}}}'
    file = put(path, newer)
    with caplog.at_level(logging.WARNING):
        state = file.load()
    with pytest.raises(FileRefused, match="newer credtray"):
        file.save(b"{}")

    assert empty(state)
    assert state.choices_unknown
    assert path.read_bytes() == newer
    assert "newer credtray" in caplog.text


@pytest.mark.wine_lacks("links that other programs see")
def test_file_that_cannot_be_read_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.symlink_to(path)
    file = StateFile(path)

    assert empty(file.load())
    with pytest.raises(CredtrayError):
        file.save(b"{}")
    assert path.is_symlink()


def test_directory_in_its_place_costs_the_memory_and_nothing_else(path: Path) -> None:
    path.mkdir(parents=True, mode=0o700)
    file = StateFile(path)

    assert empty(file.load())
    with pytest.raises(CredtrayError):
        file.save(b"{}")
    assert path.is_dir()


@pytest.mark.posix("limits of a process")
def test_full_disk_keeps_the_old_file_and_says_so(path: Path) -> None:
    file = put(path, document())
    file.load()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))  # every write beyond ten bytes fails
    try:
        with pytest.raises(FileUnwritable):
            file.save(state_document.encode(signed_in("dev")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert path.read_bytes() == document()
    assert [entry.name for entry in path.parent.iterdir()] == ["state.json"]


def test_agent_waits_for_a_program_that_keeps_the_file_shut(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, shut = put(path, document()), iter([True, True, False])

    def read(at: Path, _limit: int) -> bytes:
        if next(shut):
            raise FileInUse(f"reading {at}")
        return at.read_bytes()

    monkeypatch.setattr(state_files, "read_bounded", read)

    assert file.load(tries=12).active == ("dev",)


def test_file_that_stays_shut_is_left_alone_and_choices_are_called_unknown(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(path, document())

    def read(at: Path, _limit: int) -> bytes:
        raise FileInUse(str(at))

    monkeypatch.setattr(state_files, "read_bounded", read)
    state = file.load(tries=12)

    assert (state.active, state.choices_unknown) == ((), True)
    assert state.unsaved is not None
    assert state.unsaved.code == "file_in_use"
    assert "not saved" in (state.unsaved.hint or "")
    with pytest.raises(FileInUse):
        file.save(b"{}")
    assert path.read_bytes() == document()


def test_damaged_file_leaves_choices_unknown_and_a_missing_one_does_not(path: Path) -> None:
    assert not StateFile(path).load().choices_unknown
    assert put(path, b"{").load().choices_unknown
