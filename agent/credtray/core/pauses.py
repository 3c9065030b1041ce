"""How long to wait before what failed is tried again, where a row of seconds says it. Pure.

Waits for nothing. What the portal is spared is in ``backoff``.
"""

from __future__ import annotations

from collections.abc import Sequence


def pause_after(failures: int, row: Sequence[float]) -> float:
    """Return the seconds after so many failures before this one; the last of the row is for good."""
    return row[min(failures, len(row) - 1)]
