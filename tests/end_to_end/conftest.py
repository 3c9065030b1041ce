from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop.dbus_daemon import DbusDaemon
from tests.end_to_end.house import House
from tests.portal import RunningPortal, running


@pytest.fixture
def portal() -> Iterator[RunningPortal]:
    with running("--auto-approve", "alice", "--interval", "1") as found:
        yield found


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> House:
    return House(home, portal)


@pytest.fixture
def bus(house: House) -> Iterator[DbusDaemon]:
    if not DbusDaemon.installed():
        pytest.skip("needs dbus-daemon: sh packaging/environment.sh tools")
    directory = Path(tempfile.mkdtemp(prefix="bus"))  # a socket's path must be short
    daemon = DbusDaemon(directory)
    daemon.start()
    house.environ["DBUS_SESSION_BUS_ADDRESS"] = daemon.address
    try:
        yield daemon
    finally:
        daemon.kill()
        shutil.rmtree(directory)
