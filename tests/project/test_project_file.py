"""The file of a project: what it may say, where it is, and that nothing counts before a person agreed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import CredtrayError, FileRefused, UsageError
from credtray.project import project_file
from credtray.project.project_file import NAME, Project, Trust, find, read, trusted, working_directory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "work" / "dns"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path / "state")


def written(folder: Path, text: str = 'profile = "synderys-dns"\n') -> Project:
    (folder / NAME).write_text(text, encoding="utf-8")
    return read(folder / NAME)


# --- what it says -----------------------------------------------------------------------------------


def test_it_names_a_profile_and_may_name_a_region(folder: Path) -> None:
    assert written(folder).profile == "synderys-dns"
    assert written(folder).region is None
    assert written(folder, 'profile = "a b"\nregion = "eu-west-1"\n').region == "eu-west-1"
    assert written(folder, '\ufeffprofile = "größe"\n').profile == "größe"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it needs a line such as profile ="),
        ("profile = 7", "it needs a line such as profile ="),
        ('profile = " "', "it needs a line such as profile ="),
        ('profile = "a\\u001b[31m"', "it needs a line such as profile ="),
        ('profile = "a\\nb"', "it needs a line such as profile ="),
        ('profile = "."', "cannot be the name of a profile"),
        (f'profile = "{"x" * 501}"', "cannot be the name of a profile"),
        ('profil = "x"', '"profil" is not known there. Did you mean profile?'),
        ('profile = "x"\nregion = 1', "a region is written like this"),
        ('profile = "x"\nregion = "a.evil.example"', "is not a region name"),
        ('profile = "x"\n[env]\nPATH = "/tmp"', '"env" is not known there'),
        ('profile = "x', "it is not TOML"),
        ("[" * 20_000, "it is not TOML"),
        ("\udcff", "it is not UTF-8"),
    ],
)
def test_anything_else_is_refused_with_the_reason(folder: Path, text: str, said: str) -> None:
    (folder / NAME).write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(CredtrayError) as caught:
        read(folder / NAME)

    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"profile = {text}".encode()))
def test_no_content_ends_in_anything_but_a_clear_error(data: bytes) -> None:
    path = Path.home() / NAME
    path.write_bytes(data)
    refusal = ""
    try:
        said = read(path).profile
    except CredtrayError as error:
        said = refusal = f"{error} {error.advice}"

    assert said.isprintable()
    assert refusal or said.strip()


def test_a_long_one_and_one_that_is_no_file_are_refused(folder: Path) -> None:
    (folder / NAME).write_text("#" * (project_file.MAX_BYTES + 1))
    with pytest.raises(FileRefused):
        read(folder / NAME)
    (folder / NAME).unlink()
    (folder / NAME).mkdir()
    with pytest.raises(CredtrayError):
        read(folder / NAME)


@pytest.mark.posix("named pipes")
def test_a_named_pipe_holds_nobody_up(folder: Path) -> None:
    os.mkfifo(folder / NAME)

    with pytest.raises(FileRefused):
        read(folder / NAME)


# --- where it is ------------------------------------------------------------------------------------


def test_the_nearest_one_counts(folder: Path) -> None:
    outer = folder.parent / NAME
    outer.write_text('profile = "outer"\n')
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)

    assert find(deep) == outer
    assert find(folder.parent) == outer
    (folder / NAME).write_text('profile = "inner"\n')
    assert find(deep) == folder / NAME
    assert find(None) is None


@pytest.mark.posix("symbolic links for everybody")
def test_below_a_link_a_project_is_what_a_person_sees_above(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "disk" / "checkout"
    elsewhere.mkdir(parents=True)
    (folder / "link").symlink_to(elsewhere)
    monkeypatch.chdir(folder / "link")

    assert working_directory({"PWD": str(folder / "link")}) == folder / "link"
    assert working_directory({"PWD": str(folder)}) == elsewhere, "the shell's name is of another directory"
    assert working_directory({"PWD": "link"}) == elsewhere
    assert working_directory({}) == elsewhere


@pytest.mark.posix("a working directory that can be removed")
def test_a_directory_that_is_gone_belongs_to_no_project(
    folder: Path, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert working_directory({"PWD": str(folder)}) is None
    with pytest.raises(UsageError, match="Name a profile"):
        trusted(working_directory({}), trust)


# --- trust ------------------------------------------------------------------------------------------


def test_nothing_counts_before_a_person_agreed(folder: Path, trust: Trust) -> None:
    project = written(folder)
    with pytest.raises(UsageError, match="is not trusted"):
        trusted(folder, trust)

    trust.give(project)

    assert trusted(folder, trust) == project
    assert trust.places() == [project.path]


def test_what_was_agreed_to_is_this_content(folder: Path, trust: Trust) -> None:
    trust.give(written(folder))
    written(folder, 'profile = "synderys-security"\n')

    with pytest.raises(
        UsageError, match=r"has changed since you trusted it, so its profile .synderys-security. is"
    ):
        trusted(folder, trust)

    assert written(folder).profile == trusted(folder, trust).profile, "the former content is still agreed to"


def test_what_was_agreed_to_is_this_place(folder: Path, trust: Trust) -> None:
    trust.give(written(folder))
    other = folder.parent / "copy"
    other.mkdir()
    written(other)

    with pytest.raises(UsageError, match="is not trusted"):
        trusted(other, trust)


@pytest.mark.posix("symbolic links for everybody")
def test_a_link_to_a_trusted_folder_is_that_folder(folder: Path, trust: Trust) -> None:
    trust.give(written(folder))
    link = folder.parent / "link"
    link.symlink_to(folder)

    assert trusted(link, trust).path == (folder / NAME).resolve()


def test_trust_can_be_taken_back_and_taking_back_twice_says_so(folder: Path, trust: Trust) -> None:
    project = written(folder)
    trust.give(project)

    assert trust.take_back(project.path) is True
    assert trust.take_back(project.path) is False
    assert not trust.holds(project)
    assert trust.places() == []


def test_entries_that_cannot_be_read_are_no_trust(folder: Path, trust: Trust) -> None:
    project = written(folder)
    trust.give(project)
    [entry] = trust.directory.iterdir()
    for data in (b"", b"{", b"[]", b'{"path": 1}', b"x" * 20_000):
        entry.write_bytes(data)

        assert not trust.holds(project)
        assert trust.places() == []
    trust.give(project)
    assert trust.holds(project)


@pytest.mark.posix("modes of files")
def test_what_is_trusted_is_for_the_users_eyes(folder: Path, trust: Trust) -> None:
    trust.give(written(folder))
    [entry] = trust.directory.iterdir()

    assert entry.stat().st_mode & 0o777 == 0o600
    assert trust.directory.stat().st_mode & 0o777 == 0o700
