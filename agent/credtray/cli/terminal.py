"""What a command prints: results on stdout, talk and errors on stderr, plain where nobody looks.

Decides nothing and asks nothing. Foreign text is made visible here, so that no name moves the cursor.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


# Standard input, output and error as a command finds them: closed, full, of any encoding.
#
# Writes nothing by itself.


# Written to, a stand-in for stdout fails as the closed stream would; nobody is left to hear of stderr.
_STAND_INS = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))


def prepare() -> None:
    """Give closed streams a place, show what an encoding lacks escaped, and forget an impossible width."""
    for number, (name, flags) in enumerate(_STAND_INS):
        if getattr(sys, name) is None:
            setattr(sys, name, _stand_in(number, flags))
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding=_encoding(), errors="backslashreplace")
    columns = os.environ.get("COLUMNS", "80")
    if not (columns.isascii() and columns.isdigit() and int(columns)):
        del os.environ["COLUMNS"]  # 0 comes from terminals without a size; rich would draw nothing at all


def _encoding() -> str | None:
    """Return the encoding that PYTHONIOENCODING asks for; None for the terminal's own.

    An isolated interpreter passes over this variable with all the others, which could make it run other code.
    """
    name = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):  # none, unknown, not of text, or not even a name
        return None


def _stand_in(number: int, flags: int) -> TextIO:
    """Open the null device as this descriptor: else the next file opened becomes somebody's output."""
    descriptor = os.open(os.devnull, flags)
    if descriptor != number and _closed(number):
        os.dup2(descriptor, number)
        os.close(descriptor)
        descriptor = number
    return open(descriptor, "r" if number == 0 else "w", encoding="utf-8", closefd=False)


def _closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def let_go(stream: TextIO) -> None:
    """Send what the stream still holds nowhere, so that the interpreter's own last flush cannot fail."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        return  # not a stream of the system: nothing is flushed at the end


# The few colours of the terminal, and what each means. The only place that names one.
#
# They are taken from the part of the 256 colours that no theme of a terminal changes (16 to 255), each
# about as far from black as from white. A terminal that knows fewer colours gets none: its sixteen are the
# user's, and no text in yellow can be read on every background.


GOOD, BAD, WARNING, ACCENT, QUIET = 28, 196, 130, 31, 243
"""Numbers of the 256 colours (xterm, "256colres.h")."""
NUMBERS = {"good": GOOD, "bad": BAD, "warning": WARNING, "accent": ACCENT, "quiet": QUIET}

THEME: Mapping[str, str] = {
    **{name: f"color({number})" for name, number in NUMBERS.items()},
    **{f"strong {name}": f"bold color({number})" for name, number in NUMBERS.items()},
}
"""Styles of rich by their meaning; beside them there is only ``bold``."""

CODES: Mapping[str, str] = {
    "error": f"1;38;5;{BAD}",
    "warning": f"1;38;5;{WARNING}",
    "hint": f"38;5;{ACCENT}",
    "good": f"38;5;{GOOD}",
    "strong": "1",
}
"""What ``terminal.paint`` writes (ECMA-48, "select graphic rendition")."""

_BOLD, _PLAIN = "bold", ""
_PAGE: Mapping[str, str] = {
    **{f"markdown.{name}": "none" for name in ("link", "link_url", "list", "item.number", "item.bullet")},
    **{f"markdown.{name}": "none" for name in ("block_quote", "code_block")},
    **{f"markdown.{name}": _BOLD for name in ("code", "em", "strong", "table.header")},
    **{f"markdown.h{level}": _BOLD for level in range(1, 7)},
    **{f"markdown.{name}": THEME["quiet"] for name in ("table.border", "hr")},
}
"""What rich's Markdown would show in colours of its own."""
_HELP: Mapping[str, str] = {
    "STYLE_OPTION": _BOLD,
    "STYLE_SWITCH": _BOLD,
    "STYLE_NEGATIVE_OPTION": _BOLD,
    "STYLE_NEGATIVE_SWITCH": _BOLD,
    "STYLE_COMMANDS_TABLE_FIRST_COLUMN": _BOLD,
    "STYLE_USAGE": _PLAIN,
    "STYLE_USAGE_COMMAND": _BOLD,
    "STYLE_HELPTEXT": _PLAIN,
    "STYLE_TYPES": THEME["quiet"],
    "STYLE_TYPES_SEPARATOR": THEME["quiet"],
    "STYLE_OPTION_DEFAULT": THEME["quiet"],
    "STYLE_OPTION_ENVVAR": THEME["quiet"],
    "STYLE_OPTIONS_PANEL_BORDER": THEME["quiet"],
    "STYLE_COMMANDS_PANEL_BORDER": THEME["quiet"],
    "STYLE_ERRORS_SUGGESTION": THEME["quiet"],
    "STYLE_DEPRECATED": THEME["bad"],
    "STYLE_DEPRECATED_COMMAND": THEME["quiet"],
    "STYLE_REQUIRED_SHORT": THEME["bad"],
    "STYLE_REQUIRED_LONG": THEME["bad"],
    "STYLE_ERRORS_PANEL_BORDER": THEME["bad"],
    "STYLE_ABORTED": THEME["bad"],
}


def dress_help(*, colours: bool) -> None:
    """Give typer's help our styles; without colours it is plain."""
    from typer import rich_utils

    settings: dict[str, Any] = dict(_HELP)
    for name, style in settings.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, style)
    rich_utils.COLOR_SYSTEM = "auto" if colours else None


def question_styles(*, colours: bool) -> dict[str, str]:
    """Return the classes of the questions, in terms of prompt_toolkit."""
    quiet = "#767676" if colours else _PLAIN  # the number 243
    return {
        "qmark": "noinherit bold",
        "question": "noinherit bold",
        "answer": "noinherit",
        "pointer": "noinherit reverse",
        "highlighted": "noinherit bold",
        "selected": "noinherit",
        "text": "noinherit",
        "instruction": f"noinherit {quiet}",
        "hint": quiet,
        "picked": "bold",
        "remark": "bold",
    }


_MARKS, _MARKS_IN_ASCII = "●○◌✗─│┌┐└┘━╌┿▲░\N{REPLACEMENT CHARACTER}", "*o~x-|++++=-|^/?"
_RICH_TERMINALS = {"xterm-kitty", "alacritty", "foot", "wezterm", "xterm-ghostty", "contour"}
"""Values of TERM without a number in them whose terminals have 256 colours (their terminfo entries)."""
_PIPED_WIDTH = 160
"""Columns of a table nobody looks at: wide enough for a line per profile."""


@cache
def _piece() -> re.Pattern[str]:
    """Return what finds a word, or a command, which stays whole.

    A command is what is between backticks, or after a colon to the end of its sentence.
    """
    from credtray.core.shell_words import PROGRAMS  # most commands fold nothing

    return re.compile(
        rf"`[^`\n]+`\S*|(?:(?<=: )|^)(?:{PROGRAMS}) \S(?:(?!; |, (?!Env:)|[.]? ?$|[.] ).)*\S*|\S+"
    )


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
    for piece in _piece().findall(line.lstrip()):
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
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and _understands_escapes(stream)


if sys.platform == "win32":

    def _understands_escapes(stream: TextIO) -> bool:
        """Tell whether escape sequences paint there: a console shows them as they are until it is asked.

        One in "legacy" mode refuses.
        """
        import ctypes
        import msvcrt
        from ctypes import wintypes

        try:
            console = wintypes.HANDLE(msvcrt.get_osfhandle(stream.fileno()))
        except OSError:
            return True  # not a stream of the system
        kernel, mode = ctypes.WinDLL("kernel32"), wintypes.DWORD()
        if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
            return True
        return bool(kernel.SetConsoleMode(console, wintypes.DWORD(mode.value | _ESCAPES)))

    _ESCAPES = 0x0001 | 0x0004
    """ENABLE_PROCESSED_OUTPUT and ENABLE_VIRTUAL_TERMINAL_PROCESSING (consoleapi.h)."""

else:

    def _understands_escapes(_stream: TextIO) -> bool:
        """Tell whether escape sequences paint there, as they do on each terminal that is not "dumb"."""
        return True


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
        theme=Theme({**THEME, **_PAGE}),
        force_terminal=colourful(stream) or None,
        no_color=not (colourful(stream) and has_colours(os.environ)),
        legacy_windows=not _understands_escapes(stream),  # it would ask stdout, whatever the stream is
    )
