"""File systems that keep no modes: known by their mount, used all the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from credtray.files import directory_safety
from credtray.files.directory_safety import check_directory, private_directory
from credtray.files.in_the_way import keeps_modes, unsupported

WSL = (
    rb"C:\134 /mnt/c 9p rw,aname=drvfs;path=C:\134;uid=1000;gid=1000;symlinkroot=/mnt/,mmap 0 0",
    rb"C:\134 /mnt/c 9p rw,noatime,aname=drvfs;path=C:\134;uid=1000;metadata;symlinkroot=/mnt/,mmap 0 0",
    b"none /mnt/c drvfs rw,noatime,uid=1000,gid=1000 0 0",
    b"none /mnt/c drvfs rw,noatime,uid=1000,metadata 0 0",
)


def mounts(*lines: bytes) -> bytes:
    return b"\n".join((b"/dev/sda1 / ext4 rw,relatime 0 0", b"tmpfs /tmp tmpfs rw 0 0", *lines)) + b"\n"


@pytest.mark.posix("mounts and modes")
@pytest.mark.parametrize(
    ("line", "kept"),
    [
        pytest.param(WSL[0], False, marks=pytest.mark.met("F22"), id="9p of WSL 2"),
        pytest.param(WSL[1], True, marks=pytest.mark.met("F22"), id="9p of WSL 2 with metadata"),
        pytest.param(WSL[2], False, marks=pytest.mark.met("F22"), id="drvfs of WSL 1"),
        pytest.param(WSL[3], True, marks=pytest.mark.met("F22"), id="drvfs of WSL 1 with metadata"),
        pytest.param(b"share /mnt/c vboxsf rw,nodev,relatime 0 0", False, marks=pytest.mark.met("F22")),
        pytest.param(
            b"//nas/u /mnt/c cifs rw,vers=3.0,uid=1000,file_mode=0777 0 0",
            False,
            marks=pytest.mark.met("F22"),
        ),
        pytest.param(b"//nas/u /mnt/c cifs rw,modefromsid,cifsacl 0 0", True, marks=pytest.mark.met("F22")),
        pytest.param(b"/dev/sdb1 /mnt/c vfat rw,fmask=0022 0 0", False, marks=pytest.mark.met("F22")),
        pytest.param(b"/dev/sdb1 /mnt/c exfat rw 0 0", False, marks=pytest.mark.met("F22")),
        pytest.param(
            b"/dev/sdb1 /mnt/c fuseblk rw,user_id=0,allow_other 0 0", False, marks=pytest.mark.met("F22")
        ),
        pytest.param(
            b"vmhgfs-fuse /mnt/c fuse.vmhgfs-fuse rw,allow_other 0 0", False, marks=pytest.mark.met("F22")
        ),
        pytest.param(b"nas:/u /mnt/c nfs4 rw,vers=4.2 0 0", True),
        pytest.param(b"/dev/sdb1 /mnt/c btrfs rw 0 0", True),
        pytest.param(b"x /mnt/c fuse.sshfs rw,user_id=1000 0 0", True),
    ],
)
def test_mount_tells_whether_modes_are_kept(line: bytes, *, kept: bool) -> None:
    for place in ("/mnt/c", "/mnt/c/Users/u/.aws/credentials"):
        assert keeps_modes(Path(place), lambda: mounts(line)) is kept
    assert keeps_modes(Path("/mnt/cd"), lambda: mounts(line))
    assert keeps_modes(Path("/home/u/.aws"), lambda: mounts(line))


@pytest.mark.posix("mounts and modes")
def test_mount_on_top_and_names_with_blanks_count() -> None:
    there = mounts(rb"x /mnt/my\040drive vfat rw 0 0", b"y /srv vfat rw 0 0", b"z /srv ext4 rw 0 0")

    assert not keeps_modes(Path("/mnt/my drive/x"), lambda: there)
    assert keeps_modes(Path("/srv/x"), lambda: there)
    assert keeps_modes(Path("/x"), lambda: b"nonsense\n\n")


@pytest.mark.met("F22")
@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP])
def test_mode_that_cannot_be_set_is_no_failure(number: int) -> None:
    with unsupported():
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EROFS])
def test_other_refusals_stay(number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)), unsupported():
        raise OSError(number, os.strerror(number))


@pytest.mark.met("F22")
def test_directory_that_shows_0777_is_accepted_where_modes_mean_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(directory_safety, "keeps_modes", lambda _path: False)

    check_directory(tmp_path, tmp_path.stat())
    assert private_directory(tmp_path) == tmp_path
