"""A real X server without a screen, for one test, on a number that no later one gets.

Xvfb chooses the first free number by itself: that of a server that was killed is soon another test's.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_NUMBERS = itertools.count(1_000 * (_WORKER + 1) + os.getpid() % 10 * 100)


@dataclass(frozen=True, slots=True)
class Xvfb:
    """It runs."""

    address: str
    """What DISPLAY is set to."""
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """The X server dies in mid-run."""
        self.process.kill()
        self.process.wait()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the programs on it."""
        return {**os.environ, "DISPLAY": self.address}


@contextlib.contextmanager
def xvfb() -> Iterator[Xvfb]:
    """Start it; it is ready when it names its display on the pipe."""
    tries = map(_started, itertools.islice(_NUMBERS, 20))
    process, number = next((started for started in tries if started[1]), (None, ""))
    assert process is not None, "Xvfb did not start"
    try:
        yield Xvfb(f":{number}", process)
    finally:
        process.kill()
        process.wait()


def _started(number: int) -> tuple[subprocess.Popen[bytes], str]:
    """Start one with this number; the text is empty where another run of the tests has it."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", f":{number}", "-displayfd", str(write_end), "-screen", "0", "800x600x24"]
    process = subprocess.Popen(
        [*command, "-nolisten", "tcp", "-noreset"],
        pass_fds=[write_end],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        told = pipe.readline().strip()
    if not told:
        process.wait()
    return process, told
