"""Closes the cheap ways to the secrets in the agent's memory and files: core dumps, tracing, wide modes.

Decides nothing about secrets themselves. Malware that runs as the same user is not kept out by this.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_DUMPABLE = 4
_DESCRIPTORS = 4096


def harden() -> list[str]:
    """Harden this process; return what could not be done, as sentences for the log.

    Umask 077, no core dumps, and on Linux no tracing by others and an unreadable /proc/PID/environ and mem.
    """
    os.umask(0o077)
    undone: list[str] = []
    if sys.platform == "win32":
        undone.append("Core dumps are left to Windows Error Reporting's own setting.")
    else:
        import resource  # not there on Windows

        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (OSError, ValueError) as error:
            undone.append(f"Core dumps could not be turned off: {error}.")
        _allow_many_clients()
    if sys.platform == "linux":
        undone += _undumpable()
    return undone


def _undumpable() -> list[str]:
    # prctl(2): also keeps a core pattern that is a pipe (systemd-coredump) from getting our memory.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        return []
    return [f"Tracing could not be turned off: {os.strerror(ctypes.get_errno())}."]


if sys.platform != "win32":

    def _allow_many_clients() -> None:
        """Raise the soft limit of descriptors: a thousand idle clients need more than the usual 1024."""
        import resource  # not there on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
