"""A real X server without a screen, on a display number of its own choosing, for one test."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


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
    read_end, write_end = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(write_end),
        "-screen",
        "0",
        "800x600x24",
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    process = subprocess.Popen(
        command, pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield Xvfb(f":{number}", process)
    finally:
        process.kill()
        process.wait()
