"""`credtray notify-test`: a notification to try.

Only asks the agent, which shows it on its own desktop.
"""

from __future__ import annotations

from datetime import UTC, datetime

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.choices import JsonOption
from credtray.core.protocol import TestNotice
from credtray.core.state_words import clock_time


def notify_test(json_output: JsonOption = False) -> None:
    """Show a test notification on your desktop.

    It is shown even while notices are paused. Says who took it, or why nobody did (exit code 1).

    Examples:
      credtray notify-test
    """
    result = ask(TestNotice())
    if json_output:
        terminal.show_json(result)
        return
    terminal.show_words(f"Sent a test notification to {result.shown_by or 'the desktop'}.")
    if result.reason:
        terminal.show_words(f"Note: {result.reason}.")
    if result.notices_paused_until:
        until = clock_time(result.notices_paused_until, datetime.now(UTC), None)
        terminal.show_words(f"Notices are paused until {until}. Resume: credtray pause off")
