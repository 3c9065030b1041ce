"""Makes or checks the directory that holds the agent's socket and lock: ours alone, or refused.

Never corrects a mode or an owner: a directory that is not as it should be may be somebody's trap.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from credtray.core.errors import AgentRefused
from credtray.core.shell_words import PRIVATE_DIRECTORY, REMOVE, REMOVE_OTHERS

_PRIVATE = 0o700
_PLACE_ON_WINDOWS = "Let LOCALAPPDATA lead to a folder that you can write to, or remove what is in the way."


def prepare_runtime_directory(directory: Path) -> None:
    """Create ``directory`` with mode 0700, or make sure that it is ours and closed to others.

    Raises:
        AgentRefused: a symbolic link, not a directory, somebody else's, open to others, or not creatable.
    """
    try:
        directory.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        directory.mkdir(mode=_PRIVATE, exist_ok=True)
        found = directory.lstat()
    except FileExistsError:
        raise AgentRefused(f"{directory} is not a directory", hint=_hint()) from None
    except OSError as error:
        raise AgentRefused(f"{directory} cannot be created: {error.strerror}", hint=_hint()) from None
    if sys.platform != "win32":  # there it lies below the user's profile, whose access list keeps others out
        _check(directory, found)


def _hint() -> str | None:
    return _PLACE_ON_WINDOWS if sys.platform == "win32" else None  # there it has no owner or mode to be wrong


def _check(directory: Path, found: os.stat_result) -> None:
    place = str(directory)
    if stat.S_ISLNK(found.st_mode):
        raise AgentRefused(f"{directory} is a symbolic link", hint=f"Remove it. Run: {REMOVE.on(place)}")
    if sys.platform != "win32" and found.st_uid != os.geteuid():
        raise AgentRefused(
            f"{directory} belongs to user {found.st_uid}",
            hint=f"Remove it. Run: {REMOVE_OTHERS.on(place)}",
        )
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise AgentRefused(
            f"{directory} has mode {mode:04o}: others can reach it",
            hint=f"Run: {PRIVATE_DIRECTORY.on(place)}",
        )
