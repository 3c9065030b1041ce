from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.house import House
from tests.portal import RunningPortal, running


@pytest.fixture
def portal() -> Iterator[RunningPortal]:
    with running("--auto-approve", "alice", "--interval", "1") as found:
        yield found


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> House:
    return House(home, portal)
