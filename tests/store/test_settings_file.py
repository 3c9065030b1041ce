"""settings.toml: read, refused with the reason, and edited without losing a comment."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from credtray.core.errors import FileRefused, SettingsInvalid
from credtray.core.settings import Settings
from credtray.store.settings_file import SettingsFile

COMMENTED = """\
# mine
warn_before = ["1h"]   # early

[sessions.corp]
duration = "4h"

[profiles."a.b c"]
section = "abc"  # keep
"""
HOSTILE = ("a]b", "a\nb", "a\x00b", "", "   ", "a\u2028b")


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "credtray" / "settings.toml")


def put(file: SettingsFile, text: str) -> None:
    file.path.parent.mkdir(exist_ok=True, mode=0o700)
    file.path.write_text(text)


def test_no_file_means_defaults(file: SettingsFile) -> None:
    assert file.load() == Settings()
    assert not file.path.parent.exists()


def test_settings_are_read(file: SettingsFile) -> None:
    put(file, COMMENTED)
    settings = file.load()

    assert settings.warn_before == (timedelta(hours=1),)
    assert settings.sign_in_length("corp") == timedelta(hours=4)
    assert settings.section("a.b c") == "abc"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("warn_before = 1h", "line 1"),
        ("warn_befor = []", "Did you mean warn_before"),
        ("remove_keys_at_end = 1", "must be true or false"),
        ('[profiles.dev]\nsection = "a]b"', "without ']'"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested"),
    ],
)
def test_broken_settings_name_what_is_wrong(file: SettingsFile, text: str, reason: str) -> None:
    put(file, text)
    with pytest.raises(SettingsInvalid, match=reason):
        file.load()


def test_what_is_never_closed_is_told_with_the_last_line(file: SettingsFile) -> None:
    put(file, "icon = 'dark'\nwarn_before = [")
    with pytest.raises(SettingsInvalid, match="at line 2, the end of the file"):
        file.load()


def test_settings_that_are_not_utf8_are_refused(file: SettingsFile) -> None:
    put(file, "")
    file.path.write_bytes(b"\n# \xff\n")
    with pytest.raises(SettingsInvalid, match=r"not UTF-8 text \(at line 2\); save it so"):
        file.load()


def test_settings_that_are_no_file_are_refused(file: SettingsFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(FileRefused):
        file.load()


def test_one_value_is_set_and_everything_else_stays(file: SettingsFile) -> None:
    put(file, COMMENTED)
    file.set(("profiles", "dev", "section"), "other")

    assert file.load().section("dev") == "other"
    assert file.load().section("a.b c") == "abc"
    for line in COMMENTED.splitlines():
        assert line in file.path.read_text().splitlines()


def test_names_with_dots_and_quotes_stay_whole(file: SettingsFile) -> None:
    name = 'we"ird.name [x'
    file.set(("profiles", name, "section"), "plain")

    assert dict(file.load().profiles).keys() == {name}
    assert file.load().section(name) == "plain"


def test_a_value_is_taken_out_again(file: SettingsFile) -> None:
    put(file, COMMENTED)
    file.set(("profiles", "a.b c", "section"), None)

    assert file.load().section("a.b c") == "a.b c"


@pytest.mark.parametrize("section", HOSTILE)
def test_hostile_section_name_is_refused_and_changes_nothing(file: SettingsFile, section: str) -> None:
    put(file, COMMENTED)
    with pytest.raises(SettingsInvalid):
        file.set(("profiles", "dev", "section"), section)

    assert file.path.read_text() == COMMENTED


@pytest.mark.parametrize("text", ["warn_before = [", "profiles = 3", "[profiles]\ndev = 3", "bogus = 1"])
def test_broken_file_is_not_edited(file: SettingsFile, text: str) -> None:
    put(file, text)
    with pytest.raises(SettingsInvalid):
        file.set(("profiles", "dev", "section"), "other")

    assert file.path.read_text() == text


@pytest.mark.posix("modes")
def test_new_file_is_private_and_explains_itself(file: SettingsFile) -> None:
    file.set(("profiles", "dev", "section"), "other")

    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.read_text().startswith("# credtray's settings.")


def test_taking_out_what_is_not_there_writes_no_file(file: SettingsFile) -> None:
    file.set(("profiles", "dev", "section"), None)

    assert not file.path.exists()


def test_stamp_differs_when_the_file_was_changed(file: SettingsFile) -> None:
    missing = file.stamp()
    put(file, COMMENTED)
    first = file.stamp()
    os.utime(file.path, ns=(0, 1))

    assert len({missing, first, file.stamp()}) == 3
