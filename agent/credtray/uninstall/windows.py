"""What Windows keeps of credtray in the registry, beside the login entry; on Windows only."""

from __future__ import annotations

import sys
import winreg
from contextlib import suppress

from credtray.desktop.paths import APP_ID

assert sys.platform == "win32"  # noqa: S101 -- the form that type checkers understand

KEYS = (rf"Software\Classes\AppUserModelId\{APP_ID}",)
"""Below HKEY_CURRENT_USER: the name and the icon of our notifications."""
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\credtray"


class UserKeys:
    """Implements ``RegistryKeys``."""

    def found(self) -> list[str]:
        """Name each key that is there."""
        return [_spoken(key) for key in KEYS if _is_there(key)]

    def remove(self) -> list[str]:
        """Remove them, and name each that is gone."""
        gone = []
        for key in filter(_is_there, KEYS):
            with suppress(OSError):
                winreg.DeleteKey(winreg.HKEY_CURRENT_USER, key)
                gone.append(_spoken(key))
        return gone


def uninstaller() -> str | None:
    """Return the command that removes an installed credtray; None: there is no installer's entry."""
    for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        with suppress(OSError), winreg.OpenKey(root, UNINSTALL) as key:
            value, _kind = winreg.QueryValueEx(key, "UninstallString")
            return str(value)
    return None


def _is_there(key: str) -> bool:
    try:
        winreg.OpenKey(winreg.HKEY_CURRENT_USER, key).Close()
    except OSError:
        return False
    return True


def _spoken(key: str) -> str:
    return rf"HKEY_CURRENT_USER\{key}"
