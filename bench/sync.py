"""Measures how long N profiles take from "activate" to the last keys, and to the file that holds them.

The portal answers GetRoleCredentials after 50 ms, eight at once: the limit is ceil(N / 8) times 50 ms. The
product also paces itself (20 at once, then 20 per second) because the live portal throttles; that is
measured apart, against its own limit.

    python -m bench.sync N RATE      (RATE: calls per second, 0 for no pace; run by ``measure``)
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bench.world import profile_names, world
from credtray.app import build
from credtray.aws.clients import Clients
from credtray.aws.credentials_file import CredentialsFile
from credtray.aws.role_credentials import (
    FETCH_BURST,
    FETCHES_PER_SECOND,
    BotocoreRoleCredentials,
    TokenBucket,
)
from credtray.core.events import Activated, Asked, Event, Fetched, FilesChanged
from credtray.core.models import SectionKeys
from credtray.core.ports import Mark, SyncReport
from credtray.daemon.loop import Loop, LoopOptions
from credtray.daemon.workers import Workers
from credtray.environment import Environment

LATENCY = 0.05
AT_ONCE = 8
TARGET = 1.15


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement in milliseconds."""

    profiles: int
    limit: float
    took: float
    """Until the last keys were there."""
    written: float
    """Until the credentials file held them: 20 ms more at least, to see that nobody else is writing it."""
    rewrites: int
    paced: bool

    @property
    def ratio(self) -> float:
        """How many times the limit it took."""
        return self.took / self.limit

    def line(self) -> str:
        """Return the row of the table."""
        pace = "paced" if self.paced else "no pace"
        limit = f"{self.ratio:.2f} x the limit of {self.limit:.0f} ms (<= {TARGET})"
        took = (
            f"{self.took:9.0f} ms  {limit}, written after {self.written:.0f} ms in {self.rewrites} rewrite(s)"
        )
        return f"sync of {self.profiles:3d} profiles, {pace:8s}{took}"


class TimedFile:
    """A credentials file that notes when it was replaced."""

    def __init__(self, file: CredentialsFile) -> None:
        self._file = file
        self.replaced: list[float] = []

    def stamp(self) -> object:
        """As the file's."""
        return self._file.stamp()

    def marks(self) -> tuple[Mark, ...]:
        """As the file's."""
        return self._file.marks()

    def sync(self, wanted: Sequence[SectionKeys], removed: Collection[str], now: datetime) -> SyncReport:
        """As the file's, with the moment noted."""
        return self._file.sync(
            wanted, removed, now, on_replaced=lambda: self.replaced.append(time.perf_counter())
        )


async def _once(names: list[str], rate: float) -> dict[str, float]:
    components = build(Environment())
    clock = components.ports.clock
    pace = TokenBucket(rate or 1e9, FETCH_BURST if rate else 10**9, clock)
    file = TimedFile(CredentialsFile(components.shared_file(components.environment.aws.credentials)))
    ports = replace(
        components.ports,
        credentials_file=file,
        role_credentials=BotocoreRoleCredentials(Clients(), clock, pace),
    )
    workers = Workers()
    workers.start()
    came: list[float] = []

    def heard(event: Event) -> None:
        if isinstance(event, Fetched):
            came.append(time.perf_counter())

    loop = Loop(ports, workers, components.state_file.load(), conduct=LoopOptions(heard=heard))
    loop.start()
    await loop.everything_settled(30)
    loop.take(Asked(names[-1]))  # loads botocore and makes its client: a running agent has done that long ago
    await loop.everything_settled(30)
    wanted = names[:-1]
    started = time.perf_counter()
    loop.take(Activated(tuple(wanted)))
    loop.take(FilesChanged())
    await loop.everything_settled(120)
    return {
        "took": 1000 * (came[-1] - started),
        "written": 1000 * (file.replaced[-1] - started),
        "rewrites": len(file.replaced),
    }


def measure(profiles: int, rate: float, rounds: int = 3) -> Result:
    """Return the median of a few runs, each in a process and a home of its own."""
    with world(profiles + 1) as house:
        house.portal.command("latency", operation="GetRoleCredentials", seconds=LATENCY)
        names = profile_names(house)
        found = []
        for _ in range(rounds):
            house.credentials.unlink(missing_ok=True)
            (house.home / ".local" / "state" / "credtray" / "state.json").unlink(missing_ok=True)
            done = subprocess.run(  # noqa: S603 - this very module
                [sys.executable, "-m", "bench.sync", str(rate), *names],
                env=house.environ, capture_output=True, text=True, check=True,
            )  # fmt: skip
            found.append(json.loads(done.stdout))
    found.sort(key=lambda each: each["took"])
    middle = found[len(found) // 2]
    took, written = middle["took"], middle["written"]
    return Result(profiles, _limit(profiles, rate), took, written, int(middle["rewrites"]), paced=rate > 0)


def _limit(profiles: int, rate: float) -> float:
    portal = 1000 * LATENCY * math.ceil(profiles / AT_ONCE)
    # One call of the burst was spent on making the client.
    pace = 1000 * (max(0, profiles + 1 - FETCH_BURST) / rate + LATENCY) if rate else 0.0
    return max(portal, pace)


def results() -> list[Result]:
    """Measure everything this file is for."""
    return [
        *(measure(profiles, 0) for profiles in (1, 10, 100)),
        measure(100, FETCHES_PER_SECOND, rounds=1),
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_once(sys.argv[2:], float(sys.argv[1])))))
