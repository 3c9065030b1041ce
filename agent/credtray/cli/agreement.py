"""Asks a person in the terminal whether a change is to be made: for every command that shows one first.

Shows nothing itself and decides nothing.
"""

from __future__ import annotations

from credtray.cli import terminal
from credtray.core.errors import UsageError


def agreed(question: str, hint: str, *, default: bool = False) -> bool:
    """Ask for yes or no.

    Args:
        question: as a person reads it.
        hint: what to type where nobody can be asked.
        default: what Enter means.

    Raises:
        UsageError: there is no terminal.
    """
    if not terminal.interactive():
        raise UsageError("Cannot ask for confirmation: not a terminal", hint=hint)
    from credtray.cli.questions import ask_yes  # slow

    return ask_yes(question, default=default)
