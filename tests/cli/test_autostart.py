"""`credtray autostart` in a home of the test's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credtray.cli.completion import offer
from credtray.desktop.login_entry.xdg import MARK
from tests.cli.fake_backend import credtray

IN_MENU = "credtray is now in your application menu: {}\n"


def menu(entry: Path) -> Path:
    """Return the entry of the menu in the same home."""
    return entry.parents[2] / ".local" / "share" / "applications" / "credtray.desktop"


@pytest.fixture
def entry(home: Path) -> Path:
    return home / ".config" / "autostart" / "credtray.desktop"


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_it_is_off_until_it_is_enabled(entry: Path) -> None:
    outcome = credtray("autostart", "status")

    assert (outcome.code, outcome.out, outcome.err) == (0, "credtray does not start at login.\n", "")
    assert not entry.exists()


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_enabled_once_or_twice_it_starts_at_login(entry: Path) -> None:
    first, second, status = (credtray("autostart", word) for word in ("enable", "enable", "status"))

    assert first.out == f"credtray will start at login: {entry}\n{IN_MENU.format(menu(entry))}"
    assert second.out == f"credtray already starts at login: {entry}\n"
    assert status.out == f"credtray starts at login: {entry}\n"
    assert {outcome.code for outcome in (first, second, status)} == {0}
    assert {outcome.err for outcome in (first, second, status)} == {""}


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_disabled_once_or_twice_it_does_not(entry: Path) -> None:
    credtray("autostart", "enable")
    first, second = (credtray("autostart", "disable") for _ in range(2))

    stays = "It stays in your application menu. Remove it: credtray launcher remove\n"
    assert (first.code, first.out) == (0, f"credtray no longer starts at login.\n{stays}")
    assert (second.code, second.out) == (0, f"credtray was not set to start at login.\n{stays}")
    assert not entry.exists()


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_disabled_without_an_entry_in_the_menu_it_says_nothing_of_it() -> None:
    credtray("autostart", "enable")
    credtray("launcher", "remove")

    assert credtray("autostart", "disable").out == "credtray no longer starts at login.\n"


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_menu_that_cannot_be_written_is_a_warning(entry: Path) -> None:
    menu(entry).parent.mkdir(parents=True)
    menu(entry).write_text("[Desktop Entry]\nExec=/usr/bin/other\n")
    outcome = credtray("autostart", "enable")

    assert (outcome.code, outcome.out) == (0, f"credtray will start at login: {entry}\n")
    assert outcome.err.startswith("warning: The application menu could not be changed: ")


@pytest.mark.parametrize("action", ["disable", "status"])
def test_now_goes_with_enable_only(action: str, entry: Path) -> None:
    outcome = credtray("autostart", action, "--now")

    assert outcome.code == 2
    assert outcome.err.endswith("hint: credtray autostart enable --now\n")


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_json_tells_place_and_command(entry: Path) -> None:
    enabled = json.loads(credtray("autostart", "enable", "--json").out)
    status = json.loads(credtray("autostart", "status", "--json").out)

    assert enabled == {**status, "changed": True}
    assert status["command"][1:] == ["-I", "-m", "credtray", "run"]
    assert {key: value for key, value in status.items() if key != "command"} == {
        "enabled": True,
        "place": str(entry),
        "stale": None,
        "remark": None,
        "cure": None,
    }


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_stale_entry_is_a_warning_with_its_cure_and_ends_with_4(entry: Path) -> None:
    entry.parent.mkdir(parents=True)
    entry.write_text(f"[Desktop Entry]\nExec=/gone/python -I\nTryExec=/gone/python\n{MARK}=0.0.1\n")
    outcome = credtray("autostart", "status")

    assert (outcome.code, outcome.out) == (4, f"credtray starts at login: {entry}\n")
    assert outcome.err == (
        "warning: it starts /gone/python, which no longer exists\nhint: credtray autostart enable\n"
    )
    assert json.loads(credtray("autostart", "status", "--json").out)["stale"].startswith("it starts /gone/")
    assert credtray("autostart", "enable").code == 0
    assert credtray("autostart", "status").code == 0


@pytest.mark.linux_desktop("the autostart folder of a desktop")
def test_entry_of_somebody_else_is_refused_and_told(entry: Path) -> None:
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nExec=/usr/bin/other\n")
    enabled, status = credtray("autostart", "enable"), credtray("autostart", "status")
    why = f"{entry} was not written by credtray"

    assert (enabled.code, enabled.out) == (1, "")
    assert enabled.err == (
        f"error: Starting at login could not be changed: {why}\nhint: Move it away, then try again.\n"
    )
    assert (status.code, status.err) == (0, f"warning: {why}\nhint: Move it away, then try again.\n")
    assert status.out == "credtray does not start at login.\n"


def test_unknown_word_is_a_wrong_word() -> None:
    outcome = credtray("autostart", "on")

    assert outcome.code == 2
    assert "'on' is not one of 'enable', 'disable', 'status'" in outcome.err


def test_shell_completes_the_three_words() -> None:
    offered = offer(["autostart"], "").candidates

    assert [each.value for each in offered] == ["enable", "disable", "status"]
