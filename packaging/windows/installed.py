r"""What the installers for Windows do beside copying files.

    python\python.exe -I installed.py WORD [WORD]

    stop            end a running agent, before its files are replaced
    add [at-login]  put credtray into the Start menu and its folder on the user's PATH
    remove          undo both, end the agent, take out keys and tokens, remove what is not from the installer,
                    and say what stays: settings, profiles, backups and what credtray remembers
    remove purge    the same, and take those out, too

Touches nothing but this user's registry and folders. docs/adr/0059-windows-installers.md.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
import winreg
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

assert sys.platform == "win32"  # noqa: S101 -- for the type checker

HERE = Path(__file__).resolve().parent
NO_WINDOW = 0x0800_0000
SECONDS = 60
KEEP = ("--keep-settings", "--keep-profiles", "--keep-backups")
"""What a person may still want when the program has gone: to install it again, or to get old keys back."""
_SETTING_CHANGED, _EVERY_WINDOW, _GIVE_UP_IF_HUNG = 0x1A, 0xFFFF, 2


def main(words: Sequence[str]) -> int:
    """Do what is asked; a part that fails does not keep the others from being done."""
    match words:
        case ["stop"]:
            done = [credtray("stop")]
        case ["add"]:
            done = [credtray("launcher", "add"), change_path(add=True)]
        case ["add", "at-login"]:
            done = [credtray("autostart", "enable"), change_path(add=True)]
        case ["remove"]:
            done = [uninstall(*KEEP), change_path(add=False)]
            remove_bytecode()
        case ["remove", "purge"]:
            done = [uninstall(), change_path(add=False)]
            remove_bytecode()
        case _:
            print(__doc__)
            return 2
    return 0 if all(done) else 1


def uninstall(*keep: str) -> bool:
    """Take out of the user's home what credtray has put there; say what stays, and what fails."""
    done = run("uninstall", "--yes", "--json", *keep, output=subprocess.PIPE)
    try:
        said = json.loads(done.stdout or "") if done is not None else None
    except ValueError:
        said = None
    if done is None or said is None:  # nothing was done: let at least nothing lead here
        credtray("stop")
        credtray("autostart", "disable")
        credtray("launcher", "remove")
        forget_application()
        return False
    for failed in said["failed"]:
        print(f"{failed['place']}: {failed['error']}")
    if said["stays"]:
        print("This stays:")
    for stay in said["stays"]:
        print(f"  {stay['place']}: {stay['reason']}")
    return done.returncode == 0


def credtray(*words: str) -> bool:
    """Run a command of the credtray beside us; tell whether it did what it was to do."""
    done = run(*words)
    return done is not None and done.returncode == 0


def run(*words: str, output: int | None = None) -> subprocess.CompletedProcess[str] | None:
    """Run a command of the credtray beside us; None: it could not be run, which is said."""
    # While installing, Python may keep what it has translated: the first start by the person is quicker then.
    options = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
    command = [str(HERE / "python" / "python.exe"), *options, "-m", "credtray", *words]
    try:
        return subprocess.run(  # noqa: S603 -- our own Python
            command,
            creationflags=NO_WINDOW,
            stdin=subprocess.DEVNULL,
            stdout=output,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"credtray {' '.join(words)}: {error}")
        return None


def change_path(*, add: bool) -> bool:
    """Put our folder at the end of the user's own PATH, or take it out; keep everything else as it stands."""
    with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, "Environment", access=winreg.KEY_ALL_ACCESS) as key:
        try:
            value, kind = winreg.QueryValueEx(key, "Path")
        except FileNotFoundError:
            value, kind = "", winreg.REG_EXPAND_SZ
        if not isinstance(value, str) or kind not in {winreg.REG_SZ, winreg.REG_EXPAND_SZ}:
            print("PATH is left alone: it is no text")
            return False
        before = value.split(";") if value else []
        after = [entry for entry in before if entry.rstrip("\\").lower() != str(HERE).lower()]
        if add:
            after.append(str(HERE))
        if after == before:
            return True
        if after:
            winreg.SetValueEx(key, "Path", 0, kind, ";".join(after))
        else:
            winreg.DeleteValue(key, "Path")
    tell_windows()
    return True


def tell_windows() -> None:
    """Let programs that start others know that the environment is another; new terminals have it then."""
    send = ctypes.WinDLL("user32").SendMessageTimeoutW
    send.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint]
    send.argtypes += [ctypes.c_uint, ctypes.c_void_p]
    send(_EVERY_WINDOW, _SETTING_CHANGED, None, "Environment", _GIVE_UP_IF_HUNG, 1000, None)


def forget_application() -> None:
    """Remove the name and icon that toasts were shown with."""
    with suppress(OSError):
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, r"Software\Classes\AppUserModelId\credtray")


def remove_bytecode() -> None:
    """Remove what Python has written beside its sources: an installer removes only what it has copied."""
    for folder in list(HERE.rglob("__pycache__")):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
