"""What is left of this process when no command takes its place."""

from __future__ import annotations

import signal

import pytest

from credtray.cli.exec_replace import replace_process


def test_command_that_does_not_start_leaves_the_signals_as_they_were() -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    with pytest.raises(FileNotFoundError):
        replace_process(["/nowhere/nonesuch"], {})

    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before
