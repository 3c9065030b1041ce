from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.core.errors import FileRefused, FileUnwritable
from credtray.files.atomic_file import (
    LEFTOVER_PREFIX,
    read_bounded,
    scratch_directory,
    sweep_leftovers,
    write_atomically,
)
from credtray.files.directory_safety import private_directory, translation
from tests.systems import is_root

if sys.platform != "win32":
    import resource

gives_away = pytest.mark.skipif(not is_root(), reason="only root can give a file away")

OTHER = 65534  # nobody


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def as_nobody(code: str, *arguments: Path | str) -> str:
    """Run *code* as another user, which only root can arrange; return what it prints."""
    if not is_root():
        pytest.skip("only root can become another user")
    script = (
        "import os, sys; sys.path[:] = sys.argv[1].split(os.pathsep); from pathlib import Path;"
        "from credtray.files.atomic_file import *; from credtray.core.errors import *;"
        f"os.setgroups([]); os.setgid({OTHER}); os.setuid({OTHER})\n{code}"
    )
    command = [
        sys.executable,
        "-B",
        "-c",
        script,
        os.pathsep.join([str(Path.cwd()), *sys.path]),
        *map(str, arguments),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


@pytest.fixture
def open_path(tmp_path: Path) -> Iterator[Path]:
    """A directory that another user can reach."""
    parents = [tmp_path, *tmp_path.parents]
    before = {parent: mode_of(parent) for parent in parents if parent.stat().st_uid == os.geteuid()}
    for parent, mode in before.items():
        parent.chmod(mode | 0o011)
    yield tmp_path
    for parent, mode in before.items():
        parent.chmod(mode)


# --- writing ----------------------------------------------------------------------------------------------


def test_content_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, b"one")
    first = path.stat().st_ino
    write_atomically(path, b"two" * 100_000)

    assert path.read_bytes() == b"two" * 100_000
    assert first != path.stat().st_ino
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.posix("modes")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_mode_is_as_asked_whatever_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    path = tmp_path / "new" / "file"
    before = os.umask(umask)
    try:
        write_atomically(path, b"x", mode=mode)
    finally:
        os.umask(before)

    assert mode == mode_of(path)
    assert mode_of(path.parent) == 0o700


@pytest.mark.posix("modes")
def test_wider_file_becomes_0600(tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_atomically(path, b"new")

    assert mode_of(path) == 0o600


@pytest.mark.posix("modes")
def test_temporary_file_is_private_and_not_named_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []
    real = os.rename

    def looking(source: str, target: str, **places: int) -> None:
        found = os.stat(source, dir_fd=places["src_dir_fd"])
        seen.append((source, stat.S_IMODE(found.st_mode)))
        real(source, target, **places)

    monkeypatch.setattr(os, "rename", looking)
    write_atomically(tmp_path / "token.json", b"x")
    [(name, mode)] = seen

    assert name.startswith(LEFTOVER_PREFIX)
    assert not name.endswith(".json")
    assert mode == 0o600


def flags_of(monkeypatch: pytest.MonkeyPatch, path: Path) -> int:
    """Write the file and return the flags its temporary file was opened with."""
    opened: dict[str, int] = {}
    real = os.open

    def open_it(name: str | Path, flags: int, *rest: int, **how: int) -> int:
        opened[Path(name).name] = flags
        return real(name, flags, *rest, **how)

    monkeypatch.setattr(os, "open", open_it)
    write_atomically(path, b"new")
    monkeypatch.undo()
    [flags] = [flags for name, flags in opened.items() if name.startswith(LEFTOVER_PREFIX)]
    return flags


@pytest.mark.posix("flags of open")
@pytest.mark.parametrize("flag", ["O_EXCL", "O_NOFOLLOW", "O_CREAT", "O_CLOEXEC"])
def test_temporary_file_is_opened_as_a_new_one_and_never_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    # O_EXCL alone refuses a link on local file systems; NFS before version 3 does not know it.
    assert flags_of(monkeypatch, tmp_path / "token.json") & getattr(os, flag)


@pytest.mark.posix("links and named pipes")
@pytest.mark.parametrize("kind", ["file", "link", "link into nowhere", "second name"])
def test_what_lies_where_the_temporary_file_is_to_be_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    victim, target = tmp_path / "victim", tmp_path / "aws" / "token.json"
    target.parent.mkdir(mode=0o700)
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "urandom", lambda count: b"\0" * count)
    planted = target.parent / f"{LEFTOVER_PREFIX}{'00' * 8}.tmp"
    if kind != "link into nowhere":
        victim.write_bytes(b"of the victim")
    match kind:
        case "file":
            planted.write_bytes(b"of the victim")
        case "second name":
            planted.hardlink_to(victim)
        case _:
            planted.symlink_to(victim)
    with pytest.raises(FileRefused, match="something else is there"):
        write_atomically(target, b"secret")

    assert target.read_bytes() == b"old"
    assert victim.exists() is (kind != "link into nowhere")
    assert not victim.exists() or victim.read_bytes() == b"of the victim"
    assert planted.is_symlink() or planted.read_bytes() == b"of the victim"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:7]))
    write_atomically(tmp_path / "file", b"0123456789" * 20)

    assert (tmp_path / "file").read_bytes() == b"0123456789" * 20


def test_write_that_takes_nothing_fails_instead_of_looping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda fd, data: 0)

    with pytest.raises(FileUnwritable, match="input/output"):
        write_atomically(tmp_path / "file", b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.posix("limits of a process")
def test_file_size_limit_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (777, before[1]))
    try:
        with pytest.raises(FileUnwritable, match="larger than the limit"):
            write_atomically(path, b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert path.read_bytes() == b"old"
    assert [path] == list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB and a few inodes."""
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=6,mode=0700", "none", str(disk)]
    if not is_root() or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.posix("owners and mounts")
def test_full_disk_keeps_the_old_content_and_recovers(small_disk: Path) -> None:
    path = small_disk / "file"
    write_atomically(path, b"old")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 50_000)

    with pytest.raises(FileUnwritable, match="disk is full"):
        write_atomically(path, b"n" * 30_000)
    assert path.read_bytes() == b"old"
    ballast.unlink()
    write_atomically(path, b"n" * 30_000)
    assert path.read_bytes() == b"n" * 30_000
    assert [path] == list(small_disk.iterdir())


@pytest.mark.posix("owners and mounts")
def test_disk_without_inodes_keeps_the_old_content(small_disk: Path) -> None:
    path = small_disk / "file"
    write_atomically(path, b"old")
    for number in range(4):
        (small_disk / f"ballast{number}").touch()

    with pytest.raises(FileUnwritable, match="disk is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.posix("owners and mounts")
def test_file_that_is_a_mount_point_is_refused_and_never_copied_over(
    small_disk: Path, tmp_path: Path
) -> None:
    source, path = small_disk / "source", tmp_path / "file"
    source.write_bytes(b"old")
    path.write_bytes(b"below")
    subprocess.run(["mount", "--bind", str(source), str(path)], check=True)
    try:
        with pytest.raises(FileRefused, match="mount point"):
            write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
    finally:
        subprocess.run(["umount", str(path)], check=True)
    assert list(tmp_path.glob(".credtray*")) == []


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, FileUnwritable, "disk is full"),
        (errno.EDQUOT, FileUnwritable, "quota"),
        (errno.EROFS, FileUnwritable, "read-only"),
        (errno.EACCES, FileUnwritable, "permission denied"),
        (errno.EPERM, FileUnwritable, "immutable"),
        (errno.EIO, FileUnwritable, "input/output"),
        (errno.EMFILE, FileUnwritable, "too many files"),
        (errno.EXDEV, FileRefused, "another file system"),
        (errno.ELOOP, FileRefused, "symbolic link"),
        (errno.ENOTEMPTY, FileUnwritable, "not empty"),
        (None, FileUnwritable, "unknown reason"),
    ],
)
def test_system_errors_get_a_name_a_path_and_a_reason(
    number: int | None, kind: type[Exception], words: str
) -> None:
    error = OSError(number, "vendor text") if number else OSError("vendor text")

    translated = translation(error, Path("/a/b"), "writing")

    assert type(translated) is kind
    assert f"writing {Path('/a/b')}: " in str(translated)
    assert words in str(translated).lower()


@pytest.mark.parametrize(("code", "words"), [(39, "disk is full"), (112, "disk is full"), (1295, "quota")])
def test_windows_codes_for_no_room_have_one_meaning(code: int, words: str) -> None:
    error = OSError(errno.EINVAL, "Invalid argument")
    error.winerror = code  # type: ignore[attr-defined]  # of Windows only

    assert words in str(translation(error, Path("/a/b"), "writing"))


def test_disk_with_room_for_a_part_is_full_and_not_a_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "file", os.write
    path.write_bytes(b"old")

    def write(fd: int, data: bytes) -> int:
        if len(data) < 5000:
            raise OSError(errno.ENOSPC, "no room at all")
        real(fd, data[:4096])
        raise OSError(errno.ENOENT, "what was left from before")  # as Wine's C runtime does

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(FileUnwritable, match="the disk is full"):
        write_atomically(path, b"x" * 5000)

    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_no_room_for_temporary_files_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    with (
        pytest.raises(FileUnwritable, match="no temporary directory can be made") as caught,
        ExitStack() as it,
    ):
        it.enter_context(scratch_directory("x"))

    assert "Make room" in caught.value.advice


# --- other users ------------------------------------------------------------------------------------------


@pytest.mark.posix("owners and mounts")
@gives_away
def test_directory_without_permission_is_unwritable_and_keeps_the_file(open_path: Path) -> None:
    path = open_path / "file"
    path.write_bytes(b"old")
    os.chown(path, OTHER, OTHER)

    code = """
try:
    write_atomically(Path(sys.argv[2]), b'new')
except FileUnwritable as error:
    print(error)
"""
    assert "belongs to root" in as_nobody(code, path)
    assert path.read_bytes() == b"old"


@pytest.mark.posix("owners and mounts")
@gives_away
def test_file_of_another_user_is_neither_replaced_nor_read(open_path: Path) -> None:
    path = open_path / "mine" / "file"
    path.parent.mkdir()
    path.write_bytes(b"planted")
    os.chown(path.parent, 1, 1)
    os.chown(path, 1, 1)
    path.chmod(0o666)
    path.parent.chmod(0o777)

    code = """
for act in (lambda p: write_atomically(p, b'new'), lambda p: print(read_bounded(p, 100))):
    try:
        act(Path(sys.argv[2]))
    except FileRefused as error:
        print(error)
"""
    told = as_nobody(code, path)

    assert f"{path.parent} belongs to daemon" in told
    assert f"{path} belongs to another user" in told
    assert path.read_bytes() == b"planted"


@pytest.mark.posix("owners and mounts")
@gives_away
def test_link_that_another_user_made_is_not_followed(open_path: Path) -> None:
    shared = open_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    link = shared / "credentials"
    link.symlink_to("/etc/hostname")
    os.chown(link, 1, 1, follow_symlinks=False)

    code = """
for act in (lambda p: write_atomically(p, b'new'), lambda p: print(read_bounded(p, 100))):
    try:
        act(Path(sys.argv[2]))
    except FileRefused as error:
        print(error)
"""
    assert as_nobody(code, link).count("symbolic link that belongs to another user") == 2


@pytest.mark.posix("owners and mounts")
@gives_away
def test_group_writable_directory_is_accepted_for_a_private_group_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    write_atomically(tmp_path / "file", b"x")  # root's group has root's name and no other member
    os.chown(tmp_path, -1, 1)

    with pytest.raises(FileRefused, match="others may write to the directory"):
        write_atomically(tmp_path / "file", b"y")


@pytest.mark.posix("owners and mounts")
@gives_away
def test_lock_and_state_directories_must_be_ours(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    wide = tmp_path / "wide"
    wide.mkdir(mode=0o755)

    for name in ("link", "file"):
        with pytest.raises(FileRefused, match="not a directory"):
            private_directory(tmp_path / name)
    assert mode_of(private_directory(wide)) == 0o700
    os.chown(wide, 1, 1)
    with pytest.raises(FileRefused, match="another user"):
        private_directory(wide)


# --- reading ----------------------------------------------------------------------------------------------


@pytest.mark.wine_lacks("links that other programs see")
def test_reading_gives_content_or_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")

    assert read_bounded(tmp_path / "file", 5) == b"12345"
    assert read_bounded(tmp_path / "link", 5) == b"12345"
    assert read_bounded(tmp_path / "absent", 5) is None
    assert read_bounded(tmp_path / "absent" / "deeper", 5) is None


def test_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"123456")

    with pytest.raises(FileRefused, match="larger than 5 bytes"):
        read_bounded(tmp_path / "file", 5)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(getattr(os, "mkfifo", None), marks=pytest.mark.posix("a named pipe in a folder")),
        os.mkdir,
        pytest.param(lambda path: path.symlink_to("/dev/zero"), marks=pytest.mark.posix("/dev/zero")),
    ],
)
def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "odd")

    with pytest.raises(FileRefused, match=r"not a regular file|it is a directory"):
        read_bounded(tmp_path / "odd", 100)


@pytest.mark.posix("sockets in a folder")
def test_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))

        with pytest.raises((FileRefused, FileUnwritable)):
            read_bounded(tmp_path / "s", 100)


# --- leftovers --------------------------------------------------------------------------------------------


@pytest.mark.posix("links and named pipes")
def test_only_old_temporary_files_of_ours_are_swept(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old = (now - timedelta(seconds=61)).timestamp()
    for name in (".credtray-1.tmp", ".credtray-2.tmp", "mine", ".other-1.tmp"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (old, old))
    os.utime(tmp_path / ".credtray-2.tmp")
    (tmp_path / ".credtray-dir").mkdir()
    (tmp_path / ".credtray-link").symlink_to("mine")
    if is_root():
        (tmp_path / ".credtray-theirs").touch()
        os.utime(tmp_path / ".credtray-theirs", (old, old))
        os.chown(tmp_path / ".credtray-theirs", OTHER, OTHER)

    assert sweep_leftovers(tmp_path, now) == 1
    assert not (tmp_path / ".credtray-1.tmp").exists()
    assert len(list(tmp_path.iterdir())) == (6 if is_root() else 5)


def test_sweeping_an_absent_directory_is_nothing(tmp_path: Path) -> None:
    assert sweep_leftovers(tmp_path / "absent", datetime.now(UTC)) == 0


@pytest.mark.posix("the folder of a running process is removed")
def test_process_whose_directory_was_removed_still_writes_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    write_atomically(tmp_path / "state.json", b"{}")

    assert (tmp_path / "state.json").read_bytes() == b"{}"
