"""What the tests of the desktop share: a message bus of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop.dbus_daemon import DbusDaemon
from tests.soak import QUICK

HERE = Path(__file__).parent

collect_ignore = [each.name for each in HERE.glob("test_*.py") if QUICK and "xvfb" in each.read_text("utf-8")]
"""`make quick` starts no X server."""


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[DbusDaemon]:
    """A running private bus; DBUS_SESSION_BUS_ADDRESS names it."""
    if not DbusDaemon.installed():
        pytest.skip("needs dbus-daemon")
    # Not tmp_path: the address of a socket must stay below 108 bytes.
    directory = Path(tempfile.mkdtemp(prefix="bus"))
    daemon = DbusDaemon(directory)
    try:
        daemon.start()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.address)
        yield daemon
    finally:
        daemon.kill()
        shutil.rmtree(directory)
