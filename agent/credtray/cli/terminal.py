"""What a command prints: results on stdout, talk and errors on stderr, plain where nobody looks.

Decides nothing and asks nothing. Foreign text is made visible here, so that no name moves the cursor.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from credtray.cli.streams import let_go

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_STYLES = {"error": "1;31", "warning": "1;33", "hint": "36", "good": "32", "strong": "1"}
_MARKS, _MARKS_IN_ASCII = "●○◌✗─│┌┐└┘\N{REPLACEMENT CHARACTER}", "*o~x-|++++?"
_PIPED_WIDTH = 160
"""Columns of a table nobody looks at: wide enough for a line per profile."""


def visible(text: str) -> str:
    """Return the text with every control and direction character but the line feed replaced."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say(text: str = "") -> None:
    """Tell a person something that is not the result."""
    _tell(visible(text))


def _tell(text: str) -> None:
    """Write to stderr; where that is full or gone there is nobody left to tell."""
    try:
        _write(sys.stderr, text + "\n")
        sys.stderr.flush()
    except OSError:
        let_go(sys.stderr)


def show(text: str) -> None:
    """Print (a line of) the result."""
    _write(sys.stdout, visible(text) + "\n")


def show_exactly(text: str) -> None:
    """Print the result with its own line ends: bash on Windows takes a carriage return for part of it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def show_json(document: dict[str, Any], *, lines: bool = False) -> None:
    """Print the result for a program; ``lines``: as one line, flushed, because more will follow."""
    sys.stdout.write(json.dumps(document, indent=None if lines else 2) + "\n")
    if lines:
        sys.stdout.flush()


def _write(stream: TextIO, text: str) -> None:
    """Write the text with its marks and lines in ASCII where the stream knows no others."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(str.maketrans(_MARKS, _MARKS_IN_ASCII))
    stream.write(text)


def complain(text: str, hint: str = "", *, kind: str = "error") -> None:
    """Tell what went wrong and what to do; ``kind`` is error or warning."""
    lines = [f"{paint(kind + ':', kind, sys.stderr)} {visible(text)}"]
    if hint:
        lines.append(f"{paint('hint:', 'hint', sys.stderr)} {visible(hint)}")
    _tell("\n".join(lines))


def paint(text: str, style: str, stream: TextIO) -> str:
    """Return the text in a style where the stream is a terminal that wants colours (https://no-color.org)."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colourful(stream) else text


def colourful(stream: TextIO) -> bool:
    """Tell whether colours are wanted on this stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def interactive() -> bool:
    """Tell whether somebody can be asked: both the questions and the answers go through a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def draw(renderable: RenderableType, *, talk: bool = False) -> None:
    """Draw something of rich on stdout, or on stderr for talk; without the blanks it fills lines with."""
    stream = sys.stderr if talk else sys.stdout
    screen = console(talk=talk)
    with screen.capture() as drawn:
        screen.print(renderable)
    _write(stream, "".join(line.rstrip() + "\n" for line in drawn.get().splitlines()))


def console(*, talk: bool = False) -> Console:
    """Return a rich console on stdout, or on stderr for talk."""
    from rich.console import Console  # noqa: PLC0415 -- dear, and most commands print two lines

    stream = sys.stderr if talk else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False, emoji=False, markup=False)
