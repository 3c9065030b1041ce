"""A throw-away home, signed in at an embedded portal, with any number of profiles. Measures nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.house import SESSION, House
from tests.portal import running


@contextmanager
def world(profiles: int) -> Iterator[House]:
    """Give a home whose user is signed in and has *profiles* profiles, one in each of as many accounts."""
    with (
        tempfile.TemporaryDirectory(prefix="credtray-bench-") as directory,
        running("--auto-approve", "alice", "--accounts", str(max(profiles, 1)), "--roles", "1") as portal,
    ):
        house = House(
            Path(directory), portal, cold=True
        )  # as people start it: forked ones carry the tests along
        house.config.parent.mkdir(mode=0o700)
        house.config.write_text(SESSION)
        house.run(
            "setup", "--session", "synderys", "--start-url", "https://d-9067000001.awsapps.com/start",
            "--region", "us-east-1", "--accounts", "all", "--roles", "all", "--template", "p-{account_id}",
            "--yes", seconds=600,
        )  # fmt: skip
        yield house


def profile_names(house: House) -> list[str]:
    """Return the names of the profiles in the config file."""
    lines = house.config.read_text().splitlines()
    return [line[len("[profile ") : -1].strip("'\"") for line in lines if line.startswith("[profile ")]
