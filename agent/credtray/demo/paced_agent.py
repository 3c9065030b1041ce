"""The demo's agent: the real service with the demo's clock, and a notifier that the demo hears.

Usage: ``python -m credtray.demo.paced_agent CLOCK SPEED [--desktop]``, in the environment of the throw-away
home; ``--desktop`` shows the icon to the person who watches. Ends with whoever holds its standard input.
Notices go to standard output as one JSON object per line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from credtray.app import build
from credtray.core.ports import Notification
from credtray.daemon.log import Console
from credtray.demo.pace import PacedClock
from credtray.desktop.notifier import LogNotifier
from credtray.environment import Environment
from credtray.service import run


class SpokenNotifier(LogNotifier):
    """Implements ``ports.Notifier``: into the log, and to the demo."""

    def show(self, notification: Notification) -> None:
        """Tell one notice."""
        super().show(notification)
        told = {"key": notification.key, "title": notification.title, "body": notification.body}
        line = json.dumps(told) + "\n"
        with suppress(OSError):  # the demo is gone, and so shall we be in a moment
            os.write(1, line.encode())


def main(arguments: list[str]) -> int:
    """Be the agent; return its exit code."""
    path, speed, *options = arguments
    threading.Thread(target=_end_with_the_demo, name="demo", daemon=True).start()
    environment = Environment(
        clock=PacedClock(Path(path)),
        speed=float(speed),
        notifier=SpokenNotifier(),
        desktop="--desktop" in options,
    )
    return run(build(environment), console=Console.NOTHING)


def _end_with_the_demo() -> None:
    # Not sys.stdin: a thread that holds its lock at exit makes the interpreter abort.
    while os.read(0, 4096):
        pass
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
