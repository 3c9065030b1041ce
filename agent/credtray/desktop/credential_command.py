"""The command line that `credential_process` in the config file is to hold.

Writes nothing. Absolute paths only: a version manager's shim costs ten times the fetch itself.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from credtray.core.errors import UsageError


def credential_process_command(profile: str) -> str:
    """Return the command that prints this profile's role credentials, quoted for the config file.

    POSIX: words as ``shlex`` and ``sh`` split them (botocore uses the one, the SDKs for Go and JavaScript
    the other). Windows: the rules of the C runtime.

    Raises:
        UsageError: the name holds a character that the config file cannot hold.
    """
    if not profile.isprintable():
        raise UsageError(f"The profile name {profile!a} cannot be used in a command")
    door = Path(__file__).parent.parent / "__main__.py"
    marker = ["--"] if profile.startswith("-") else []
    words = [sys.executable, "-I", "-S", str(door), "credentials", *marker, profile]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
