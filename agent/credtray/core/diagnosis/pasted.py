"""Makes a text that somebody copied from a terminal, a log, a page or a JSON document readable.

What comes out is only compared with what is known; it is never shown.
"""

from __future__ import annotations

import html
import re

MOST_TEXT = 64 * 1024
"""Characters that are looked at: as many from the beginning as from the end, where the error usually is."""

_COLOURS = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
    r"|(?:\^\[|\\(?:u001b|x1b|033|e))\[[0-9;]{0,20}m"
    r"|\[(?:\d{1,3}(?:;\d{1,3})*)?m"
)
"""As bytes of a terminal, as other programs write those down, and what is left when one byte got lost."""
_ESCAPES = re.compile(r"\\{1,8}(?:[nrt](?![\w.-]{0,60}[\\:])|(?=[\"'/`]))")
"""Of JSON and of quoted strings; the names of a Windows path may begin with the same letters."""
_BACKSLASHES = re.compile(r"\\{9,}")
_FRAMES = re.compile(r"[\u2500-\u257f]")
"""Lines around an error, as Terraform draws them."""
_QUOTES = str.maketrans("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb", '\'\'\'\'"""""')


def readable(text: str) -> str:
    """Return the text without colours, frames and escapes, and with every run of blanks as one blank."""
    half = MOST_TEXT // 2
    bounded = text if len(text) <= MOST_TEXT else f"{text[:half]} {text[-half:]}"
    plain = _COLOURS.sub("", bounded)
    plain = _ESCAPES.sub(lambda found: " " if found[0][-1] in "nrt" else "", _many_backslashes(plain))
    plain = html.unescape(_FRAMES.sub(" ", plain)).translate(_QUOTES)
    return " ".join(plain.split())


def _many_backslashes(text: str) -> str:
    """Return the text with long runs of backslashes cut short: nothing that is known has them."""
    return _BACKSLASHES.sub(r"\\\\", text)


def stands_in(name: str, text: str) -> bool:
    """Tell whether a name stands in a text as a word of its own."""
    at = text.find(name)
    if at < 0 or not name:
        return False
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None
