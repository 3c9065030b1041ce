"""Where credtray keeps its own files on each system, and where the agent listens.

Creates nothing; the AWS files are the business of agent/credtray/aws.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

from credtray.core.errors import AgentRefused
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
    """Return where the agent of this user is to listen.

    An XDG_RUNTIME_DIR of somebody else (kept by `su` or `sudo -E`) is passed over, as is too long a one.

    Raises:
        AgentRefused: every place has too long a path for a socket.
    """
    paths = socket_paths()
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


def runtime_directory() -> Path:
    """Return where the agent's lock lies: beside its socket, where that is a file.

    Raises:
        AgentRefused: as for ``listening_path``.
    """
    pipe = sys.platform == "win32"
    return platformdirs.user_runtime_path(_NAME, appauthor=False) if pipe else listening_path().parent


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


def _belongs_to_us(directory: Path) -> bool:
    try:
        owner = directory.stat().st_uid
    except OSError:
        return False
    return sys.platform == "win32" or owner == os.geteuid()
