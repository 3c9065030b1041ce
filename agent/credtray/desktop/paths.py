"""Where credtray keeps its own files on each system, and where the agent listens.

Creates nothing; the AWS files are the business of agent/credtray/aws.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from credtray.core.errors import AgentRefused, AssetMissing
from credtray.desktop.socket_path import LONGEST, socket_paths

_NAME = "credtray"


def settings_file() -> Path:
    """Return the user's settings.toml."""
    return platformdirs.user_config_path(_NAME, appauthor=False) / "settings.toml"


def state_directory() -> Path:
    """Return the directory of what credtray remembers between two runs."""
    return platformdirs.user_state_path(_NAME, appauthor=False)


def log_file() -> Path:
    """Return the agent's log; rotated copies lie beside it."""
    return platformdirs.user_log_path(_NAME, appauthor=False) / "agent.log"


def listening_path() -> Path:
    """Return where the agent of this user is to listen; on Windows, where it tells how it can be reached.

    An XDG_RUNTIME_DIR of somebody else (kept by `su` or `sudo -E`) is passed over, as is too long a one.

    Raises:
        AgentRefused: every place has too long a path for a socket.
    """
    paths = socket_paths()
    if sys.platform == "win32":
        return Path(paths[0])  # a file like any other
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        fitting = [Path(path) for path in paths if len(os.fsencode(path)) <= LONGEST]
        if not fitting:
            raise AgentRefused(
                f"{paths[-1]} is longer than {LONGEST} bytes",
                hint="Set XDG_RUNTIME_DIR to a shorter path of yours.",
            )
        for path in fitting[:-1]:
            if _belongs_to_us(path.parent.parent):
                return path
        return fitting[-1]


def windows_program(name: str, environ: Mapping[str, str]) -> str:
    """Return one of Windows' own programs by its whole path, so that no other one is found first."""
    root = environ.get("SYSTEMROOT") or environ.get("SystemRoot") or r"C:\Windows"
    return rf"{root}\System32\{name}"


def runtime_directory() -> Path:
    """Return where the agent's lock lies: beside its socket.

    Raises:
        AgentRefused: as for ``listening_path``.
    """
    return listening_path().parent


def agent_lock() -> Path:
    """Return the lock file of the one running agent; raises as ``runtime_directory``."""
    return runtime_directory() / "agent.lock"


def fallback_lock_directory() -> Path | None:
    """Return where locks lie when the state directory is on a file system without them, as some NFS is.

    None when this computer has no place for them.
    """
    try:
        return runtime_directory() / "locks"
    except AgentRefused:
        return None


if sys.platform != "win32":

    def _belongs_to_us(directory: Path) -> bool:
        try:
            return directory.stat().st_uid == os.geteuid()
        except OSError:
            return False


def installed_version() -> str | None:
    """Return the version whose files are there now: an upgrade replaces them while we run.

    None where they are gone, or cannot be read.
    """
    try:
        text = (Path(__file__).resolve().parents[1] / "__init__.py").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = _VERSION.search(text)
    return None if found is None else found[1]


_VERSION = re.compile(r'^__version__ = "([0-9][0-9A-Za-z.+!-]*)"$', re.MULTILINE)

# Finds the files that belong to credtray and are no code: the icon's colours and its pictures.
#
# Reads only; knows nothing of what is in them.


APP_ID = "credtray"
"""The AppUserModelID, by which Windows knows whose toasts, icon and shortcut these are.

desktop-notifier writes it below ``HKEY_CURRENT_USER\\Software\\Classes\\AppUserModelId``, with an icon, and
as the name that Windows shows.
"""
PICTURE = "credtray-64.png"
"""The application's icon, as it stands beside a notification."""


def asset(name: str) -> bytes:
    """Return the content of one file of ``assets/``.

    Raises:
        AssetMissing: there is no such file, or it cannot be read.
    """
    reason = "there is no such file"
    for folder in _folders():
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = error.strerror or reason
    raise AssetMissing(f"{_folders()[0] / name}: {reason}")


def asset_path(name: str) -> Path | None:
    """Return the absolute path of one file or folder of ``assets/``, for those that read it themselves."""
    return next((folder / name for folder in _folders() if (folder / name).exists()), None)


def documents() -> Path:
    """Return the folder of the documentation's pages.

    Raises:
        AssetMissing: there is none.
    """
    for folder in _folders("docs"):
        if (folder / "glossary.md").is_file():  # beside an installed package there may be a folder of others
            return folder
    raise AssetMissing(f"{_folders('docs')[0]}: there is no such folder")


def one_file() -> Path | None:
    """Return the credtray.pyz that we were unpacked from; what should last names that, and not the cache.

    packaging/one_file/__main__.py writes the note, at each start from another place.
    """
    try:
        noted = Path(__file__).parents[2].joinpath("one-file").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    return Path(noted) if Path(noted).is_file() else None


def _folders(name: str = "assets") -> tuple[Path, Path]:
    """Return where such a folder may be: inside the package, as in a wheel; two up, as in a checkout."""
    package = Path(__file__).resolve().parent.parent
    return package / name, package.parent.parent / name
