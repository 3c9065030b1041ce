"""Measures `credtray doctor` on 2,000 profiles against reading the same two files, bare and by botocore.

Everything happens in a throw-away home without agent, AWS CLI and network; the drawing is not measured.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import botocore.configloader

from credtray.doctor import collect
from credtray.doctor.all_rules import findings
from credtray.doctor.command import doctor_document, row, tabled
from credtray.doctor.resolution.answer import Client
from credtray.environment import Environment

PROFILES = 2000
ROUNDS = 5
LIMIT = 5.0
"""Times what botocore needs to read both files: the table takes reading them as four kinds of clients do."""
_SESSION = """\
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"""


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in milliseconds."""

    doctor: float
    """Looking, judging, and the table of the profiles in use, as JSON values."""
    every: float
    """The same with the table of all profiles and clients: ``--all``."""
    bare: float
    botocore: float

    @property
    def ratio(self) -> float:
        """How many times as long as botocore needs to read both files."""
        return self.doctor / self.botocore

    def lines(self) -> list[str]:
        """Return the rows of the table."""
        reading = f"botocore needs {self.botocore:.0f} ms to read both files, their bytes {self.bare:.1f} ms"
        used = f"{self.ratio:.2f} x botocore's reading (<= {LIMIT:g}; {reading})"
        every = f"{self.every / self.botocore:.2f} x, {PROFILES * len(Client)} answers of who uses what"
        return [
            f"doctor on {PROFILES} profiles         {self.doctor:9.0f} ms  {used}",
            f"doctor --all on {PROFILES} profiles   {self.every:9.0f} ms  {every}",
        ]


def measure() -> Result:
    """Lay the home out and look at it some times over, each round beside botocore."""
    with tempfile.TemporaryDirectory(prefix="credtray-bench-") as directory:
        home = Path(directory)
        config, credentials = _lay(home)
        environ = {"HOME": directory, "PATH": str(home)}
        where = Environment(environ=environ, home=home)

        def reading() -> None:
            for path in (config, credentials):
                botocore.configloader.raw_config_parse(str(path))

        def bare() -> None:
            for path in (config, credentials):
                path.read_bytes()

        rounds = [
            (
                _timed(lambda: _doctor(where, every=False)),
                _timed(lambda: _doctor(where, every=True)),
                _timed(bare),
                _timed(reading),
            )
            for _ in range(ROUNDS)
        ]
    return Result(*(statistics.median(column) for column in zip(*rounds, strict=True)))


def _lay(home: Path) -> tuple[Path, Path]:
    folder = home / ".aws"
    folder.mkdir(mode=0o700)
    names = [f"account-{number:04d}-admin" for number in range(PROFILES)]
    profiles = (
        f"[profile {name}]\nsso_session = corp\nsso_account_id = {100_000_000_000 + number}\n"
        "sso_role_name = Admin\nregion = us-east-1\n"
        for number, name in enumerate(names)
    )
    keys = (
        f"[{name}]\naws_access_key_id = ASIA{number}\naws_secret_access_key = {'s' * 40}\n"
        f"aws_session_token = {'t' * 900}\n"
        for number, name in enumerate(names)
    )
    (folder / "config").write_text(_SESSION + "".join(profiles))
    (folder / "credentials").write_text("".join(keys))
    return folder / "config", folder / "credentials"


def _doctor(where: Environment, *, every: bool) -> None:
    seen = collect.look(where)
    if seen.facts.unknown:
        raise RuntimeError(f"not everything was seen: {seen.facts.unknown}")
    around = seen.surroundings()
    table = {name: row(around, name) for name in tabled(seen.facts, (), every=every)}
    doctor_document(seen.facts, findings(seen.facts), table, 0)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def main() -> int:
    """Print the table; exit 1 when the target is missed."""
    result = measure()
    sys.stdout.write("\n".join(result.lines()) + "\n")
    return 0 if result.ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
