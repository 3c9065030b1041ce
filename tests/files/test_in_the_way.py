"""Why a file cannot be written: the first obstacle along its path, with a cure that works."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from credtray.core.errors import CredtrayError, FileRefused, FileUnwritable
from credtray.files.atomic_file import check_writable, write_atomically
from credtray.files.in_the_way import in_the_way
from credtray.files.obstacles import InTheWay, Obstacle
from tests.systems import is_root

OTHER = 12345
_T = TypeVar("_T")
as_root = pytest.mark.skipif(not is_root(), reason="only root gives files away and mounts")
_AWS = Path(".aws")
_TOKEN = _AWS / "sso" / "cache" / "some.json"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that other users can reach, unlike the temporary directory of a test."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        home = Path(place) / "it's my home"
        (home / _TOKEN).parent.mkdir(parents=True, mode=0o700)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("USERPROFILE", str(home))
        yield home


@pytest.fixture
def undone() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def found(home: Path, path: Path = _TOKEN) -> InTheWay | None:
    return in_the_way(home / path, home)


def test_nothing_is_in_the_way_of_a_file_that_is_there_or_is_to_be_made(home: Path) -> None:
    (home / _AWS / "config").write_text("")

    assert found(home) is None
    assert found(home, _AWS / "config") is None
    assert found(home, Path(".config/credtray/settings.toml")) is None


@pytest.mark.posix("owners")
@as_root
@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(".aws/sso/cache", marks=pytest.mark.met("F13")),
        pytest.param(".aws/sso", marks=pytest.mark.met("F13")),
        pytest.param(".aws", marks=pytest.mark.met("F13")),
        pytest.param(".aws/sso/cache/some.json", marks=pytest.mark.met("F13")),
    ],
)
def test_owner_is_named_and_all_of_it_given_back(home: Path, foreign: str) -> None:
    (home / _TOKEN).write_text("{}")
    for path in (home / foreign, *(home / foreign).rglob("*")):
        os.chown(path, OTHER, OTHER)
    there = found(home)
    assert there is not None

    assert there.obstacle is Obstacle.OWNER
    assert there.about == f"the user with the number {OTHER}"
    assert there.cure == 'Run: sudo chown -R "$(id -un)" ~/.aws'
    run_cure(there, home)
    assert found(home) is None


def run_cure(there: InTheWay, home: Path) -> None:
    command = there.cure.partition("Run: ")[2].replace("sudo ", "")
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "HOME": str(home)})


@pytest.mark.posix("owners")
@as_root
def test_directory_of_root_is_refused_by_name_to_its_user(home: Path) -> None:
    """What `sudo aws sso login` leaves behind: the directory can be read and entered, not written."""
    for path in (home.parent, home, home / ".aws", home / ".aws/sso"):
        os.chown(path, OTHER, OTHER)
    (home / _TOKEN).parent.chmod(0o755)
    there = as_other(lambda: found(home))
    refused = as_other(lambda: refusal(home / _TOKEN))

    assert there is not None
    assert (there.obstacle, there.about, there.path) == (Obstacle.OWNER, "root", "~/.aws/sso/cache")
    assert refused is not None
    assert "~/.aws/sso/cache belongs to root" in str(refused)
    assert refused.advice == 'Run: sudo chown -R "$(id -un)" ~/.aws'


def as_other(look: Callable[[], _T]) -> _T:
    """Call as somebody who is not root; the way to the temporary directory is opened for that."""
    os.seteuid(OTHER)
    try:
        return look()
    finally:
        os.seteuid(0)


def refusal(path: Path) -> CredtrayError | None:
    try:
        check_writable(path, 10)
    except (FileRefused, FileUnwritable) as error:
        return error
    return None


@pytest.mark.met("F13")
def test_file_where_a_directory_should_be_is_moved_away(home: Path) -> None:
    (home / _TOKEN).parent.rmdir()
    (home / ".aws/sso").rmdir()
    (home / ".aws/sso").write_text("not a directory")
    there, refused = found(home), refusal(home / _TOKEN)
    assert there is not None
    assert refused is not None

    assert (there.obstacle, there.path) == (Obstacle.NO_DIRECTORY, "~/.aws/sso")
    assert refused.advice == there.cure
    if sys.platform == "win32":  # Wine has no PowerShell to run it
        assert there.cure == r"Move it away. Run: Move-Item $HOME\.aws\sso $HOME\.aws\sso.moved"
        (home / ".aws/sso").rename(home / ".aws/sso.moved")
    else:
        run_cure(there, home)
    assert (found(home), (home / ".aws/sso.moved").read_text()) == (None, "not a directory")


@pytest.mark.wine_lacks("links that other programs see")
@pytest.mark.met("F13")
def test_link_into_nowhere_is_named_with_where_it_leads(home: Path) -> None:
    (home / _TOKEN).parent.rmdir()
    (home / ".aws/sso").rmdir()
    (home / ".aws/sso").symlink_to("/mnt/gone")
    there, refused = found(home), refusal(home / _TOKEN)
    assert there is not None
    assert refused is not None

    assert there.text == "is a symbolic link to /mnt/gone, which does not exist"
    assert refused.advice == there.cure == "Move it away. Run: mv ~/.aws/sso ~/.aws/sso.moved"


@pytest.mark.posix("modes")
@as_root
@pytest.mark.parametrize("shut", [".aws", ".aws/sso", ".aws/sso/cache"])
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o500])
def test_own_directory_that_is_shut_is_opened_by_the_cure(home: Path, shut: str, mode: int) -> None:
    for path in (home.parent, home, *home.rglob("*")):
        os.chown(path, OTHER, OTHER)
    (home / shut).chmod(mode)
    there = as_other(lambda: found(home))
    if mode == 0o500 and shut != ".aws/sso/cache":
        assert there is None  # everything in it is there already
        return
    assert there is not None

    assert (there.obstacle, there.path) == (Obstacle.MODE, f"~/{shut}")
    run_cure(there, home)
    assert as_other(lambda: found(home)) is None


@pytest.mark.posix("mounts")
@as_root
def test_read_only_mount_and_immutable_flag_are_told(home: Path, undone: ExitStack) -> None:
    cache = (home / _TOKEN).parent
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", cache], check=False).returncode == 0:
        undone.callback(lambda: subprocess.run(["umount", cache], check=False))
        there, refused = found(home), refusal(home / _TOKEN)
        assert there is not None
        assert refused is not None

        assert there.obstacle is Obstacle.READ_ONLY
        assert "read-only" in str(refused)


@pytest.mark.posix("chattr")
@as_root
def test_immutable_token_file_is_refused_before_anything_is_written(home: Path, undone: ExitStack) -> None:
    token = home / _TOKEN
    token.write_text("{}")
    if subprocess.run(["chattr", "+i", token], check=False, capture_output=True).returncode != 0:
        pytest.skip("this file system or container knows no immutable files")
    undone.callback(lambda: subprocess.run(["chattr", "-i", token], check=False))
    there, refused = found(home), refusal(token)
    assert there is not None
    assert refused is not None

    assert there.obstacle is Obstacle.IMMUTABLE
    assert refused.advice == "Run: sudo chattr -i -a ~/.aws/sso/cache/some.json"


@pytest.mark.posix("owners")
@as_root
def test_root_in_the_home_of_another_is_sent_away(home: Path) -> None:
    for path in (home, *home.rglob("*")):
        os.chown(path, OTHER, OTHER)
    there = found(home)
    assert there is not None

    assert there.cure == f"Run it as the user with the number {OTHER}, without sudo."


@pytest.mark.posix("owners")
@as_root
def test_what_is_not_below_home_is_not_to_be_taken(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "shared" / "config"
    elsewhere.parent.mkdir()
    os.chown(elsewhere.parent, OTHER, OTHER)
    there = in_the_way(elsewhere, home)
    assert there is not None

    assert "chown" not in there.cure
    with pytest.raises(FileRefused, match="belongs to"):
        write_atomically(elsewhere, b"x")
