"""Measures rewriting a credentials file of 2,000 sections: one section, and all of them in one pass."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.configloader

from credtray.aws.credentials_file import CredentialsFile
from credtray.core.models import RoleCredentials, Secret, SectionKeys
from credtray.files.shared_file import SharedFile

SECTIONS = 2000
ROUNDS = 5
ONE_LIMIT = 100.0
ALL_LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in milliseconds; botocore's own reading of the same file gives the measure."""

    one: float
    every: float
    botocore: float

    def lines(self) -> list[str]:
        """Return the rows of the table."""
        reading = f"botocore needs {self.botocore:.0f} ms to read the file"
        one = f"(< {ONE_LIMIT:.0f}; {reading}: {self.one / self.botocore:.2f} x)"
        every = f"(< {ALL_LIMIT:.0f}; {self.every / self.botocore:.2f} x)"
        return [
            f"1 of {SECTIONS} sections rewritten    {self.one:9.0f} ms  {one}",
            f"all {SECTIONS} sections in one pass   {self.every:9.0f} ms  {every}",
        ]


def measure() -> Result:
    """Write with fsync, from reading the file to the new one in its place."""
    with tempfile.TemporaryDirectory(prefix="credtray-bench-") as directory:
        home = Path(directory)
        file = CredentialsFile(SharedFile(home / "credentials", home / "locks", backup_directory=home))
        names = [f"account-{number:04d}-admin" for number in range(SECTIONS)]
        _timed(file, names, 0)
        one = [_timed(file, names[1000:1001], turn) for turn in range(1, ROUNDS + 1)]
        every = [_timed(file, names, turn) for turn in range(ROUNDS + 1, 2 * ROUNDS + 1)]
        reading = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            botocore.configloader.raw_config_parse(str(home / "credentials"))
            reading.append(1000 * (time.perf_counter() - began))
    return Result(statistics.median(one), statistics.median(every), statistics.median(reading))


def _timed(file: CredentialsFile, names: list[str], turn: int) -> float:
    now = datetime.now(UTC) + timedelta(minutes=turn)
    wanted = [SectionKeys(name, name, _keys(now, f"{turn}X{number}")) for number, name in enumerate(names)]
    replaced: list[float] = []
    began = time.perf_counter()
    file.sync(wanted, (), now, on_replaced=lambda: replaced.append(time.perf_counter()))
    return 1000 * (replaced[0] - began)


def _keys(now: datetime, name: str) -> RoleCredentials:
    secret, token = Secret("s" * 40), Secret("t" * 900)
    return RoleCredentials(f"ASIA{name}", secret, token, now + timedelta(hours=1), now)
