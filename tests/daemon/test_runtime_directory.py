from __future__ import annotations

import os
from pathlib import Path

import pytest

from credtray.core.errors import AgentRefused
from credtray.daemon.runtime_directory import prepare_runtime_directory

pytestmark = pytest.mark.posix("owners and modes")

NOBODY = 65534


def test_missing_directories_are_made_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    prepare_runtime_directory(tmp_path / "above" / "run")
    os.umask(before)

    assert (tmp_path / "above" / "run").stat().st_mode & 0o777 == 0o700


def test_directory_of_ours_is_taken_again(tmp_path: Path) -> None:
    prepare_runtime_directory(tmp_path / "run")
    prepare_runtime_directory(tmp_path / "run")


def test_link_is_refused_even_to_a_directory_of_ours(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(AgentRefused, match="symbolic link"):
        prepare_runtime_directory(tmp_path / "run")


@pytest.mark.parametrize("target", ["nowhere", "a file"])
def test_link_to_no_directory_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "run").symlink_to(tmp_path / target)
    with pytest.raises(AgentRefused):
        prepare_runtime_directory(tmp_path / "run")


def test_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").touch(mode=0o700)
    with pytest.raises(AgentRefused, match="not a directory"):
        prepare_runtime_directory(tmp_path / "run")


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o777])
def test_directory_open_to_others_is_refused_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(mode)
    with pytest.raises(AgentRefused, match=f"{mode:04o}") as caught:
        prepare_runtime_directory(tmp_path / "run")

    assert "chmod 700" in caught.value.advice
    assert (tmp_path / "run").stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    os.chown(tmp_path / "run", NOBODY, NOBODY)
    with pytest.raises(AgentRefused, match=f"belongs to user {NOBODY}"):
        prepare_runtime_directory(tmp_path / "run")


def test_directory_that_cannot_be_made_is_refused_with_the_reason() -> None:
    with pytest.raises(AgentRefused, match="cannot be created"):
        prepare_runtime_directory(Path("/proc/credtray/run"))
