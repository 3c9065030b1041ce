"""Text measured in the cells of a terminal, where a Chinese letter or an emoji takes two. Pure."""

from __future__ import annotations

from prompt_toolkit.utils import get_cwidth

_ELLIPSIS = "…"


def width_of(text: str) -> int:
    """Return how many cells the text takes."""
    return get_cwidth(text)


def padded(text: str, width: int) -> str:
    """Return the text with blanks up to *width* cells."""
    return text + " " * max(0, width - width_of(text))


def cut(text: str, width: int) -> str:
    """Return the text in at most *width* cells (1 or more); a longer one loses its middle."""
    if width_of(text) <= width:
        return text
    room = max(width, 1) - 1
    head, tail = "", ""
    for char in text:
        if width_of(head + char) > room - room // 2:
            break
        head += char
    for char in reversed(text):
        if width_of(char + tail) > room - width_of(head):
            break
        tail = char + tail
    return f"{head}{_ELLIPSIS}{tail}"
