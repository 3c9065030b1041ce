"""A shortcut in the Start menu, written and read by Windows' own shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from credtray.core.errors import LauncherRefused
from credtray.desktop.application_menu import ApplicationMenu
from credtray.desktop.autostart import Outcome
from credtray.desktop.login_entry.start_menu import (
    Shortcut,
    StartMenuEntry,
    programs_folder,
    read_shortcut,
    write_shortcut,
)

pytestmark = pytest.mark.windows

OTHER = Shortcut(r"C:\windows\system32\notepad.exe", "start", "")


def menu(folder: Path, python: Path) -> ApplicationMenu:
    """Return the menu in that folder, with the command of an installation in another one."""
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    command = (str(python), "-I", "-m", "credtray", "start", "--clicked")
    return ApplicationMenu(command, StartMenuEntry(folder))


def test_shortcut_says_what_was_written(tmp_path: Path) -> None:
    wanted = Shortcut(r"C:\Users\Zoë Smith\my apps\pythonw.exe", r'-I "C:\a b\x.py" start', r"C:\a b\x.ico")
    write_shortcut(tmp_path / "x.lnk", wanted)

    assert read_shortcut(tmp_path / "x.lnk") == wanted


def test_words_of_the_shortcut_are_those_of_the_command(tmp_path: Path) -> None:
    door = r"C:\apps\credtray\__main__.py"
    command = (r"C:\a b\pythonw.exe", "-I", door, "start", "--clicked")
    entry = StartMenuEntry(tmp_path)
    entry.write(entry.content(command))
    found = entry.found()

    assert found is not None
    assert (found.words, found.starts, found.ours) == (command, entry.starts(command), True)


def test_added_twice_and_removed_twice(tmp_path: Path) -> None:
    entry = menu(tmp_path / "Start Menu" / "Programs", tmp_path / "Zoë's apps" / "pythonw.exe")
    added = [entry.add(), entry.add()]
    status = entry.status()
    removed = [entry.remove(), entry.remove()]

    assert added == removed == [Outcome.CHANGED, Outcome.ALREADY]
    assert (status.enabled, status.stale, status.remark) == (True, None, None)
    assert list((tmp_path / "Start Menu" / "Programs").iterdir()) == []


def test_shortcut_to_another_installation_is_told_and_replaced(tmp_path: Path) -> None:
    menu(tmp_path, tmp_path / "old" / "pythonw.exe").add()
    entry = menu(tmp_path, tmp_path / "new" / "pythonw.exe")
    stale = entry.status()

    assert "does not start this installation" in (stale.stale or "")
    assert stale.cure == "credtray launcher add"
    assert entry.add() is Outcome.CHANGED
    assert entry.status().stale is None


def test_shortcut_of_somebody_else_stays(tmp_path: Path) -> None:
    write_shortcut(tmp_path / "credtray.lnk", OTHER)
    entry = menu(tmp_path, tmp_path / "pythonw.exe")
    for change in (entry.add, entry.remove):
        with pytest.raises(LauncherRefused, match="was not written by credtray"):
            change()

    assert read_shortcut(tmp_path / "credtray.lnk") == OTHER


def test_file_that_is_no_shortcut_is_refused(tmp_path: Path) -> None:
    (tmp_path / "credtray.lnk").write_bytes(b"no shortcut")
    with pytest.raises(LauncherRefused):
        menu(tmp_path, tmp_path / "pythonw.exe").add()


def test_folder_is_this_users(tmp_path: Path) -> None:
    below = Path("Microsoft", "Windows", "Start Menu", "Programs")

    assert programs_folder({"APPDATA": str(tmp_path)}, Path("nowhere")) == tmp_path / below
    assert programs_folder({}, tmp_path) == tmp_path / "AppData" / "Roaming" / below
