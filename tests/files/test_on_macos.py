"""The file layer as it behaves on macOS, with stand-ins for what only that system has."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import queue
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from credtray.core.errors import FileUnwritable
from credtray.files import file_watch
from credtray.files.atomic_file import write_atomically
from credtray.files.file_watch import FileWatch
from tests.files import fsevents_fake

if sys.platform != "win32":
    import fcntl

pytestmark = pytest.mark.posix("macOS is one: descriptors of directories, links, inodes")

PATIENCE = 60.0
"""Seconds after which nothing is expected any more: a busy machine tells late."""


class MacDisk:
    """fcntl(2) of macOS with F_FULLFSYNC, and a record of what has reached the disk."""

    F_FULLFSYNC = 51  # sys/fcntl.h

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: int | None = None) -> None:
        self.error = error
        self.log: list[str] = []
        self._fcntl, self._fsync, self._rename = fcntl.fcntl, os.fsync, os.rename
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", self.F_FULLFSYNC, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", self.fcntl)
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "rename", self.rename)

    def fcntl(self, fd: int, command: int, *arguments: Any) -> Any:
        if command != self.F_FULLFSYNC:
            return self._fcntl(fd, command, *arguments)
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        self.log.append(f"flush {self._kind(fd)}")
        return 0

    def fsync(self, fd: int) -> None:
        self._fsync(fd)
        self.log.append(f"fsync {self._kind(fd)}")

    def rename(self, source: str, target: str, **where: int) -> None:
        self._rename(source, target, **where)
        self.log.append("rename")

    @staticmethod
    def _kind(fd: int) -> str:
        return "directory" if Path(f"/proc/self/fd/{fd}").is_dir() else "file"


def test_drive_has_written_the_bytes_before_the_name_and_then_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = MacDisk(monkeypatch)
    write_atomically(tmp_path / "credentials", b"[default]\n")

    assert disk.log == ["flush file", "rename", "flush directory"]


@pytest.mark.parametrize("error", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_file_system_without_that_call_is_synced_as_it_can_be(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = MacDisk(monkeypatch, error)
    write_atomically(tmp_path / "credentials", b"[default]\n")

    assert disk.log == ["fsync file", "rename", "fsync directory"]


def test_drive_that_cannot_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(b"old")
    disk = MacDisk(monkeypatch, errno.EIO)
    with pytest.raises(FileUnwritable):
        write_atomically(path, b"new")

    assert (path.read_bytes(), disk.log, list(tmp_path.iterdir())) == (b"old", [], [path])


# --- FSEvents: watchdog's own code for it, on a stand-in for its C extension ------------------------------


class Mac:
    """A watched home on macOS."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, looks_again: float) -> None:
        monkeypatch.setitem(sys.modules, "_watchdog_fsevents", cast("Any", fsevents_fake))
        fsevents = importlib.import_module("watchdog.observers.fsevents")
        monkeypatch.setattr(file_watch, "Observer", fsevents.FSEventsObserver)
        self.home = home
        self.told: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.watch = FileWatch(
            lambda: self.told.put(None), home, settle_seconds=0.02, trees=True, trees_seconds=looks_again
        )
        self.watch.watch(home / ".aws" / name for name in ("config", "credentials", "sso/cache/token.json"))
        self.watch.start()
        self.told.get(timeout=PATIENCE)

    def hears(self) -> None:
        """Wait until something is told of what has happened, and until no more is."""
        self.told.get(timeout=PATIENCE)
        with contextlib.suppress(queue.Empty):
            while True:
                self.told.get(timeout=0.3)

    def comes_to_watch(self, *streams: str) -> None:
        """Wait until just these are watched: what has happened may be found in several looks."""
        while self.streams != list(streams):
            self.told.get(timeout=PATIENCE)

    @property
    def streams(self) -> list[str]:
        """What is watched, by paths below the home."""
        return sorted(os.path.relpath(path, self.home) for path in fsevents_fake.Stream.watched)


@pytest.fixture
def mac(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Mac]]:
    begun: list[Mac] = []

    def begin(looks_again: float = 3600) -> Mac:
        begun.append(Mac(home, monkeypatch, looks_again))
        return begun[-1]

    yield begin
    for each in begun:
        each.watch.close()


def aws_directory(home: Path) -> Path:
    """Make one with everything in it."""
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    for path in (home / ".aws" / "config", home / ".aws" / "credentials", cache / "token.json"):
        path.write_text("old")
    return home / ".aws"


def test_only_the_aws_directory_is_watched_and_not_all_that_happens_in_the_home(
    home: Path, mac: Callable[..., Mac]
) -> None:
    aws_directory(home)

    assert mac().streams == [".aws"]


@pytest.mark.parametrize("name", ["config", "credentials", "sso/cache/token.json"])
def test_edited_and_replaced_files_are_told(name: str, home: Path, mac: Callable[..., Mac]) -> None:
    path = aws_directory(home) / name
    running = mac()
    path.write_text("edited in place")
    running.hears()
    draft = path.with_name("draft")
    draft.write_text("replaced")
    draft.replace(path)
    running.hears()
    path.unlink()
    running.hears()

    assert running.streams == [".aws"]


def test_home_is_watched_only_until_there_is_an_aws_directory(home: Path, mac: Callable[..., Mac]) -> None:
    running = mac()
    assert running.streams == ["."]

    (home / ".aws").mkdir()
    running.comes_to_watch(".aws")

    (home / ".aws" / "sso" / "cache").mkdir(parents=True)
    (home / ".aws" / "sso" / "cache" / "token.json").write_text("new")
    running.hears()


def test_aws_directory_that_is_removed_and_made_again_is_followed(
    home: Path, mac: Callable[..., Mac]
) -> None:
    aws = aws_directory(home)
    running = mac()
    shutil.rmtree(aws)
    running.comes_to_watch(".")

    (aws_directory(home) / "config").write_text("new")
    running.comes_to_watch(".aws")


def test_aws_directory_that_is_replaced_in_one_go_is_followed(home: Path, mac: Callable[..., Mac]) -> None:
    aws = aws_directory(home)
    running = mac()
    aws.rename(home / "old")
    aws_directory(home)
    running.hears()
    running.comes_to_watch(".aws")
    (aws / "config").write_text("in the new one")
    running.hears()


def test_directory_moved_out_of_the_aws_directory_is_told(home: Path, mac: Callable[..., Mac]) -> None:
    aws = aws_directory(home)
    running = mac()
    (aws / "sso").rename(home / "elsewhere")
    running.hears()
    (home / "elsewhere").rename(aws / "sso")
    running.hears()


def test_link_that_leads_elsewhere_is_followed_after_a_while(home: Path, mac: Callable[..., Mac]) -> None:
    aws_directory(home).rename(home / "one")
    aws_directory(home).rename(home / "two")
    (home / ".aws").symlink_to("one")
    running = mac(0.2)
    assert running.streams == ["one"]

    (home / ".aws").unlink()
    (home / ".aws").symlink_to("two")
    running.comes_to_watch("two")


@pytest.mark.parametrize(("platform", "trees"), [("darwin", True), ("linux", False), ("win32", False)])
def test_whole_trees_are_watched_on_macos_alone(
    platform: str, *, trees: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert FileWatch(lambda: None, tmp_path)._trees is trees
