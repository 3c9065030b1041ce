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
    try:
        if sys.platform == "win32":
            try:
                return _begin(command, _APART | subprocess.CREATE_BREAKAWAY_FROM_JOB)
            except PermissionError:  # by a job that lets nobody go, such as a terminal's or a service's
                return _begin(command, _APART)
        else:
            return _begin(command)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise AgentNotStarted(f"{command[0]}: {reason}") from error


def _begin(command: Sequence[str], flags: int = 0) -> subprocess.Popen[bytes]:
    home = Path.home()
    return subprocess.Popen(  # noqa: S603 -- ourselves, no shell
        list(command),
        cwd=home if home.is_dir() else Path(home.anchor or os.sep),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        creationflags=flags,
    )


if sys.platform == "win32":
    _APART = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    """No console of ours: closing it, or Ctrl-C in it, ends nothing. Nor is it of the job that `exec` makes:
    what is started in its shell would be killed with it, and leave its keys in the files."""
