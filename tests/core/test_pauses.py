from __future__ import annotations

from credtray.core.backoff import pause_after


def test_last_pause_of_a_row_is_for_good() -> None:
    assert [pause_after(failures, (1.0, 5.0, 30.0)) for failures in range(4)] == [1.0, 5.0, 30.0, 30.0]
