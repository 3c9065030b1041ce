"""How much a test tries in each tier: ``make quick``, ``make test`` and ``make soak`` (ADR 40)."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("CREDTRAY_SOAK"))
QUICK = bool(os.environ.get("CREDTRAY_QUICK")) and not SOAK


def examples(usual: int) -> int:
    """Return how many examples, kills or requests to try.

    ``make soak`` tries ten times ``usual``, ``make test`` that many, but 1,000 at most, and ``make quick``
    a tenth, but 30 at least (if ``usual`` is more than that) and 200 at most.
    """
    if SOAK:
        return usual * 10
    return min(usual, min(max(usual // 10, 30), 200) if QUICK else 1_000)
