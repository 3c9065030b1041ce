"""Starts the agent apart from the terminal that started it, and finds the command for that.

Waits for nothing and tells nothing; who was started is followed by its pipe and its exit code.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from credtray.core.errors import AgentNotStarted
from credtray.desktop.browser import child_environ

_UNIT = re.compile(r"/([^/\n]*credtray[^/\n]*\.service)$", re.MULTILINE)
"""At the end of a control group: ours, or the one that GNOME and KDE make of what starts at login."""
_SYSTEMCTL = "/usr/bin/systemctl"
_SYSTEMCTL_SECONDS = 60.0


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


# An agent that systemd has started: who stops it ends all processes of its unit, and so the one that would
# start the next agent. So systemd has to do both. A terminal's own unit is none of ours.


def unit_of(pid: int) -> str | None:
    """Return the systemd unit of the user that a process of ours is in; None: none, or this is not Linux."""
    try:
        return unit_in(Path(f"/proc/{pid}/cgroup").read_text("utf-8", "replace"))
    except OSError:
        return None


def unit_in(cgroups: str) -> str | None:
    """Return our unit in the content of ``/proc/PID/cgroup`` (cgroups(7))."""
    found = _UNIT.search(cgroups)
    return None if found is None else found[1]


def restart_unit(unit: str, systemctl: str = _SYSTEMCTL) -> None:
    """Have systemd stop and start it; returns when both are done.

    Raises:
        AgentNotStarted: systemd says why not, or says nothing.
    """
    try:
        done = ask_systemd("restart", unit, systemctl=systemctl)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AgentNotStarted(f"systemd did not restart {unit}: {error}") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise AgentNotStarted(f"systemd did not restart {unit}: {said[0]}")


def ask_systemd(
    *words: str, systemctl: str = _SYSTEMCTL, seconds: float = _SYSTEMCTL_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Ask the user's systemd, through systemctl(1).

    Raises:
        OSError: there is none.
        subprocess.TimeoutExpired: it does not answer.
    """
    return subprocess.run(  # noqa: S603 -- a fixed program, and words of ours
        [systemctl, "--user", *words],
        capture_output=True,
        text=True,
        errors="replace",
        env=child_environ(os.environ),
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
    )
