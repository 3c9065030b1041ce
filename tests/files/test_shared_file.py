from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from credtray.core import ini
from credtray.core.errors import FileContended, FileRefused, FileUnparsable, FileUnwritable, IniRefused
from tests.aws.file_fakes import StandingClock, shared

USERS = b"# mine\n[work]\nregion = eu-west-1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / ".aws"
    directory.mkdir(mode=0o700)
    return directory / "credentials"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


def put(section: str, value: str = "1") -> Callable[[bytes], bytes]:
    return lambda data: ini.set_keys(data, section, {"k": value})


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_absent_file_reads_as_empty(path: Path) -> None:
    assert shared(path).read() == b""
    assert shared(path.parent / "deeper" / "credentials").read() == b""


def test_edit_replaces_the_file_and_keeps_foreign_bytes(path: Path) -> None:
    path.write_bytes(USERS)
    before = path.stat().st_ino

    outcome = shared(path).edit(put("dev"), secret=True)

    assert outcome.changed
    assert path.read_bytes() == USERS + b"\n[dev]\nk = 1\n"
    assert before != path.stat().st_ino
    assert [path.name] == [entry.name for entry in path.parent.iterdir()]


def test_edit_without_change_writes_nothing(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"[dev]\nk = 1\n")
    before = path.stat()

    outcome = shared(path).edit(put("dev"), secret=True)

    assert not outcome.changed
    assert (before.st_ino, before.st_mtime_ns, before.st_mode) == (
        path.stat().st_ino,
        path.stat().st_mtime_ns,
        path.stat().st_mode,
    )
    assert not list((tmp_path / "credtray-state").glob("*backup"))


def test_edit_without_change_creates_no_directory(tmp_path: Path) -> None:
    outcome = shared(tmp_path / "none" / "credentials").edit(lambda data: data, secret=True)

    assert not outcome.changed
    assert not (tmp_path / "none").exists()


@pytest.mark.posix("modes")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_new_file_is_0600_and_new_directory_0700_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "new" / ".aws" / "credentials"
    before = os.umask(umask)
    try:
        outcome = shared(path).edit(put("dev"), secret=False)
    finally:
        os.umask(before)

    assert outcome.created
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert mode_of(path.parent.parent) == 0o700


@pytest.mark.posix("modes")
@pytest.mark.parametrize("mode", [0o644, 0o666, 0o640, 0o660, 0o700])
def test_wider_mode_is_tightened_when_a_secret_goes_in_and_said(path: Path, mode: int) -> None:
    path.write_bytes(USERS)
    path.chmod(mode)
    file = shared(path)

    first = file.edit(put("dev"), secret=True)
    second = file.edit(put("dev", "2"), secret=True)

    assert mode == first.tightened_from
    assert second.tightened_from is None
    assert mode_of(path) == 0o600


@pytest.mark.posix("modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600])
def test_mode_is_kept_when_no_secret_goes_in(path: Path, mode: int) -> None:
    path.write_bytes(USERS)
    path.chmod(mode)

    outcome = shared(path).edit(put("dev"), secret=False)

    assert outcome.tightened_from is None
    assert mode == mode_of(path)


@pytest.mark.posix("modes")
def test_backup_is_made_once_before_the_first_edit_ever(path: Path) -> None:
    path.write_bytes(USERS)
    path.chmod(0o644)
    file = shared(path)

    first = file.edit(put("dev"), secret=False)
    second = file.edit(put("dev", "2"), secret=False)

    assert first.backup == file.backup_path
    assert second.backup is None
    assert file.backup_path.name == "credentials.credtray-backup"
    assert file.backup_path.read_bytes() == USERS
    assert mode_of(file.backup_path) == 0o600


@pytest.mark.parametrize("name", ["credentials.credtray-backup", ".aws"])
def test_what_cannot_be_looked_at_is_not_taken_for_absent(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path.write_bytes(USERS)
    file = shared(path)
    file.edit(put("a"), secret=False)
    before = path.read_bytes()
    real = Path.lstat

    def failing(self: Path) -> os.stat_result:
        if self.name == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self)

    monkeypatch.setattr(Path, "lstat", failing)
    with pytest.raises(FileUnwritable, match="input/output error"):
        file.edit(put("b"), secret=False)
    monkeypatch.undo()

    assert path.read_bytes() == before
    assert file.backup_path.read_bytes() == USERS


def test_backup_of_a_file_that_did_not_exist_is_empty_for_ever(path: Path) -> None:
    file = shared(path)
    file.edit(put("dev"), secret=True)
    file.edit(put("dev", "2"), secret=True)

    assert file.backup_path.read_bytes() == b""


def test_file_that_botocore_refuses_is_not_written_and_the_line_is_named(path: Path) -> None:
    path.write_bytes(b"[a]\nk = 1\n[a]\n")

    with pytest.raises(FileUnparsable, match="line 3"):
        shared(path).edit(put("dev"), secret=True)
    assert path.read_bytes() == b"[a]\nk = 1\n[a]\n"


def test_transform_that_would_break_the_file_is_refused(path: Path) -> None:
    path.write_bytes(USERS)

    with pytest.raises(IniRefused):
        shared(path).edit(lambda data: data + b"[work]\n", secret=True)
    assert path.read_bytes() == USERS


def test_on_replaced_is_called_as_soon_as_the_new_file_is_there(path: Path, clock: StandingClock) -> None:
    seen: list[tuple[bytes, float]] = []

    shared(path, clock).edit(
        put("dev"), secret=True, on_replaced=lambda: seen.append((path.read_bytes(), clock.slept))
    )

    [(content, slept)] = seen
    assert content == b"[dev]\nk = 1\n"
    assert clock.slept - slept >= 0.25


# --- other programs -------------------------------------------------------------------------------------


def test_file_being_written_is_read_when_it_has_come_to_rest(path: Path, clock: StandingClock) -> None:
    path.write_bytes(b"[work]\n")
    clock.at(0.02, lambda: path.write_bytes(b"[work]\nregion"))
    clock.at(0.04, lambda: path.write_bytes(USERS))

    assert shared(path, clock).read() == USERS


def test_empty_file_counts_as_being_written_for_two_seconds(path: Path, clock: StandingClock) -> None:
    path.write_bytes(b"")
    os.utime(path, (clock.epoch, clock.epoch))
    clock.at(1.5, lambda: path.write_bytes(USERS))

    assert shared(path, clock).read() == USERS


def test_file_that_stays_empty_is_empty(path: Path, clock: StandingClock) -> None:
    path.write_bytes(b"")
    os.utime(path, (clock.epoch, clock.epoch))

    assert shared(path, clock).read() == b""
    assert 2 <= clock.slept < 3


def test_file_that_has_long_been_empty_is_empty_at_once(path: Path, clock: StandingClock) -> None:
    path.write_bytes(b"")
    os.utime(path, (clock.epoch - 60, clock.epoch - 60))

    assert shared(path, clock).read() == b""
    assert clock.slept < 0.1


def test_file_that_never_rests_is_contended(path: Path, clock: StandingClock) -> None:
    path.write_bytes(b"x")
    for step in range(2000):
        clock.at(step / 100, partial(path.write_bytes, b"[a]\n" + b"# " * step))

    with pytest.raises(FileContended):
        shared(path, clock).read()


def test_vanished_sections_are_waited_for(path: Path, clock: StandingClock) -> None:
    path.write_bytes(USERS)
    file = shared(path, clock)
    file.read()
    path.write_bytes(b"[half]\n")
    clock.at(0.5, lambda: path.write_bytes(USERS))

    assert file.read() == USERS


def test_sections_that_stay_away_are_believed_after_two_seconds(path: Path, clock: StandingClock) -> None:
    path.write_bytes(USERS)
    file = shared(path, clock)
    file.read()
    path.write_bytes(b"[other]\n")
    slept = clock.slept

    assert file.read() == b"[other]\n"
    assert 2 <= clock.slept - slept < 3
    slept = clock.slept
    assert file.read() == b"[other]\n"
    assert clock.slept - slept < 0.1


def test_half_a_line_is_waited_for_instead_of_called_broken(path: Path, clock: StandingClock) -> None:
    path.write_bytes(b"[work]\nreg")
    clock.at(0.5, lambda: path.write_bytes(USERS))

    assert shared(path, clock).edit(put("dev"), secret=True).changed
    assert path.read_bytes() == USERS + b"\n[dev]\nk = 1\n"


def test_change_between_reading_and_replacing_starts_over(path: Path, clock: StandingClock) -> None:
    path.write_bytes(USERS)
    runs: list[bytes] = []

    def transform(data: bytes) -> bytes:
        runs.append(data)
        if len(runs) == 1:
            path.write_bytes(USERS + b"[late]\nx = 1\n")
        return put("dev")(data)

    shared(path, clock).edit(transform, secret=True)

    assert len(runs) == 2
    assert path.read_bytes() == USERS + b"[late]\nx = 1\n\n[dev]\nk = 1\n"


@pytest.mark.posix("a file is renamed over another")
def test_file_renamed_over_between_reading_and_replacing_starts_over(
    path: Path, clock: StandingClock
) -> None:
    path.write_bytes(USERS)
    other = path.with_name("other")

    def transform(data: bytes) -> bytes:
        if b"late" not in data:
            other.write_bytes(USERS + b"[late]\nx = 1\n")
            other.rename(path)
        return put("dev")(data)

    shared(path, clock).edit(transform, secret=True)

    assert path.read_bytes() == USERS + b"[late]\nx = 1\n\n[dev]\nk = 1\n"


def test_endless_changes_are_contended_and_nothing_is_lost(path: Path, clock: StandingClock) -> None:
    path.write_bytes(USERS)
    turns: list[int] = []

    def transform(data: bytes) -> bytes:
        turns.append(1)
        path.write_bytes(USERS + b"# %d\n" % len(turns))
        clock.sleep(1)
        return put("dev")(data)

    with pytest.raises(FileContended):
        shared(path, clock).edit(transform, secret=True)
    assert path.read_bytes() == USERS + b"# %d\n" % len(turns)
    assert [path.name] == [entry.name for entry in path.parent.iterdir()]


class LateWriter:
    """Opens the file before it is replaced and writes afterwards, in place, as the AWS CLI does."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(data)
        self._file.flush()


@pytest.fixture
def late(path: Path) -> Iterator[LateWriter]:
    path.write_bytes(USERS)
    with path.open("r+b") as file:
        yield LateWriter(file)


@pytest.mark.posix("an open file is replaced")
def test_late_write_into_the_replaced_file_is_merged(
    path: Path, clock: StandingClock, late: LateWriter
) -> None:
    file = shared(path, clock)

    outcome = file.edit(
        put("dev"),
        secret=True,
        on_replaced=lambda: clock.at(0.1, lambda: late.write(USERS + b"output = json\n[new]\nx = 1\n")),
    )

    assert outcome.merged_late_write
    assert path.read_bytes() == USERS + b"output = json\n[new]\nx = 1\n\n[dev]\nk = 1\n"


@pytest.mark.posix("an open file is replaced")
def test_late_write_and_a_change_of_the_new_file_are_both_kept(
    path: Path, clock: StandingClock, late: LateWriter
) -> None:

    def others() -> None:
        late.write(USERS + b"output = json\n")
        path.write_bytes(path.read_bytes() + b"[third]\ny = 1\n")

    outcome = shared(path, clock).edit(put("dev"), secret=True, on_replaced=lambda: clock.at(0.1, others))

    assert outcome.merged_late_write
    assert ini.meaning(path.read_bytes()) == {
        "work": {"region": "eu-west-1", "output": "json"},
        "dev": {"k": "1"},
        "third": {"y": "1"},
    }


@pytest.mark.posix("an open file is replaced")
def test_second_late_writer_does_not_undo_what_the_first_one_wrote(
    path: Path, clock: StandingClock, late: LateWriter
) -> None:
    with ExitStack() as stack:

        def somebody_opens_our_file() -> None:
            second = LateWriter(stack.enter_context(path.open("r+b")))
            clock.at(0.05, lambda: late.write(USERS + b"output = json\n"))
            clock.at(0.2, lambda: second.write(USERS + b"\n[dev]\nk = 1\n[third]\ny = 1\n"))

        shared(path, clock).edit(put("dev"), secret=True, on_replaced=somebody_opens_our_file)

    assert ini.meaning(path.read_bytes()) == {
        "work": {"region": "eu-west-1", "output": "json"},
        "dev": {"k": "1"},
        "third": {"y": "1"},
    }


@pytest.mark.posix("an open file is replaced")
def test_late_truncation_alone_loses_nothing(path: Path, clock: StandingClock, late: LateWriter) -> None:

    shared(path, clock).edit(
        put("dev"), secret=True, on_replaced=lambda: clock.at(0.1, lambda: late.write(b""))
    )

    assert path.read_bytes() == USERS + b"\n[dev]\nk = 1\n"


@pytest.mark.posix("an open file is replaced")
def test_late_text_that_cannot_be_parsed_is_put_aside(
    path: Path, clock: StandingClock, late: LateWriter
) -> None:

    outcome = shared(path, clock).edit(
        put("dev"), secret=True, on_replaced=lambda: clock.at(0.1, lambda: late.write(b"[work]\nbroken"))
    )

    assert path.read_bytes() == USERS + b"\n[dev]\nk = 1\n"
    assert outcome.rescued is not None
    assert outcome.rescued.read_bytes() == b"[work]\nbroken"
    assert mode_of(outcome.rescued) == 0o600


def test_writer_that_read_before_and_wrote_after_us_gets_our_keys_back_in(
    path: Path, clock: StandingClock
) -> None:
    path.write_bytes(USERS)

    outcome = shared(path, clock).edit(
        put("dev"),
        secret=True,
        on_replaced=lambda: clock.at(0.1, lambda: path.write_bytes(USERS + b"output = json\n")),
    )

    assert outcome.merged_late_write
    assert path.read_bytes() == USERS + b"output = json\n\n[dev]\nk = 1\n"


def test_program_that_puts_another_file_in_place_of_ours_is_not_waited_for_longer(
    path: Path, clock: StandingClock
) -> None:
    path.write_bytes(USERS)

    def renames() -> None:
        draft = path.with_name("theirs")
        draft.write_bytes(USERS + b"output = json\n")
        draft.replace(path)

    outcome = shared(path, clock).edit(put("dev"), secret=True, on_replaced=lambda: clock.at(0.1, renames))

    assert outcome.merged_late_write
    assert path.read_bytes() == USERS + b"output = json\n\n[dev]\nk = 1\n"
    assert clock.slept < 1


def test_program_that_puts_its_own_version_back_at_once_is_not_fought(
    path: Path, clock: StandingClock
) -> None:
    path.write_bytes(USERS)
    for step in range(2000):
        clock.at(step / 100, lambda: path.read_bytes() != USERS and path.write_bytes(USERS))
    writes: list[int] = []

    def transform(data: bytes) -> bytes:
        writes.append(1)
        return put("dev")(data)

    shared(path, clock).edit(transform, secret=True)

    assert len(writes) <= 3
    assert clock.slept < 5


@pytest.mark.posix("modes")
def test_directory_removed_meanwhile_is_made_again(path: Path, clock: StandingClock) -> None:
    runs: list[int] = []

    def transform(data: bytes) -> bytes:
        runs.append(1)
        if len(runs) == 1:
            path.parent.rmdir()
        return put("dev")(data)

    shared(path, clock).edit(transform, secret=True)

    assert path.read_bytes() == b"[dev]\nk = 1\n"
    assert mode_of(path.parent) == 0o700


# --- links ----------------------------------------------------------------------------------------------


@pytest.mark.wine_lacks("links that other programs see")
@pytest.mark.parametrize("relative", [True, False])
def test_link_is_kept_and_its_target_replaced(path: Path, tmp_path: Path, *, relative: bool) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    real = dotfiles / "aws-credentials"
    real.write_bytes(USERS)
    path.symlink_to(Path("..") / "dotfiles" / real.name if relative else real)

    shared(path).edit(put("dev"), secret=True)

    assert path.is_symlink()
    assert real.read_bytes() == USERS + b"\n[dev]\nk = 1\n"
    assert not list(path.parent.glob(".credtray*"))


@pytest.mark.wine_lacks("links that other programs see")
def test_chain_of_links_and_a_linked_directory_are_followed(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / ".aws").symlink_to(real, target_is_directory=True)
    (real / "credentials").symlink_to("two")
    (real / "two").symlink_to(tmp_path / ".aws" / "three")
    (real / "three").write_bytes(USERS)

    shared(tmp_path / ".aws" / "credentials").edit(put("dev"), secret=True)

    assert (real / "three").read_bytes() == USERS + b"\n[dev]\nk = 1\n"
    assert (real / "two").is_symlink()
    assert (tmp_path / ".aws").is_symlink()


@pytest.mark.wine_lacks("links that other programs see")
def test_link_to_a_file_that_does_not_exist_yet_is_written_through(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "later")

    shared(path).edit(put("dev"), secret=True)

    assert path.is_symlink()
    assert (tmp_path / "later").read_bytes() == b"[dev]\nk = 1\n"


@pytest.mark.wine_lacks("links that other programs see")
def test_link_into_nowhere_is_refused(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "no" / "where")

    with pytest.raises(FileRefused, match="nowhere"):
        shared(path).edit(put("dev"), secret=True)


@pytest.mark.wine_lacks("links that other programs see")
def test_links_in_a_circle_are_refused(path: Path) -> None:
    path.symlink_to("two")
    (path.parent / "two").symlink_to("credentials")

    with pytest.raises(FileRefused, match="circle"):
        shared(path).edit(put("dev"), secret=True)


def test_read_only_target_is_refused(path: Path) -> None:
    path.write_bytes(USERS)
    path.chmod(0o400)

    with pytest.raises(FileRefused, match="read-only"):
        shared(path).edit(put("dev"), secret=True)
    assert path.read_bytes() == USERS


@pytest.mark.posix("modes")
def test_directory_that_others_may_write_to_is_refused(path: Path) -> None:
    path.parent.chmod(0o777)

    with pytest.raises(FileRefused, match="others may write"):
        shared(path).edit(put("dev"), secret=True)


def test_sticky_directory_is_accepted(path: Path) -> None:
    path.parent.chmod(0o1777)

    assert shared(path).edit(put("dev"), secret=True).changed


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(getattr(os, "mkfifo", None), marks=pytest.mark.posix("a named pipe in a folder")),
        os.mkdir,
    ],
)
def test_what_is_not_a_file_is_refused_without_blocking(path: Path, make: Callable[[Path], None]) -> None:
    make(path)

    with pytest.raises(FileRefused):
        shared(path).edit(put("dev"), secret=True)
    with pytest.raises(FileRefused):
        shared(path).read()


def test_file_beyond_sixteen_mebibytes_is_refused(path: Path) -> None:
    path.write_bytes(b"# " + b"x" * (16 * 1024 * 1024))

    with pytest.raises(FileRefused, match="larger"):
        shared(path).read()
