"""What was asked of the Identity Center: the counters that tests and the demo's timeline read.

It holds names and times only, never a token, key or code. Any thread may read while another records.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime

_KEPT = 200_000
# Enough for a soak of days; older calls are forgotten, the totals are not.


@dataclass(frozen=True, slots=True)
class Call:
    """One request, answered or deliberately not."""

    operation: str
    at: datetime
    status: int
    """0 where a fault sent no whole answer."""
    account_id: str | None = None
    role_name: str | None = None
    grant: str | None = None


class Journal:
    """Every call, and the scopes that clients registered."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._scopes: list[tuple[str, ...]] = []
        self._totals: Counter[str] = Counter()
        self._lock = threading.Lock()

    def record(self, call: Call) -> None:
        """Add one call."""
        with self._lock:
            self._calls.append(call)
            self._totals[call.operation] += 1

    def record_scopes(self, scopes: tuple[str, ...]) -> None:
        """Add the scopes one client registered."""
        with self._lock:
            self._scopes.append(scopes)

    def calls(self) -> list[Call]:
        """Return the calls, oldest first."""
        with self._lock:
            return list(self._calls)

    def scopes(self) -> list[tuple[str, ...]]:
        """Return the scopes of each RegisterClient, oldest first."""
        with self._lock:
            return list(self._scopes)

    def count(self, operation: str) -> int:
        """Return how often *operation* was called."""
        with self._lock:
            return self._totals[operation]

    def totals(self) -> dict[str, int]:
        """Return the number of calls by operation."""
        with self._lock:
            return dict(self._totals)

    def times(self, operation: str) -> list[datetime]:
        """Return when *operation* was called, oldest first."""
        return [call.at for call in self.calls() if call.operation == operation]

    def by_role(self) -> dict[tuple[str, str], int]:
        """Return the number of GetRoleCredentials calls by account id and role name."""
        return dict(
            Counter(
                (call.account_id, call.role_name)
                for call in self.calls()
                if call.account_id and call.role_name
            )
        )

    def by_grant(self) -> dict[str, int]:
        """Return the number of CreateToken calls by grant type."""
        return dict(Counter(call.grant for call in self.calls() if call.grant))

    def refused(self, operation: str) -> int:
        """Return how many calls of *operation* were answered with a status of 400 and above."""
        refusals = range(400, 600)
        return sum(call.operation == operation and call.status in refusals for call in self.calls())

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._calls.clear()
            self._scopes.clear()
            self._totals.clear()
