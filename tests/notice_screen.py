"""A screen that keeps what it was asked to show, or shows nothing."""

from __future__ import annotations

from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Notification


class Screen:
    """Implements ``ports.Notifier``."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        self.shown: list[Notification] = []

    def show(self, notification: Notification) -> None:
        if self.trouble:
            raise NotifierUnavailable(self.trouble)
        self.shown.append(notification)

    def withdraw(self, key: str) -> None:
        raise AssertionError(key)
