"""Makes a text one that D-Bus can carry. Changes nothing else about it."""

from __future__ import annotations


def carried(text: str) -> str:
    """Return the text with NUL and unpaired surrogates replaced (D-Bus specification, "Valid strings")."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
