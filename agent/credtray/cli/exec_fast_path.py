"""The fast half of `credtray exec P [--env] -- CMD...`: asks the agent and becomes the command.

Imports next to nothing and explains nothing: whatever does not go its usual way is left to ``execution``.
"""

from __future__ import annotations

import os
import sys
import time

from credtray.cli.exec_files import files_of
from credtray.cli.exec_replace import replace_process
from credtray.cli.exec_words import plain
from credtray.ways_out.child_environment import with_endpoint, with_keys

if sys.platform != "win32":
    from credtray.credentials_fetch import GIVE_UP_SECONDS, ask, parsed, question

TYPE_CHECKING = False  # as type checkers understand it; importing typing costs as much as the rest
if TYPE_CHECKING:
    from typing import Any

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

_FOR_KEYS = ',"seconds":0,"keys":true'


def take(words: list[str]) -> None:
    """Become the command, if that goes without a word to say; return where it does not.

    Args:
        words: of the command line, ``exec`` first.
    """
    known = plain(words)
    if known is None:
        return
    profile, keys, command = known
    try:
        environ = _with_keys(profile) if keys else _with_endpoint(profile)
        replace_process(command, environ)
    except Exception:  # noqa: BLE001 -- nothing has happened yet: the slow way finds it again, and says it
        return


def _with_keys(profile: str) -> dict[str, str]:
    standing = _asked(profile, "wait", _FOR_KEYS)["result"]
    keys = _asked(profile, "credentials")["credentials"]
    return with_keys(os.environ, profile, keys, standing["region"])


def _with_endpoint(profile: str) -> dict[str, str]:
    found = _asked(profile, "endpoint")["result"]
    endpoint = (found["url"], found["token_file"])
    return with_endpoint(os.environ, profile, endpoint, files_of(profile), found["region"])


def _asked(profile: str, kind: str, more: str = "") -> dict[str, Any]:
    """Return the agent's final reply; a refusal has no ``result`` and no ``credentials``."""
    asked = question(profile, kind, more)
    if asked is None:
        raise ValueError(profile)
    line = ask(asked, time.monotonic() + GIVE_UP_SECONDS)
    reply: dict[str, Any] = parsed(line)
    return reply
