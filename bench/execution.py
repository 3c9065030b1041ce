"""Measures `credtray exec P -- true` against bare `true` and against an interpreter that does nothing.

Runs alternate, so that a busy machine slows each of them: the ratios count, not the times.

    python -m bench.execution [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.world import profile_names, world

DOOR = str(Path(__file__).resolve().parents[1] / "agent" / "credtray" / "__main__.py")
ROUNDS = 30
FLOOR_LIMIT = 1.6
"""Times the interpreter alone. It is started as the installed command starts it: with its packages."""


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in milliseconds, and medians of the ratios of neighbouring runs."""

    bare: float
    floor: float
    ways: dict[str, tuple[float, float]]
    """Way -> (milliseconds, times the floor)."""

    @property
    def passed(self) -> bool:
        """True when each way keeps its limit."""
        return all(ratio <= FLOOR_LIMIT for _, ratio in self.ways.values())

    def lines(self) -> Iterator[str]:
        """Yield the table for a person."""
        yield f"true                            {self.bare:8.1f} ms"
        yield f"python -I -c pass               {self.floor:8.1f} ms"
        for way, (took, ratio) in self.ways.items():
            yield (
                f"{way:32}{took:8.1f} ms  {ratio:.2f} x the floor (<= {FLOOR_LIMIT}), "
                f"{took - self.bare:.0f} ms more than bare"
            )


def measure(rounds: int = ROUNDS) -> Result:
    """Run everything in turn, ``rounds`` times."""
    python = [sys.executable, "-I"]
    with world(1) as house:
        name = profile_names(house)[0]
        commands = {
            "true": ["true"],
            "floor": [*python, "-c", "pass"],
            "credtray exec P -- true": [*python, DOOR, "exec", name, "--", "true"],
            "credtray exec P --env -- true": [*python, DOOR, "exec", name, "--env", "--", "true"],
        }
        with house.agent():
            for command in commands.values():  # keys are fetched, the endpoint opens, bytecode is written
                _timed(command, house.environ)
            taken = [
                {way: _timed(each, house.environ) for way, each in commands.items()} for _ in range(rounds)
            ]
    medians = {way: statistics.median(each[way] for each in taken) for way in commands}
    ratios = {way: statistics.median(each[way] / each["floor"] for each in taken) for way in commands}
    ways = {way: (medians[way], ratios[way]) for way in commands if way not in {"true", "floor"}}
    return Result(medians["true"], medians["floor"], ways)


def _timed(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True)  # noqa: S603 -- ours, or `true`
    return 1000 * (time.perf_counter() - started)


def main() -> int:
    """Print the table; exit 1 when a target is missed."""
    result = measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
    sys.stdout.write("\n".join(result.lines()) + "\n")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
