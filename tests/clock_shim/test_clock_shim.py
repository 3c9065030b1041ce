from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clock_shim.clock_shim import ShiftedTime, compiled

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

# All ways Python itself asks for the time, on each line that comes in.
READER = """
import datetime, json, sys, threading, time
for _ in sys.stdin:
    began = time.monotonic()
    threading.Event().wait(0.01)
    print(json.dumps({
        "time": time.time(),
        "datetime": datetime.datetime.now(datetime.UTC).timestamp(),
        "localtime": time.mktime(time.localtime()),
        "running": time.clock_gettime(time.CLOCK_BOOTTIME),
        "awake": time.monotonic(),
        "waited": time.monotonic() - began,
    }), flush=True)
"""


@pytest.fixture
def shifted(tmp_path: Path) -> ShiftedTime:
    return ShiftedTime(compiled(tmp_path), tmp_path)


class Reader:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def reader(shifted: ShiftedTime) -> Iterator[Reader]:
    command = [sys.executable, "-I", "-S", "-c", READER]
    environ = {**os.environ, **shifted.environ}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True
    ) as process:
        yield Reader(process)


def ahead(found: dict[str, float]) -> dict[str, float]:
    """How far each clock is ahead of ours, in seconds, to the nearest ten."""
    now = {
        "time": time.time(),
        "datetime": time.time(),
        "localtime": time.time(),
        "running": time.clock_gettime(time.CLOCK_BOOTTIME),
        "awake": time.monotonic(),
    }
    return {name: round(found[name] - now[name], -1) for name in now}


def test_unshifted_process_lives_in_our_time(shifted: ShiftedTime) -> None:
    with reader(shifted) as process:
        found = ahead(process.read())

    assert found == {"time": 0, "datetime": 0, "localtime": 0, "running": 0, "awake": 0}


def test_running_process_wakes_up_from_four_hours_of_sleep(shifted: ShiftedTime) -> None:
    with reader(shifted) as process:
        process.read()
        shifted.sleep(hours=4)
        found = process.read()

    assert ahead(found) == {
        "time": 14400, "datetime": 14400, "localtime": 14400, "running": 14400, "awake": 0
    }  # fmt: skip
    assert found["waited"] < 1


def test_clock_that_is_set_moves_the_wall_clock_alone(shifted: ShiftedTime) -> None:
    with reader(shifted) as process:
        shifted.set_clock(minutes=-20)
        found = ahead(process.read())

    assert found == {"time": -1200, "datetime": -1200, "localtime": -1200, "running": 0, "awake": 0}


def test_program_it_starts_lives_in_the_same_time(shifted: ShiftedTime) -> None:
    shifted.sleep(days=2)
    script = "import subprocess; subprocess.run(['date', '+%s'])"
    environ = {**os.environ, **shifted.environ}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], env=environ, capture_output=True, text=True, check=True
    )

    assert round(int(done.stdout) - time.time(), -1) == 2 * 86400
