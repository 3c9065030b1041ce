"""Where the agent's socket is: the one thing the agent and its clients must agree on without talking.

Creates nothing and checks no mode. Imports only os and sys: the credentials fast path uses it.
"""

from __future__ import annotations

import os
import sys

LONGEST = 100
"""Bytes in a socket's path; the kernel's limit is 104 on macOS and 108 on Linux."""


def socket_paths() -> list[str]:
    """Return where a client looks, in this order; the agent listens on one of them.

    The second one serves programs that were started without XDG_RUNTIME_DIR (cron, some IDEs). On Windows
    it is no socket but the note of the pipe's name.
    """
    if sys.platform == "win32":
        from credtray.pipe_note import note_paths

        return note_paths()
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        in_home = os.path.expanduser("~") + "/.cache/credtray/run/agent.sock"  # noqa: PTH111 -- pathlib costs 5 ms
        # The basedir specification calls a relative value invalid: to be ignored.
        return [runtime + "/credtray/agent.sock", in_home] if runtime.startswith("/") else [in_home]
