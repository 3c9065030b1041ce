"""How much a test tries in each tier: ``make quick``, ``make test`` and ``make soak`` (ADR 40)."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("CREDTRAY_SOAK"))
QUICK = bool(os.environ.get("CREDTRAY_QUICK")) and not SOAK


def examples(usual: int) -> int:
    """Return how many examples, kills or requests to try.

    ``make soak`` tries ten times ``usual``. The others stop earlier where ``usual`` is a lot:
    ``make test`` at 2,000, ``make quick`` at 500.
    """
    if SOAK:
        return usual * 10
    return min(usual, 500 if QUICK else 2_000)
