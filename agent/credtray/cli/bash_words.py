"""The line before the cursor as bash reads it, and completed words as its readline wants to insert them.

Pure. Bash hands over the raw line and replaces only what follows the last of its word breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_PLAIN = frozenset("_./:=@%+,-")
_ESCAPED_IN_DOUBLE_QUOTES = frozenset('"$`\\')


@dataclass(slots=True)
class Typed:
    """The text to the left of the cursor."""

    words: list[str] = field(default_factory=list)
    """The complete words, without quotes; the program's name first."""
    raw: str = ""
    """The word under the cursor as it was typed."""
    value: str = ""
    """The same without quotes."""
    quote: str = ""
    """The quote that is still open in it."""
    kept: int = 0
    """How much of ``raw`` readline leaves alone."""


def read(line: str, breaks: str) -> Typed:
    """Read a command line up to the cursor; *breaks* is COMP_WORDBREAKS."""
    typed, escaped = Typed(), False
    for char in line:
        if not typed.raw and char.isspace():
            continue
        if not escaped and not typed.quote and char.isspace():
            typed.words.append(typed.value)
            typed.raw, typed.value, typed.kept = "", "", 0
            continue
        typed.raw += char
        if escaped:
            keeps = typed.quote == '"' and char not in _ESCAPED_IN_DOUBLE_QUOTES
            typed.value += f"\\{char}" if keeps else char
            escaped = False
        elif char == "\\" and typed.quote != "'":
            escaped = True
        elif char == typed.quote or (not typed.quote and char in "'\""):
            typed.quote = "" if typed.quote else char
            typed.kept = len(typed.raw)
        else:
            typed.value += char
            if not typed.quote and char in breaks:
                typed.kept = len(typed.raw)
    return typed


def inserted(typed: Typed, value: str) -> str:
    """Return what bash has to insert for a whole word that begins with what was typed."""
    return typed.raw[typed.kept :] + _quoted(value[len(typed.value) :], typed.quote)


def _quoted(rest: str, quote: str) -> str:
    if quote == "'":
        return rest.replace("'", "'\\''")
    if quote == '"':
        return "".join(f"\\{char}" if char in _ESCAPED_IN_DOUBLE_QUOTES else char for char in rest)
    return "".join(char if char.isalnum() or char in _PLAIN else f"\\{char}" for char in rest)
