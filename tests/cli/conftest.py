"""The command line's tests read the clock in UTC and draw 80 columns, wherever they run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich._windows import WindowsConsoleFeatures

from credtray.demo.identity_center import IdentityCenter
from tests.cli.real_world import World
from tests.connect_proxy import ConnectProxy


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TERMINAL_WIDTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TZ", "UTC")
    if sys.platform == "win32":
        # Help is drawn for the test's own console, which is none; rich takes that for one of Windows 8.
        monkeypatch.setattr("rich.console._windows_console_features", WindowsConsoleFeatures(True, True))
    else:
        time.tzset()
    yield
    monkeypatch.undo()
    if sys.platform != "win32":
        time.tzset()


@pytest.fixture
def world(home: Path, portal: IdentityCenter) -> Iterator[World]:
    """A user whose browser signs in by itself."""
    portal.set_lifetimes(interval=timedelta(seconds=1))
    portal.auto_approve()
    with ConnectProxy(portal.port) as proxy:
        yield World(home, portal, proxy)
