"""Finds the names a person may have meant. Knows nothing of profiles or settings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return up to ``most`` known names that look like ``name``, best first, ignoring case."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=most, cutoff=0.5)
    return [by_folded[folded] for folded in close]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean ...?`` or an empty text."""
    names = nearest(name, known)
    return f" Did you mean {' or '.join(names)}?" if names else ""
