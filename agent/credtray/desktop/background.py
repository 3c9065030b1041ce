"""Starts the agent apart from the terminal that started it, and finds the command for that.

Waits for nothing and tells nothing; who was started is followed by its pipe and its exit code.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from credtray.core.errors import AgentNotStarted


def begin(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program that goes on when this one, its terminal and its console have gone.

    Its standard error is a pipe, for what goes wrong while it starts. It runs in the home directory: the
    folder of the caller could not be removed, or its disk not be taken out, as long as it lives.

    Raises:
        AgentNotStarted: it cannot be started.
    """
    home = Path.home()
    try:
        return subprocess.Popen(  # noqa: S603 -- ourselves, no shell
            list(command),
            cwd=home if home.is_dir() else Path(home.anchor or os.sep),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=_apart(),
        )
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise AgentNotStarted(f"{command[0]}: {reason}") from error


def _apart() -> int:
    """Return the flags for Windows: no console of ours, so that closing it or Ctrl-C in it ends nothing."""
    if sys.platform == "win32":
        return subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        return 0
