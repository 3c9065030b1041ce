"""Token files: private, one for each profile and port, gone when they are not worth anything."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from credtray.core.errors import FileRefused
from credtray.core.models import Secret
from credtray.core.ports import EndpointMemory
from credtray.store.state_files import EndpointTokens

TOKEN = Secret("dG9rZW4")
MEMORY = EndpointMemory(20123, frozenset({"dev", "my prof"}), frozenset({"prod"}))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "endpoint"


@pytest.fixture
def tokens(directory: Path) -> EndpointTokens:
    return EndpointTokens(directory)


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_what_was_saved_is_remembered(tokens: EndpointTokens) -> None:
    tokens.save(MEMORY)

    assert tokens.load() == MEMORY


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"port": 0}', b'{"port": "x"}', b'{"version": 2, "port": 1}', b"\xff"]
)
def test_a_document_that_says_nothing_is_forgotten(
    tokens: EndpointTokens, directory: Path, content: bytes
) -> None:
    tokens.save(MEMORY)
    (directory / "endpoint.json").write_bytes(content)

    assert tokens.load() == EndpointMemory()


def test_nothing_is_made_by_looking(tokens: EndpointTokens, directory: Path) -> None:
    tokens.load()
    tokens.clear(None)
    tokens.remove(20123, "dev")

    assert not directory.exists()


@pytest.mark.posix("modes")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_token_is_for_its_owner_alone_and_has_no_line_end(
    tokens: EndpointTokens, directory: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        tokens.save(MEMORY)
        tokens.write(20123, "dev", TOKEN)
    finally:
        os.umask(before)
    path = Path(tokens.path(20123, "dev"))

    assert path.read_bytes() == b"dG9rZW4"
    assert {stat.S_IMODE(each.stat().st_mode) for each in directory.rglob("*") if each.is_file()} == {0o600}
    inside = [each for each in directory.rglob("*") if each.is_dir()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in (directory, *inside)} == {0o700}


@pytest.mark.posix("modes")
def test_directory_that_others_could_look_into_is_closed(tokens: EndpointTokens, directory: Path) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    tokens.write(20123, "dev", TOKEN)

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.wine_lacks("links that other programs see")
def test_directory_that_is_a_link_is_refused(tokens: EndpointTokens, directory: Path, tmp_path: Path) -> None:
    directory.parent.mkdir()
    directory.symlink_to(tmp_path)
    with pytest.raises(FileRefused):
        tokens.write(20123, "dev", TOKEN)


@pytest.mark.parametrize("name", ["a/b", "..", "ä" * 255, "a\nb", "\ud800", "CON", "x" * 4000])
def test_every_name_has_a_file_of_its_own(tokens: EndpointTokens, directory: Path, name: str) -> None:
    tokens.write(20123, name, TOKEN)

    assert Path(tokens.path(20123, name)).is_file()
    assert Path(tokens.path(20123, name)).is_relative_to(directory)
    assert tokens.path(20123, name) != tokens.path(20123, f"{name}.")
    assert tokens.path(20123, name) != tokens.path(20124, name)


def test_directory_stays_the_same_when_the_token_is_renewed(tokens: EndpointTokens) -> None:
    tokens.write(20123, "dev", TOKEN)
    mounted = Path(tokens.path(20123, "dev")).parent
    before = mounted.stat().st_ino
    tokens.clear(20123)
    tokens.write(20123, "dev", Secret("bmV3"))

    assert mounted.stat().st_ino == before
    assert (mounted / "token").read_text() == "bmV3"


def test_removed_token_leaves_nothing_and_others_stay(tokens: EndpointTokens, directory: Path) -> None:
    tokens.write(20123, "dev", TOKEN)
    tokens.write(20123, "prod", TOKEN)
    tokens.remove(20123, "dev")

    assert not Path(tokens.path(20123, "dev")).parent.exists()
    assert Path(tokens.path(20123, "prod")).exists()
    tokens.remove(20123, "prod")
    assert files(directory) == []


def test_clearing_takes_all_tokens_of_all_ports_and_what_a_crash_left(
    tokens: EndpointTokens, directory: Path
) -> None:
    tokens.save(MEMORY)
    for port in (20123, 20124):
        tokens.write(port, "dev", TOKEN)
    left = Path(tokens.path(20124, "dev")).with_name(".credtray-0123.tmp")
    left.write_text("half a token")
    tokens.clear(20123)

    kept = Path(tokens.path(20123, "dev")).parent
    assert files(directory) == ["20123", str(Path("20123", kept.name)), "endpoint.json"]


def test_clearing_touches_nothing_that_is_not_ours(tokens: EndpointTokens, directory: Path) -> None:
    theirs = directory / "20124" / "notes"
    theirs.mkdir(parents=True)
    (theirs / "token").write_text("theirs")
    (directory / "token").write_text("theirs")
    tokens.clear(None)

    assert (theirs / "token").read_text() == "theirs"
    assert (directory / "token").exists()
