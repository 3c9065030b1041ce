"""Standard input, output and error as a command finds them: closed, full, of any encoding.

Writes nothing by itself.
"""

from __future__ import annotations

import codecs
import os
import sys
from typing import TextIO

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
