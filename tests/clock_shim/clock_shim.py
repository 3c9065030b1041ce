"""Lets a real process, and all it starts, live in another time: a machine that slept, a clock that was set.

Never shifts the time of the tests themselves.
"""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

SOURCE = Path(__file__).with_name("clock_shim.c")


def compiled(directory: Path) -> Path:
    """Compile the library into the directory and return its path."""
    library = directory / "clock_shim.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, "-o", library, SOURCE], check=True, timeout=60)
    return library


class ShiftedTime:
    """One other time; processes with ``environ`` read their clocks through the compiled *library*."""

    def __init__(self, library: Path, directory: Path) -> None:
        self._library = library
        self._file = directory / "clock_shift"
        self._real = self._boot = 0
        self._write()

    @property
    def environ(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "CLOCK_SHIM_FILE": str(self._file)}

    @property
    def shift(self) -> timedelta:
        """How far the wall clock of the shifted processes is ahead of ours."""
        return timedelta(seconds=self._real)

    def sleep(self, **parts: float) -> None:
        """The machine slept so long: both clocks went on, and nothing ran. Parts as of a timedelta."""
        seconds = round(timedelta(**parts).total_seconds())
        self._real += seconds
        self._boot += seconds
        self._write()

    def set_clock(self, **parts: float) -> None:
        """Somebody moved the hands of the clock by so much."""
        self._real += round(timedelta(**parts).total_seconds())
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._real} {self._boot}\n")
        new.replace(self._file)
