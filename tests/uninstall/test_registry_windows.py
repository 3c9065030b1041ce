"""What uninstalling leaves in the registry of Windows, and in the Start menu: nothing of credtray."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from credtray.desktop.application_menu import ApplicationMenu
from credtray.desktop.autostart import Autostart
from credtray.desktop.login_entry.windows import RUN
from tests.uninstall.homes import differences, lay_traces, snapshot, uninstalled

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

import winreg  # noqa: E402 -- there is none elsewhere

APP = r"Software\Classes\AppUserModelId\credtray"
OTHER = r"Software\Classes\AppUserModelId\credtray-tests"


def values(key: str) -> list[str] | None:
    """Return the names of a key's values; None: there is no such key."""
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            return [winreg.EnumValue(opened, at)[0] for at in range(winreg.QueryInfoKey(opened)[1])]
    except FileNotFoundError:
        return None


def test_registry_and_start_menu_are_what_they_were(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roaming = str(home / "AppData" / "Roaming")
    monkeypatch.setenv("APPDATA", roaming)
    before = snapshot(home)
    lay_traces(home)
    Autostart().enable()
    ApplicationMenu().add()
    for key in (APP, OTHER):  # as the back-end of notifications writes it
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
            winreg.SetValueEx(opened, "DisplayName", 0, winreg.REG_SZ, "credtray")
    shortcut = Path(ApplicationMenu().status().place)
    there = shortcut.is_file()
    done = uninstalled(home, APPDATA=roaming)

    assert there
    assert done.returncode == 0, done.stderr
    assert differences(before, snapshot(home)) == {}
    assert values(APP) is None
    assert values(OTHER) == ["DisplayName"]
    assert "credtray" not in (values(RUN) or [])
    winreg.DeleteKey(winreg.HKEY_CURRENT_USER, OTHER)


def test_installer_is_known_by_its_entry(home: Path) -> None:
    from credtray.uninstall.windows import UNINSTALL, uninstaller

    before = uninstaller()
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, UNINSTALL) as opened:
        winreg.SetValueEx(opened, "UninstallString", 0, winreg.REG_SZ, r"C:\x\uninstall.exe")
    found = uninstaller()
    winreg.DeleteKey(winreg.HKEY_CURRENT_USER, UNINSTALL)

    assert (before, found) == (None, r"C:\x\uninstall.exe")
