"""Reads what was pasted: from standard input, a file or the clipboard. Understands nothing of it.

Shows nothing of it either: while somebody pastes into a terminal, its echo is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from credtray.cli import terminal
from credtray.core.errors import UsageError
from credtray.core.portal_text import LONGEST

STDIN = "-"
_END = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
_PASTE_HERE = (
    'Paste the keys here: in the access portal, "Access keys" of the role, option 1 or 2.\n'
    f"Nothing is shown as you paste. Finish with Enter, then {_END}."
)


def read_paste(source: str | None, *, clipboard: bool) -> bytes:
    """Return the bytes, at most one more than are taken.

    Raises:
        UsageError: two sources, or a file that cannot be read.
        ClipboardUnreadable: there is no clipboard to read.
    """
    if clipboard:
        if source is not None:
            raise UsageError("Give a file or --clipboard, not both")
        from credtray.desktop.clipboard.reading import clipboard_text

        return asyncio.run(clipboard_text(os.environ))
    if source is None or source == STDIN:
        return _from_stdin()
    return _from_file(Path(source))


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with NUL in it
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise UsageError(f"{path} cannot be read: {reason}") from None


def _from_stdin() -> bytes:
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(LONGEST + 1)
    if sys.platform == "win32":
        terminal.say(_PASTE_HERE)
        return sys.stdin.buffer.read(LONGEST + 1)  # its console has no such mode that leaves pasting alone
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        with _quiet_terminal(sys.stdin.fileno()) as end:
            terminal.say(_PASTE_HERE)  # only now: whoever reads it may paste at once
            return _until(end, sys.stdin.fileno())


if sys.platform != "win32":

    @contextlib.contextmanager
    def _quiet_terminal(number: int) -> Iterator[bytes]:
        """Keep the keys off the screen and out of its scrollback; yield the key that ends the paste.

        Line by line, a terminal drops what is longer than 1,024 (macOS) or 4,095 bytes (Linux), as a session
        token may be: so each piece is read as it comes. Ctrl-C is still Ctrl-C.
        """
        import termios  # not on Windows

        before = termios.tcgetattr(number)
        keys = [*before[6]]
        end = keys[termios.VEOF]
        keys[termios.VMIN], keys[termios.VTIME] = 1, 0
        quiet = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON), *before[4:6], keys]

        def be_quiet(*_: object) -> None:
            termios.tcsetattr(number, termios.TCSADRAIN, quiet)

        # After Ctrl-Z the shell has the terminal as it likes it, and `fg` leaves it so.
        resumed = signal.signal(signal.SIGCONT, be_quiet)
        be_quiet()
        try:
            yield end
        finally:  # with what is left of the paste: the shell would show it, and run it
            signal.signal(signal.SIGCONT, resumed)
            termios.tcsetattr(number, termios.TCSAFLUSH, before)

    def _until(end: bytes, number: int) -> bytes:
        """Return what comes before the key *end*, at most one byte more than is taken."""
        held = b""
        while end not in held and len(held) <= LONGEST:
            try:
                piece = os.read(number, LONGEST)
            except OSError:  # EIO: the terminal was closed
                break
            if not piece:
                break
            held += piece
        return held.partition(end)[0][: LONGEST + 1]
