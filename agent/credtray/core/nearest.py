"""Finds the names a person may have meant. Knows nothing of profiles or settings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_FAR_BEHIND = 0.15
"""Names of one session share half of their letters: those so much less alike than the best are noise."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return up to ``most`` known names that look like ``name``, best first, ignoring case."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    folded = name.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=most, cutoff=0.5)
    best = max((_likeness(folded, each) for each in close), default=0.0)
    return [by_folded[each] for each in close if _likeness(folded, each) >= best - _FAR_BEHIND]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean ...?`` or an empty text."""
    names = nearest(name, known)
    return f" Did you mean {' or '.join(names)}?" if names else ""
