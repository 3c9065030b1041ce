"""These texts are written in UTC, wherever the tests run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def in_utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        if sys.platform != "win32":
            time.tzset()
        yield
    if sys.platform != "win32":
        time.tzset()
