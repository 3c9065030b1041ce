"""How many examples a property test runs: what ``make test`` can afford, or ten times as many."""

from __future__ import annotations

import os


def examples(quick: int) -> int:
    """Return the number of hypothesis examples: ``quick``, or ten times that when CREDTRAY_SOAK is set."""
    return quick * 10 if os.environ.get("CREDTRAY_SOAK") else quick
