"""Reads what was pasted: from standard input, a file or the clipboard. Understands nothing of it.

Shows nothing of it either: while somebody pastes into a terminal, its echo is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from agent.cli import terminal
from agent.core.errors import UsageError
from agent.core.portal_text import LONGEST

STDIN = "-"
_END = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"


def read_paste(source: str | None, *, clipboard: bool) -> bytes:
    """Return the bytes, at most one more than are taken.

    Raises:
        UsageError: two sources, or a file that cannot be read.
        ClipboardUnreadable: there is no clipboard to read.
    """
    if clipboard:
        if source is not None:
            raise UsageError("give a file or --clipboard, not both")
        from agent.desktop.clipboard.reading import clipboard_text  # noqa: PLC0415 -- only here

        return asyncio.run(clipboard_text(os.environ))
    if source is None or source == STDIN:
        return _from_stdin()
    return _from_file(Path(source))


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with NUL in it
        reason = error.strerror if isinstance(error, OSError) else "that is no file name"
        raise UsageError(f"{path} cannot be read: {reason}") from None


def _from_stdin() -> bytes:
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(LONGEST + 1)
    terminal.say(
        'Paste the keys here: in the access portal, "Access keys" of the role, option 1 or 2.\n'
        f"It does not show. Then press Enter and {_END}."
    )
    with _without_echo():
        return sys.stdin.buffer.read(LONGEST + 1)


@contextlib.contextmanager
def _without_echo() -> Iterator[None]:
    """Keep the keys off the screen and out of its scrollback."""
    if sys.platform == "win32":
        yield  # its console has no such mode that leaves pasting alone
    else:
        import termios  # noqa: PLC0415 -- not on Windows

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
        quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        termios.tcsetattr(number, termios.TCSADRAIN, quiet)
        try:
            yield
        finally:
            termios.tcsetattr(number, termios.TCSADRAIN, before)
