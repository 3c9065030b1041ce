"""A user with a portal, whose home is looked at before and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from credtray.demo.identity_center import IdentityCenter
from tests.cli.real_world import World
from tests.connect_proxy import ConnectProxy


@pytest.fixture
def world(home: Path, portal: IdentityCenter) -> Iterator[World]:
    """A user whose browser signs in by itself."""
    portal.set_lifetimes(interval=timedelta(seconds=1))
    portal.auto_approve()
    with ConnectProxy(portal.port) as proxy:
        yield World(home, portal, proxy)
