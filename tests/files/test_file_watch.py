from __future__ import annotations

import errno
import os
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from credtray.files import file_watch
from credtray.files.file_watch import FileWatch, plan, remote_kind

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which nothing is expected any more: a busy machine tells late."""
SETTLE = 0.03
"""Shorter than the agent's own: nobody here writes slowly."""


class Listener:
    """Collects what a FileWatch tells."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[None] = queue.SimpleQueue()

    def changed(self) -> None:
        self.told.put(None)

    def heard(self, seconds: float = PATIENCE) -> bool:
        try:
            self.told.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def settle(self) -> None:
        """Wait until nothing more is told of what happened so far."""
        while self.heard(5 * SETTLE):
            pass


@pytest.fixture
def aws(home: Path) -> Path:
    directory = home / ".aws"
    (directory / "sso" / "cache").mkdir(parents=True)
    for name in ("config", "credentials", "sso/cache/token.json"):
        (directory / name).write_text("old")
    return directory


@pytest.fixture
def files(home: Path) -> list[Path]:
    return [home / ".aws" / name for name in ("config", "credentials", "sso/cache/token.json")]


@pytest.fixture
def start() -> Iterator[Callable[[list[Path]], Listener]]:
    watches: list[FileWatch] = []

    def begin(files: list[Path]) -> Listener:
        listener = Listener()
        watches.append(FileWatch(listener.changed, settle_seconds=SETTLE, poll_seconds=0.2))
        watches[-1].watch(files)
        watches[-1].start()
        assert listener.heard()  # once they are watched
        listener.settle()
        return listener

    yield begin
    for watch in watches:
        watch.close()


Start = Callable[[list[Path]], Listener]


def replace(path: Path, text: str) -> None:
    draft = path.with_name(".editor.tmp")
    draft.write_text(text)
    draft.replace(path)


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("x")


CHANGES: dict[str, Callable[[Path], object]] = {
    "in place": lambda path: path.write_text("new"),
    "appended": append,
    "same length": lambda path: path.write_text("dlo"),
    "renamed over": lambda path: replace(path, "new"),
    "deleted": lambda path: path.unlink(),
    "moved away": lambda path: path.rename(path.with_name("elsewhere")),
    "emptied": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["config", "sso/cache/token.json"])
def test_change_by_anybody_is_told(
    start: Start, aws: Path, files: list[Path], name: str, change: str
) -> None:
    listener = start(files)
    CHANGES[change](aws / name)

    assert listener.heard()


def test_several_changes_at_a_time_are_told_once(start: Start, aws: Path, files: list[Path]) -> None:
    listener = start(files)
    for file in files:
        file.write_text("new")
        replace(file, "newer")

    assert listener.heard()
    assert not listener.heard(0.5)


def test_reading_and_other_files_are_not_told(start: Start, aws: Path, files: list[Path]) -> None:
    listener = start(files)
    for file in files:
        file.read_text()
        file.with_name(".credtray-0123456789abcdef.tmp").write_text("ours")
        file.with_name("other").write_text("theirs")
        file.with_name("other").unlink()

    assert not listener.heard(0.5)


@pytest.mark.posix("a watched folder is removed")
def test_deleted_and_made_again_directories_are_followed(start: Start, aws: Path, files: list[Path]) -> None:
    listener = start(files)
    told = []
    for _ in range(2):
        shutil.rmtree(aws)
        told.append(listener.heard())
        listener.settle()
        (aws / "sso" / "cache").mkdir(parents=True)
        told.append(listener.heard())
        listener.settle()
        for file in files:
            file.write_text("again")
            told.append(listener.heard())
            listener.settle()

    assert told == [True] * 10


def test_directory_replaced_in_one_go_is_followed(start: Start, aws: Path, files: list[Path]) -> None:
    listener = start(files)
    aws.rename(aws.with_name(".aws.bak"))
    shutil.copytree(aws.with_name(".aws.bak"), aws)
    assert listener.heard()
    listener.settle()
    for file in files:
        file.write_text("new")
        assert listener.heard()
        listener.settle()


def test_directory_that_does_not_exist_yet_is_waited_for(start: Start, home: Path, files: list[Path]) -> None:
    listener = start(files)
    files[2].parent.mkdir(parents=True)
    files[2].write_text("first sign-in ever")
    assert listener.heard()
    listener.settle()
    files[2].write_text("second")

    assert listener.heard()


@pytest.mark.wine_lacks("links that other programs see")
def test_file_behind_a_link_is_watched_where_it_is(
    start: Start, aws: Path, files: list[Path], tmp_path: Path
) -> None:
    real = tmp_path / "dotfiles" / "aws-config"
    real.parent.mkdir()
    real.write_text("old")
    (aws / "config").unlink()
    (aws / "config").symlink_to(real)
    listener = start(files)
    replace(real, "new")
    assert listener.heard()
    listener.settle()
    other = tmp_path / "other"
    other.write_text("another one")
    (aws / "link").symlink_to(other)
    (aws / "link").replace(aws / "config")
    assert listener.heard()
    listener.settle()
    other.write_text("changed")

    assert listener.heard()


@pytest.mark.wine_lacks("links that other programs see")
def test_directory_behind_a_link_is_watched_where_it_is(
    start: Start, home: Path, files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "aws").mkdir()
    (home / ".aws").symlink_to(tmp_path / "aws")
    listener = start(files)
    (tmp_path / "aws" / "config").write_text("new")

    assert listener.heard()


@pytest.mark.posix("a file is renamed over another")
def test_file_outside_the_home_is_watched_with_its_directory(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "corp" / "config"
    file.parent.mkdir()
    listener = start([file])
    file.write_text("new")
    told = [listener.heard()]
    listener.settle()
    shutil.rmtree(file.parent)
    told.append(listener.heard())
    listener.settle()
    file.parent.mkdir()
    file.write_text("again")
    told.append(listener.heard())
    directories = {Path(path) for path, _, _ in plan([file], Path.home()).directories}

    assert told == [True] * 3
    assert directories == {file.parent, tmp_path}


def test_circle_of_links_is_survived(start: Start, aws: Path, files: list[Path]) -> None:
    files[0].unlink()
    files[0].symlink_to(aws / "round")
    (aws / "round").symlink_to(files[0])
    (aws / "loop").symlink_to(aws / "loop")
    listener = start([*files, aws / "loop" / "below"])
    files[1].write_text("new")

    assert listener.heard()


def test_added_files_are_watched_from_then_on(aws: Path, files: list[Path]) -> None:
    listener = Listener()
    watch = FileWatch(listener.changed, settle_seconds=SETTLE)
    watch.watch(files[:1])
    watch.start()
    listener.settle()
    watch.watch(files)
    assert listener.heard()
    listener.settle()
    files[2].write_text("new")
    told = listener.heard()
    watch.close()

    assert told


def test_listener_that_raises_hears_of_the_next_change(aws: Path, files: list[Path]) -> None:
    listener = Listener()

    def fail() -> None:
        listener.changed()
        raise RuntimeError("not my day")

    watch = FileWatch(fail)
    watch.watch(files)
    watch.start()
    listener.settle()
    files[0].write_text("new")
    told = listener.heard()
    watch.close()

    assert told


class NoMoreInstances:
    """inotify when the user's 128 instances are taken."""

    def __init__(self) -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")


def test_without_inotify_the_files_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, aws: Path, files: list[Path]
) -> None:
    monkeypatch.setattr(file_watch, "Observer", NoMoreInstances)
    listener = Listener()
    watch = FileWatch(listener.changed, settle_seconds=SETTLE, poll_seconds=0.05)
    watch.watch(files)
    watch.start()
    listener.settle()
    told = []
    for change in CHANGES.values():
        files[0].unlink(missing_ok=True)
        files[0].write_text("old")
        listener.settle()
        change(files[0])
        told.append(listener.heard())
    watch.close()

    assert told == [True] * len(CHANGES)
    assert watch.polling == "Files cannot be watched: inotify instance limit reached."
    assert len(caplog.records) == 1


def test_inotify_is_taken_up_again_when_it_can_be_had(
    monkeypatch: pytest.MonkeyPatch, aws: Path, files: list[Path]
) -> None:
    listener = Listener()
    watch = FileWatch(listener.changed, settle_seconds=SETTLE, poll_seconds=0.01)
    with monkeypatch.context() as scarce:
        scarce.setattr(file_watch, "Observer", NoMoreInstances)
        watch.watch(files)
        watch.start()
        assert listener.heard()
    deadline = time.monotonic() + PATIENCE
    while watch.polling is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    files[0].write_text("new")
    told = listener.heard()
    watch.close()

    assert watch.polling is None
    assert told


def test_plan_of_plain_files_watches_few_directories(aws: Path, files: list[Path]) -> None:
    directories = {Path(path) for path, _, _ in plan(files, aws.parent).directories}

    assert directories == {aws, aws / "sso", aws / "sso/cache", aws.parent}


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home rw,relatime - nfs4 server:/home rw
41 40 0:36 / /home/local rw - xfs /dev/sdb1 rw
42 22 0:37 / /mnt/with\\040space rw - fuse.sshfs host: rw
broken line
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/root/.aws", None),
        ("/home/alice/.aws", "nfs4"),
        ("/home", "nfs4"),
        ("/homeless", None),
        ("/home/local/bob", None),
        ("/mnt/with space/x", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_told_from_local_ones(directory: str, kind: str | None) -> None:
    assert kind == remote_kind(MOUNTS, directory)


IDLE = """
import sys, time
from pathlib import Path
from credtray.files.file_watch import FileWatch
watch = FileWatch(lambda: None)
watch.watch([Path.home() / ".aws" / name for name in ("config", "credentials", "sso/cache/token.json")])
watch.start()
time.sleep(1)
print("idle", flush=True)
sys.stdin.read()
watch.close()
"""


def wakeups(pid: int) -> int:
    """Voluntary context switches of all threads but the main one, which only waits for its input."""
    tasks = Path(f"/proc/{pid}/task")
    statuses = [path.joinpath("status").read_text() for path in tasks.iterdir() if path.name != str(pid)]
    return sum(
        int(line.split()[1])
        for status in statuses
        for line in status.splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


@pytest.mark.posix("/proc")
@pytest.mark.skipif(sys.platform != "linux", reason="counts context switches in /proc")
def test_watching_costs_no_wakeup_while_nothing_happens(aws: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", IDLE],
        env={**os.environ, "PYTHONPATH": str(ROOT / "agent")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    before = wakeups(process.pid)
    time.sleep(2)
    after = wakeups(process.pid)
    process.communicate("", timeout=10)

    assert after - before == 0
    assert process.returncode == 0
