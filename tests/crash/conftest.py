from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.tracing import Server


@pytest.fixture
def server() -> Iterator[Server]:
    if shutil.which("strace") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("strace is missing: apt-get install strace")
        pytest.skip("no strace here")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def arena() -> Iterator[Path]:
    """On a file system in memory where there is one: fsync is called all the same, and costs nothing."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:  # noqa: S108 - only speed
        yield Path(name)
