"""Notices on macOS where Python is no app of its own: Script Editor shows them, asked by osascript.

They cannot be clicked, replaced or taken back. Their words are given on standard input only: arguments can be
read by everybody on the machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Final

from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Notification
from credtray.desktop.browser import child_environ
from credtray.desktop.notifications.text import TITLE_LENGTH, body_text
from credtray.desktop.tray.painting import without_markup

DIRECTORY: Final = "/usr/bin"
INSTEAD: Final = "Script Editor shows them instead, and clicking one does nothing for credtray"
_ANSWER_SECONDS: Final = 5.0
"""More than for other ways to show one: the first script after a start of the machine takes seconds."""
_TEAM: Final = re.compile(r"^TeamIdentifier=(?!not set$)", re.MULTILINE)


class OsascriptNotifier:
    """Implements ``ports.Notifier`` with JavaScript for Automation, which is part of macOS since 10.10."""

    def __init__(self, directory: str = DIRECTORY) -> None:
        self._program = f"{directory}/osascript"

    def show(self, notification: Notification) -> None:
        """Show it; what has buttons says that the tray menu has them too.

        Raises:
            NotifierUnavailable: the script could not be run, or not in five seconds.
        """
        title = without_markup(notification.title, TITLE_LENGTH)
        body = body_text(notification.body, without_buttons=bool(notification.buttons))
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                [self._program, "-l", "JavaScript"],
                input=script(title, body),
                encoding="ascii",
                env=child_environ(os.environ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_ANSWER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotifierUnavailable(f"osascript did not return within {_ANSWER_SECONDS:g} s") from None
        except OSError as error:
            raise NotifierUnavailable(f"osascript cannot be started: {error.strerror}") from None
        if done.returncode != 0:
            raise NotifierUnavailable(f"osascript ended with {done.returncode}")

    def withdraw(self, key: str) -> None:
        """Do nothing: a script cannot take back what it has shown."""


def script(title: str, body: str) -> str:
    """Return the JavaScript that shows these texts as they stand, in ASCII.

    A JSON string is a JavaScript string (ECMA-262, since 2019), whatever is in it: no text can become code.
    """
    return (
        "const app = Application.currentApplication();\n"
        "app.includeStandardAdditions = true;\n"
        f"app.displayNotification({json.dumps(body)}, {{withTitle: {json.dumps(title)}}});\n"
    )


def has_team(program: str, directory: str = DIRECTORY) -> bool:
    """Tell whether a developer known to Apple signed the program; True where that cannot be found out.

    macOS lets no other program ask for notifications at all. Homebrew signs Python with no name ("adhoc").
    """
    command = [f"{directory}/codesign", "--display", "--verbose=2", os.path.realpath(program)]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command and the path of our own interpreter
            command, capture_output=True, text=True, errors="replace", timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode == 0 and _TEAM.search(done.stderr) is not None
