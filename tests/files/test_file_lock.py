from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from credtray.core.errors import FileContended, FileRefused, FileUnwritable
from credtray.files.file_lock import FileLock
from tests.aws.file_fakes import StandingClock
from tests.systems import is_root

if sys.platform != "win32":
    import fcntl

HOLDER = """
import sys, time
from pathlib import Path
from credtray.files.file_lock import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.posix("modes")
def test_lock_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one.lock"
    with FileLock(path):
        pass

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_second_holder_waits_its_time_and_is_told(tmp_path: Path) -> None:
    clock = StandingClock()
    with FileLock(tmp_path / "d" / "lock"), pytest.raises(FileContended, match="lock"):
        FileLock(tmp_path / "d" / "lock", timeout=3, waiter=clock).__enter__()

    assert 3 <= clock.slept < 3.1
    with FileLock(tmp_path / "d" / "lock", timeout=0):
        pass


def test_waiting_ends_within_a_second_when_it_is_given_up(tmp_path: Path) -> None:
    clock = StandingClock()
    with FileLock(tmp_path / "d" / "lock"), pytest.raises(FileContended):
        FileLock(
            tmp_path / "d" / "lock", timeout=660, waiter=clock, given_up=lambda: clock.slept > 5
        ).__enter__()

    assert 5 < clock.slept < 6


def test_waiter_gets_the_lock_when_it_is_let_go(tmp_path: Path) -> None:
    path, clock = tmp_path / "d" / "lock", StandingClock()
    first = FileLock(path)
    first.__enter__()
    clock.at(1, lambda: first.__exit__(None, None, None))

    with FileLock(path, waiter=clock):
        assert clock.slept >= 1


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with FileLock(tmp_path / "d" / "lock"):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert most == 1


@pytest.mark.posix("SIGSTOP")
def test_other_process_is_waited_for_and_its_death_frees_the_lock_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d" / "lock"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, cwd=root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FileContended):
            FileLock(path, timeout=0.05).__enter__()
        os.kill(holder.pid, signal.SIGSTOP)
        with pytest.raises(FileContended):  # a frozen holder is not robbed
            FileLock(path, timeout=0.05).__enter__()
        holder.kill()
        holder.wait(10)
        with FileLock(path, timeout=0):  # the first try gets it
            pass


@pytest.mark.posix("flock; Windows removes no open file")
def test_lock_file_removed_by_a_cleaner_meanwhile_binds_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d" / "lock"
    real, cleanings = fcntl.flock, [path]

    def cleaned_up(fd: int, how: int) -> None:
        if cleanings:
            cleanings.pop().unlink()
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", cleaned_up)
    with FileLock(path), pytest.raises(FileContended):
        FileLock(path, timeout=0).__enter__()


@pytest.mark.wine_lacks("links that other programs see")
def test_planted_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d" / "lock"
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileRefused, match="symbolic link"):
        FileLock(path).__enter__()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.posix("named pipes, and words for a folder")
@pytest.mark.parametrize("make", [os.mkdir, getattr(os, "mkfifo", None)])
def test_what_is_not_a_file_is_refused(tmp_path: Path, make: object) -> None:
    path = tmp_path / "d" / "lock"
    path.parent.mkdir()
    assert callable(make)
    make(path)

    with pytest.raises(FileRefused):
        FileLock(path).__enter__()


@pytest.mark.posix("owners")
def test_lock_file_of_another_user_is_refused(tmp_path: Path) -> None:
    if not is_root():
        pytest.skip("only root can make a file of another user")
    path = tmp_path / "d" / "lock"
    path.parent.mkdir()
    path.touch()
    os.chown(path, 1, 1)

    with pytest.raises(FileRefused):
        FileLock(path).__enter__()


@pytest.mark.posix("flock")
def test_file_system_without_locks_falls_back_to_a_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def on_nfs(fd: int, how: int) -> None:
        if str(Path(f"/proc/self/fd/{fd}").readlink()).startswith(str(tmp_path / "nfs")):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", on_nfs)
    path, local = tmp_path / "nfs" / "lock", tmp_path / "local"

    with FileLock(path, fallback=local), pytest.raises(FileContended):
        FileLock(path, fallback=local, timeout=0).__enter__()
    with pytest.raises(FileUnwritable):
        FileLock(path).__enter__()


def test_one_lock_object_is_not_entered_twice(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "d" / "lock")
    with lock, pytest.raises(RuntimeError):
        lock.__enter__()
