"""What a command prints: results on stdout, talk and errors on stderr, plain where nobody looks.

Decides nothing and asks nothing. Foreign text is made visible here, so that no name moves the cursor.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from credtray.cli.palette import CODES, THEME
from credtray.cli.streams import let_go

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_MARKS, _MARKS_IN_ASCII = "●○◌✗─│┌┐└┘\N{REPLACEMENT CHARACTER}", "*o~x-|++++?"
_RICH_TERMINALS = {"xterm-kitty", "alacritty", "foot", "wezterm", "xterm-ghostty", "contour"}
"""Values of TERM without a number in them whose terminals have 256 colours (their terminfo entries)."""
_PIPED_WIDTH = 160
"""Columns of a table nobody looks at: wide enough for a line per profile."""
_PROGRAMS = "credtray|aws|chmod|chown|chattr|mv|ls|rm|sudo|unset|eval"
_PIECE = re.compile(rf"`[^`\n]+`\S*|(?:(?<=: )|^)(?:{_PROGRAMS}) \S(?:(?!; |, |[.]? ?$|[.] ).)*\S*|\S+")
"""A word, or a command, which stays whole: between backticks, or after a colon to the end of its sentence."""


def visible(text: str) -> str:
    """Return the text with every control and direction character but the line feed replaced."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def folded(text: str, width: int) -> str:
    """Return prose in lines of at most *width* columns, folded between words.

    A terminal folds wherever its edge is. A command or an address longer than a line is left to it, as a
    line feed of ours would be copied with them.
    """
    return "\n".join(_folded_line(line, width) for line in text.split("\n"))


def _folded_line(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    rows = [""]
    for piece in _PIECE.findall(line.lstrip()):
        longer = f"{rows[-1]} {piece}" if rows[-1] else indent + piece
        if rows[-1] and len(longer) > width:
            rows.append(indent + piece)
        else:
            rows[-1] = longer
    return "\n".join(rows)


def _fitted(text: str, stream: TextIO) -> str:
    """Return the text as it fits a terminal; a pipe or file gets the lines as they are."""
    return folded(text, shutil.get_terminal_size().columns) if stream.isatty() else text


def say(text: str = "") -> None:
    """Tell a person something that is not the result."""
    _tell(_fitted(visible(text), sys.stderr))


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


def show_words(text: str) -> None:
    """Print a result that is a sentence; what a program may read goes through ``show``."""
    _write(sys.stdout, _fitted(visible(text), sys.stdout) + "\n")


def show_exactly(text: str) -> None:
    """Print the result with its own line ends: bash on Windows takes a carriage return for part of it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def show_json(document: object, *, lines: bool = False) -> None:
    """Print a result for a program; ``lines``: as one line, flushed, because more will follow."""
    sys.stdout.write(json.dumps(document, indent=None if lines else 2, default=_plain) + "\n")
    if lines:
        sys.stdout.flush()


def _plain(value: object) -> object:
    """Return a struct of the protocol, or an instant in it, as JSON holds it."""
    import msgspec

    return msgspec.to_builtins(value)


def _write(stream: TextIO, text: str) -> None:
    """Write the text with its marks and lines in ASCII where the stream knows no others."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(str.maketrans(_MARKS, _MARKS_IN_ASCII))
    stream.write(text)


def complain(text: str, hint: str = "", *, kind: str = "error") -> None:
    """Tell what went wrong and what to do; ``kind`` is error or warning."""
    parts = [(kind, kind, text), ("hint", "hint", hint)]
    _tell("\n".join(_labelled(*part) for part in parts if part[-1]))


def _labelled(label: str, style: str, text: str) -> str:
    """Return ``label: text`` fitted to the terminal and its label painted."""
    lead = f"{label}:"
    return paint(lead, style, sys.stderr) + _fitted(f"{lead} {visible(text)}", sys.stderr).removeprefix(lead)


def paint(text: str, style: str, stream: TextIO) -> str:
    """Return the text in a style of ``palette.CODES`` where the stream is a terminal that wants colours."""
    if not colourful(stream):
        return text
    code = CODES[style] if has_colours(os.environ) else "1"
    return f"\x1b[{code}m{text}\x1b[0m"


def colourful(stream: TextIO) -> bool:
    """Tell whether styles are wanted on this stream (https://no-color.org, https://force-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def has_colours(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal knows the 256 colours of ``palette``."""
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or os.name == "nt":
        return True
    return "256" in environ.get("TERM", "") or environ.get("TERM", "") in _RICH_TERMINALS


def interactive() -> bool:
    """Tell whether somebody can be asked: both the questions and the answers go through a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def draw(renderable: RenderableType, *, talk: bool = False) -> None:
    """Draw something of rich on stdout, or on stderr for talk; without the blanks it fills lines with."""
    stream = sys.stderr if talk else sys.stdout
    paper = console(talk=talk)
    with paper.capture() as drawn:
        paper.print(renderable, crop=False)  # what is longer than a line is one word, and stays whole
    _write(stream, "".join(line.rstrip() + "\n" for line in drawn.get().splitlines()))


def console(*, talk: bool = False) -> Console:
    """Return a rich console on stdout, or on stderr for talk."""
    stream = sys.stderr if talk else sys.stdout
    return screen(stream, None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH)


def screen(stream: TextIO, width: int | None) -> Console:
    """Return a rich console on a stream, with the styles of ``palette``; width None: the terminal's."""
    from rich.console import Console
    from rich.theme import Theme

    return Console(
        file=stream,
        width=width,
        highlight=False,
        soft_wrap=False,
        emoji=False,
        markup=False,
        theme=Theme(THEME),
        force_terminal=colourful(stream) or None,
        no_color=not (colourful(stream) and has_colours(os.environ)),
    )
