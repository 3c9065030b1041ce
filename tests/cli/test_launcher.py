"""`credtray launcher` in a home of the test's own, and its entry as desktops read it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from credtray.cli.completion import offer
from credtray.desktop.login_entry.xdg import MARK, menu_entry, read_keys
from tests.cli.fake_backend import credtray
from tests.desktop.test_autostart_entry import taken_apart

pytestmark = pytest.mark.linux_desktop("the folder of applications")


@pytest.fixture
def entry(home: Path) -> Path:
    return home / ".local" / "share" / "applications" / "credtray.desktop"


def icons(home: Path) -> list[Path]:
    return [path for path in (home / ".local/share/icons").rglob("*") if path.is_file()]


def test_it_is_not_there_until_it_is_added(entry: Path) -> None:
    outcome = credtray("launcher", "status")

    assert (outcome.code, outcome.out) == (0, "credtray is not in your application menu.\n")
    assert not entry.exists()


def test_added_and_removed_it_says_so_each_time(entry: Path, home: Path) -> None:
    said = [credtray("launcher", word).out for word in ("add", "add", "status", "remove", "remove")]

    assert said == [
        f"credtray is now in your application menu: {entry}\n",
        f"credtray is already in your application menu: {entry}\n",
        f"credtray is in your application menu: {entry}\n",
        "credtray is no longer in your application menu.\n",
        "credtray was not in your application menu.\n",
    ]
    assert not entry.exists()
    assert icons(home) == []


def test_entry_starts_this_installation_with_an_icon(entry: Path, home: Path) -> None:
    status = json.loads(credtray("launcher", "add", "--json").out)
    keys = read_keys(entry.read_bytes())

    assert status["changed"] is True
    assert taken_apart(keys["Exec"]) == status["command"]
    assert status["command"][-2:] == ["start", "--clicked"]
    assert keys["Icon"] == "credtray"
    assert len(icons(home)) == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [("launcher remove", "autostart disable"), ("autostart disable", "launcher remove")],
)
def test_icon_stays_as_long_as_one_of_the_two_entries(home: Path, first: str, second: str) -> None:
    credtray("launcher", "add")
    credtray("autostart", "enable")
    credtray(*first.split())
    between = len(icons(home))
    credtray(*second.split())

    assert (between, icons(home)) == (3, [])


def test_entry_of_a_package_is_enough(entry: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = home / "usr" / "share"
    packaged = shared / "applications" / "credtray.desktop"
    packaged.parent.mkdir(parents=True)
    packaged.write_bytes(menu_entry(("/opt/credtray/bin/python", "-I", "-m", "credtray", "start"), "1"))
    monkeypatch.setenv("XDG_DATA_DIRS", f"relative:/nonexistent:{shared}")
    added, status = credtray("launcher", "add"), credtray("launcher", "status")

    assert added.out == f"credtray is already in your application menu: {packaged}\n"
    assert status.out == f"credtray is in your application menu: {packaged}\n"
    assert not entry.exists()


def test_entry_that_starts_what_has_gone_is_told_with_its_cure(entry: Path) -> None:
    entry.parent.mkdir(parents=True)
    entry.write_text(f"[Desktop Entry]\nExec=/gone/python -I\nTryExec=/gone/python\n{MARK}=0.0.1\n")
    outcome = credtray("launcher", "status")

    assert outcome.code == 4
    assert (
        outcome.err
        == "warning: it starts /gone/python, which no longer exists\nhint: credtray launcher add\n"
    )
    assert credtray("launcher", "add").code == 0
    assert credtray("launcher", "status").code == 0


def test_entry_of_somebody_else_stays(entry: Path) -> None:
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nExec=/usr/bin/other\n")
    added, removed = credtray("launcher", "add"), credtray("launcher", "remove")

    assert (added.code, removed.code) == (1, 1)
    assert added.err == (
        f"error: The application menu could not be changed: {entry} was not written by credtray\n"
        "hint: Move it away, then try again.\n"
    )
    assert entry.read_text() == "[Desktop Entry]\nExec=/usr/bin/other\n"


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="desktop-file-utils")
def test_entry_is_valid(entry: Path) -> None:
    credtray("launcher", "add")
    judged = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)

    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


def test_shell_completes_the_three_words() -> None:
    assert [each.value for each in offer(["launcher"], "").candidates] == ["add", "remove", "status"]
