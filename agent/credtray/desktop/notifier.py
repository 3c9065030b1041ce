"""Tells a person something where there is no desktop to tell it: on the terminal and in the log.

Texts come ready made; what must not reach a terminal (control characters in a profile's name) is taken out.
"""

from __future__ import annotations

import logging

from credtray.core.notice_texts import what_to_type
from credtray.core.ports import Notification, Notifier
from credtray.core.words import plain

_log = logging.getLogger("credtray.notice")

_LONGEST = 2000
"""Characters of a line in the log."""


def sentence(title: str) -> str:
    """Return a title with the full stop that it needs before more words: a question has its own mark."""
    return title if title.endswith(("?", ".", "!")) else f"{title}."


class LogNotifier:
    """Implements ``ports.Notifier`` with the log, which a foreground agent also prints."""

    def show(self, notification: Notification) -> None:
        """Log one notice, with what to type where others have buttons; nothing is replaced."""
        key, title, body = notification.key, notification.title, notification.body
        words = f"{sentence(title)} {body} {what_to_type(notification)}".rstrip()
        _log.warning("NOTICE [%s] %s", plain(key, _LONGEST), plain(words, _LONGEST))

    def withdraw(self, key: str) -> None:
        """Do nothing: what was printed cannot be taken back."""


class LoggedNotifier:
    """Implements ``ports.Notifier``: everything told on the desktop is in the log as well."""

    def __init__(self, log: Notifier, desktop: Notifier) -> None:
        self._log = log
        self._desktop = desktop

    def show(self, notification: Notification) -> None:
        """Log it and show it; raises what the desktop's notifier raises."""
        self._log.show(notification)
        self._desktop.show(notification)

    def withdraw(self, key: str) -> None:
        """Take it back from the desktop."""
        self._log.withdraw(key)
        self._desktop.withdraw(key)
