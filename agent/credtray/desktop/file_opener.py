"""Opens one of our own files in the program this desktop prefers for it, because a person asked.

Must not use a shell, and never keeps its caller waiting for longer than two seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from credtray.core.errors import FileUnopened
from credtray.desktop.child_environ import child_environ

PATIENCE_SECONDS = 2.0


def open_file(path: Path, environ: Mapping[str, str], patience: float = PATIENCE_SECONDS) -> None:
    """Open a file that exists.

    A launcher that still runs after the patience counts as success: it may be the editor itself.

    Raises:
        FileUnopened: no program took it; the path is named, so that a person can open it.
    """
    if sys.platform == "win32":
        try:
            os.startfile(path)  # noqa: S606 - a path of ours goes to the system's own handler
        except OSError as error:
            raise FileUnopened(f"{path} ({error.strerror})") from None
    elif not any(_taken([*launcher, str(path)], environ, patience) for launcher in _launchers(environ)):
        raise FileUnopened(str(path))


def _launchers(environ: Mapping[str, str]) -> Sequence[Sequence[str]]:
    found: Sequence[Sequence[str]] = ()
    if sys.platform == "darwin":
        found = (("/usr/bin/open", "-t"),)
    elif environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        found = (("xdg-open",), ("gio", "open"))
    return found


def _taken(argv: Sequence[str], environ: Mapping[str, str], patience: float) -> bool:
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; a fixed launcher and a path of ours
            argv,
            env=child_environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in our terminal must not close the user's editor
        )
    except OSError:
        return False
    try:
        return process.wait(patience) == 0
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="editor-exit", daemon=True).start()
        return True
