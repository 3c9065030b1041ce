"""Where a policy is taken from: only where an administrator alone can have written it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credtray.core.errors import SettingLocked, SettingsInvalid
from credtray.core.settings import Settings
from credtray.environment import Environment
from credtray.store import organisation
from credtray.store.organisation import LIMIT, FilePolicy, said_by_toml
from credtray.store.settings_file import SettingsFile

pytestmark = pytest.mark.posix("files with an owner and a mode")

POLICY = "history = false\nconfirm_production = true\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    path = folder / "policy.toml"
    put(path, POLICY)
    return path


def put(path: Path, text: str, mode: int = 0o644) -> None:
    path.write_text(text)
    path.chmod(mode)


def policy(place: Path) -> FilePolicy:
    return FilePolicy((place,), said_by_toml, os.geteuid())


def file(place: Path, tmp_path: Path, text: str = "") -> SettingsFile:
    path = tmp_path / "own" / "settings.toml"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    return SettingsFile(path, policy=policy(place))


def test_a_file_that_its_owner_alone_can_write_is_taken(place: Path) -> None:
    locked = policy(place).read()

    assert (locked.names, locked.places) == (("history", "confirm_production"), (str(place),))
    assert not locked.mistakes


def test_no_file_and_no_folder_are_no_policy_and_no_mistake(tmp_path: Path) -> None:
    for path in (tmp_path / "policy.toml", tmp_path / "none" / "policy.toml"):
        locked = policy(path).read()

        assert (locked.names, locked.places, locked.mistakes) == ((), (), ())


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_is_not_taken(place: Path, mode: int) -> None:
    place.chmod(mode)
    locked = policy(place).read()

    assert not locked.names
    assert f"others than root can write to {place}" in locked.mistakes[0]


def test_a_folder_that_others_can_write_to_is_not_trusted(place: Path) -> None:
    place.parent.chmod(0o777)
    locked = policy(place).read()

    assert not locked.names
    assert str(place.parent) in locked.mistakes[0]


def test_a_file_of_somebody_else_is_not_taken(place: Path) -> None:
    locked = FilePolicy((place,), said_by_toml, os.geteuid() + 1).read()

    assert not locked.names
    assert "does not belong to root" in locked.mistakes[0]


def test_a_link_is_judged_by_where_it_leads(place: Path) -> None:
    elsewhere = place.with_name("elsewhere.toml")
    put(elsewhere, POLICY, 0o666)
    place.unlink()
    place.symlink_to(elsewhere)

    assert not policy(place).read().names
    elsewhere.chmod(0o644)
    assert policy(place).read().names


def test_what_is_no_file_is_told(place: Path) -> None:
    place.unlink()
    os.mkfifo(place, 0o644)
    fifo = policy(place).read().mistakes
    place.unlink()
    place.mkdir()
    folder = policy(place).read().mistakes
    place.rmdir()
    place.symlink_to(place.with_name("nowhere"))
    nowhere = policy(place).read().mistakes
    place.unlink()
    place.symlink_to(place)
    circle = policy(place).read().mistakes

    assert [len(each) for each in (fifo, folder, nowhere, circle)] == [1] * 4


def test_a_file_of_ten_megabytes_is_told_and_costs_nothing(place: Path, tmp_path: Path) -> None:
    put(place, "# " + "x" * 10_000_000)
    found = file(place, tmp_path, 'icon = "dark"')

    assert found.load().icon == "dark"
    assert f"larger than {LIMIT} bytes" in found.locked().mistakes[0]


def test_nothing_in_the_environment_leads_elsewhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Environment().policy
    for name in ("XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "HOME", "CREDTRAY_POLICY", "USER", "LOGNAME"):
        monkeypatch.setenv(name, str(place.parent))

    assert Environment().policy == before
    assert organisation.machine_policy() == before


# --- the settings file beneath it ----------------------------------------------------------------------


def test_settings_are_those_of_the_policy_where_it_has_some(place: Path, tmp_path: Path) -> None:
    found = file(place, tmp_path, 'history = true\nicon = "dark"').load()

    assert (found.history, found.confirm_production, found.icon) == (False, True, "dark")


def test_a_broken_settings_file_does_not_get_around_it(place: Path, tmp_path: Path) -> None:
    broken = file(place, tmp_path, "history = ")

    with pytest.raises(SettingsInvalid):
        broken.load()
    assert not broken.enforced().history


def test_a_change_of_the_policy_is_seen_as_one_of_the_settings(place: Path, tmp_path: Path) -> None:
    settings = file(place, tmp_path)
    stamps = {settings.stamp()}
    put(place, POLICY.replace("false", "true"))
    stamps.add(settings.stamp())
    place.chmod(0o666)
    stamps.add(settings.stamp())
    place.unlink()
    stamps.add(settings.stamp())

    assert len(stamps) == 4
    assert settings.load() == Settings()
    assert place in settings.files


def test_a_locked_setting_is_neither_set_nor_unset(place: Path, tmp_path: Path) -> None:
    settings = file(place, tmp_path, "history = true\n")

    for value in (True, False, None):
        with pytest.raises(SettingLocked):
            settings.set(("history",), value)
    settings.set(("icon",), "dark")
    assert "history = true" in settings.text()
    assert 'icon = "dark"' in settings.text()


def test_neither_an_editor_nor_undo_changes_what_is_locked(place: Path, tmp_path: Path) -> None:
    settings = file(place, tmp_path, "# mine\n")
    settings.set(("icon",), "dark")
    before = settings.text()

    with pytest.raises(SettingLocked):
        settings.take_over(before, "history = true\n")
    settings.take_over(before, "# nothing\n")
    settings.undo()
    assert settings.text() == before
    put(place, 'icon = "light"\n')
    with pytest.raises(SettingLocked):
        settings.undo()
    assert settings.text() == before


def test_a_broken_file_can_be_put_in_order_although_it_sets_what_is_locked(
    place: Path, tmp_path: Path
) -> None:
    settings = file(place, tmp_path, "history = true\nicon =")
    settings.take_over("history = true\nicon =", "history = true\n")

    assert not settings.load().history


def test_mistakes_and_locks_are_logged_once(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "credtray")
    put(place, f"{POLICY}histori = 1\n")
    wrong = "histori is not a setting. Did you mean history?"
    settings = file(place, tmp_path)
    for _ in range(3):
        settings.load()
    place.unlink()
    settings.load()

    assert [record.message for record in caplog.records] == [
        f"your organisation sets history, confirm_production: {place}",
        f"a mistake in the policy of your organisation: {place}: {wrong}",
        "your organisation no longer sets anything",
    ]
