"""Replacing a file that other programs have open: for real on every system, and Windows' rules by a fake."""

from __future__ import annotations

import errno
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from credtray.core import ini
from credtray.files.open_directory import aside_of, exchanged, tried_again
from credtray.files.shared_file import SharedFile
from tests.aws.file_fakes import StandingClock

USERS = b"[a]\naws_access_key_id = 1\n"
THEIRS = USERS + b"\n[by-other-program]\naws_access_key_id = 2\n"


class OtherProgram:
    """Opens the file as ``aws configure set`` does, and writes and closes it *delay* seconds later."""

    def __init__(self, path: Path, delay: float) -> None:
        self._path, self._delay = path, delay
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def open(self) -> None:
        self._thread.start()
        assert self._opened.wait(30)

    def join(self) -> None:
        self._thread.join(30)

    def _run(self) -> None:
        with self._path.open("r+b") as file:
            self._opened.set()
            time.sleep(self._delay)  # the other program's own time, not the test's
            file.truncate()
            file.write(THEIRS)


def both_edit(home: Path, delay: float) -> bytes:
    """Let the other program open the file after we have read it, and write it after *delay* seconds."""
    path = home / "credentials"
    home.mkdir()
    path.write_bytes(USERS)
    other = OtherProgram(path, delay)
    opened = False

    def ours(data: bytes) -> bytes:
        nonlocal opened
        if not opened:
            opened = True
            other.open()
        return ini.set_keys(data, "ours", {"aws_access_key_id": "3"})

    SharedFile(path, home / "locks", backup_directory=home / "backup").edit(ours, secret=True)
    other.join()
    assert [entry.name for entry in home.glob("*cred*")] == ["credentials"]
    return path.read_bytes()


def test_no_edit_of_a_program_that_had_the_file_open_is_lost(tmp_path: Path) -> None:
    rounds = 40
    with ThreadPoolExecutor(rounds) as pool:
        delays = (number * 0.5 / (rounds - 1) for number in range(rounds))
        homes = (tmp_path / str(number) for number in range(rounds))
        results = list(pool.map(both_edit, homes, delays))

    assert results == [THEIRS + b"\n[ours]\naws_access_key_id = 3\n"] * rounds


class WindowsError32(OSError):
    """An OSError with the attribute that only Windows has."""

    def __init__(self, winerror: int) -> None:
        super().__init__(errno.EACCES, "in use")
        self.winerror = winerror


@dataclass
class Disk:
    """``FileCalls`` on names in memory, with the failures that Microsoft documents for ReplaceFileW."""

    files: dict[str, str]
    refusals: list[int] = field(default_factory=list)
    """What the next exchanges fail with."""
    keep_aside: int = 0
    """How often removing the old file is refused."""
    held: bool = False

    def hold(self, path: str) -> int:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        self.held = True
        return 7

    def release(self, handle: int) -> None:
        assert handle == 7
        self.held = False

    def exchange(self, target: str, source: str, aside: str) -> None:
        refusal = self.refusals.pop(0) if self.refusals else 0
        if refusal in {0, 1177}:
            self.files[aside] = self.files.pop(target)
        if refusal:
            raise WindowsError32(refusal)
        self.files[target] = self.files.pop(source)

    def move(self, source: str, target: str) -> None:
        if target in self.files:
            raise WindowsError32(183)
        self.files[target] = self.files.pop(source)

    def unlink(self, path: str) -> None:
        if self.keep_aside:
            self.keep_aside -= 1
            raise WindowsError32(32)
        del self.files[path]


@pytest.mark.parametrize("refusals", [[], [1175], [1176, 32], [1177], [1177, 1177, 5]])
def test_exchange_ends_with_the_new_file_whatever_was_refused_before(refusals: list[int]) -> None:
    disk = Disk({"c": "old", "draft": "new"}, refusals=refusals)

    assert exchanged(disk, "draft", "c", lambda: disk.files["c"] == "old", StandingClock())
    assert (disk.files, disk.held) == ({"c": "new"}, False)


@pytest.mark.parametrize("code", [5, 32, 33, 1175, 1176, 1177])
def test_exchange_that_never_works_leaves_the_old_file_under_its_name(code: int) -> None:
    disk = Disk({"c": "old", "draft": "new"}, refusals=[code] * 1000)
    clock = StandingClock()
    with pytest.raises(OSError, match="in use"):
        exchanged(disk, "draft", "c", lambda: True, clock)

    assert disk.files == {"c": "old", "draft": "new"}
    assert 2.4 < clock.slept < 2.7


def test_exchange_asks_again_before_each_try_while_nobody_can_write() -> None:
    disk = Disk({"c": "old", "draft": "new"}, refusals=[32, 32])
    asked = []

    def unchanged() -> bool:
        asked.append(disk.held)
        return len(asked) < 3

    assert not exchanged(disk, "draft", "c", unchanged, StandingClock())
    assert (disk.files, asked) == ({"c": "old", "draft": "new"}, [True, True, True])


def test_file_that_somebody_makes_meanwhile_is_not_replaced() -> None:
    disk = Disk({"draft": "new"})
    asked = []

    def theirs_follows() -> bool:
        asked.append("c" not in disk.files)
        disk.files["c"] = "theirs"
        return asked[-1]

    assert not exchanged(disk, "draft", "c", theirs_follows, StandingClock())
    assert disk.files == {"c": "theirs", "draft": "new"}


@pytest.mark.parametrize(("refused", "left"), [(3, {}), (1000, {aside_of("c"): "old"})])
def test_old_file_that_a_scanner_holds_goes_later(refused: int, left: dict[str, str]) -> None:
    disk = Disk({"c": "old", "draft": "new"}, keep_aside=refused)

    assert exchanged(disk, "draft", "c", lambda: True, StandingClock())
    assert disk.files == {"c": "new", **left}


@pytest.mark.parametrize("code", [5, 32, 33, 1175])
def test_open_file_is_tried_again(code: int) -> None:
    clock, calls = StandingClock(), []

    def act() -> int:
        calls.append(clock.slept)
        if len(calls) < 4:
            raise WindowsError32(code)
        return 1

    assert tried_again(act, clock) == 1
    assert len(calls) == 4


@pytest.mark.parametrize("error", [WindowsError32(112), OSError(errno.ENOSPC, "in use")])
def test_other_errors_are_not_tried_again(error: OSError) -> None:
    clock = StandingClock()

    def act() -> None:
        raise error

    with pytest.raises(OSError, match="in use"):
        tried_again(act, clock)
    assert clock.slept == 0
