"""What a person is told is in the log, with what to type, whatever becomes of it on the desktop."""

from __future__ import annotations

import pytest

from credtray.core.errors import NotifierUnavailable
from credtray.core.ports import Button, Notification
from credtray.core.protocol import Login
from credtray.desktop.notifier import LoggedNotifier, LogNotifier

ENDS = Notification("corp:end", "corp: ends\x1b[31m soon", "In 10 min.", (Button("Sign in", Login("corp")),))


class Deaf:
    """A desktop on which nobody can be told."""

    def __init__(self) -> None:
        self.withdrawn: list[str] = []

    def show(self, notification: Notification) -> None:
        raise NotifierUnavailable("nobody is there")

    def withdraw(self, key: str) -> None:
        self.withdrawn.append(key)


def test_notice_that_nobody_could_be_told_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    desktop = Deaf()
    notifier = LoggedNotifier(LogNotifier(), desktop)

    with pytest.raises(NotifierUnavailable):
        notifier.show(ENDS)
    notifier.withdraw("corp:end")

    assert "NOTICE [corp:end] corp: ends" in caplog.text
    assert "credtray login corp" in caplog.text
    assert "\x1b" not in caplog.text
    assert desktop.withdrawn == ["corp:end"]
