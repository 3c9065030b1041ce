"""The real credentials file, broken in ways people break it, and repaired: the next answer knows of it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from credtray.core import protocol
from credtray.core.protocol import Done
from tests.as_json import result
from tests.aws.file_fakes import credentials_file
from tests.daemon.fakes import Daemon, run

GOOD = b"[other]\naws_access_key_id = AKIAMINE\naws_secret_access_key = x\n"
BROKEN = b"[other\naws_access_key_id = AKIAMINE\n"


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)


def _broken_text(path: Path) -> Callable[[], None]:
    _write(path, BROKEN)
    return lambda: _write(path, GOOD)


def _same_time(path: Path) -> Callable[[], None]:
    _write(path, BROKEN)
    before = path.stat()

    def repair() -> None:
        _write(path, GOOD)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return repair


def _open_directory(path: Path) -> Callable[[], None]:
    path.parent.chmod(0o777)
    return lambda: path.parent.chmod(0o700)


def _directory_in_its_place(path: Path) -> Callable[[], None]:
    path.unlink()
    path.mkdir()

    def repair() -> None:
        path.rmdir()
        _write(path, GOOD)

    return repair


def _link_to_a_broken_one(path: Path) -> Callable[[], None]:
    bad, good = path.parent / "bad", path.parent / "good"
    _write(bad, BROKEN)
    _write(good, GOOD)
    path.unlink()
    path.symlink_to(bad)

    def repair() -> None:
        path.unlink()
        path.symlink_to(good)

    return repair


def _directory_made_anew(path: Path) -> Callable[[], None]:
    _write(path, BROKEN)

    def repair() -> None:
        shutil.rmtree(path.parent)
        path.parent.mkdir(mode=0o700)
        _write(path, GOOD)

    return repair


@pytest.mark.met("M8")
@pytest.mark.parametrize(
    "broken",
    [
        _broken_text,
        _same_time,
        pytest.param(_open_directory, marks=pytest.mark.posix("modes")),
        _directory_in_its_place,
        pytest.param(_link_to_a_broken_one, marks=pytest.mark.wine_lacks("links that other programs see")),
        _directory_made_anew,
    ],
)
def test_whoever_repairs_it_is_told_so_by_the_next_status(
    broken: Callable[[Path], Callable[[], None]], tmp_path: Path
) -> None:
    async def drive() -> None:
        path = tmp_path / "aws" / "credentials"
        path.parent.mkdir(mode=0o700)
        _write(path, GOOD)
        daemon = await Daemon(credentials_file=credentials_file(path)).started()
        await daemon.ask(protocol.Login("corp"))
        repair = broken(path)
        await daemon.ask(protocol.Activate(("dev",)))
        await asyncio.sleep(100)
        assert daemon.state.file.trouble is not None
        repair()
        await asyncio.sleep(1)
        reply = await daemon.ask(protocol.Status())

        assert isinstance(reply, Done)
        assert result(reply)["credentials_file"] is None
        assert b"[dev]" in path.read_bytes()

    run(drive())
