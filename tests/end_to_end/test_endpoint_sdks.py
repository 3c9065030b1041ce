"""Real SDKs over hours: programs that never restart have good keys all the time, without anybody's doing."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clock_shim.clock_shim import ShiftedTime, compiled
from tests.end_to_end.house import House
from tests.portal import running

ROOT = Path(__file__).resolve().parents[2]
JS = ROOT / "tests" / "js"
PYTHON_READER = Path(__file__).with_name("sdk_reader.py")
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or NODE is None or not (JS / "node_modules").is_dir(),
    reason="needs gcc, node and its packages: sh packaging/environment.sh tools",
)


@dataclass
class Program:
    """A reader that runs on and on."""

    process: subprocess.Popen[str]

    def keys(self) -> dict[str, dict[str, Any]]:
        """Return what it holds now, by the way it came."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the program ended with {self.process.wait(10)}"
        found: dict[str, dict[str, Any]] = json.loads(line)
        return found


@contextmanager
def program(environ: dict[str, str], *command: str | Path) -> Iterator[Program]:
    with subprocess.Popen(
        command, env=environ, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


@pytest.fixture
def elsewhen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShiftedTime:
    """A time in which everything lives that is started from now on."""
    time = ShiftedTime(compiled(tmp_path), tmp_path)
    for name, value in time.environ.items():
        monkeypatch.setenv(name, value)
    return time


def test_programs_have_good_keys_for_hours(elsewhen: ShiftedTime, home: Path) -> None:
    with ExitStack() as stack:
        portal = stack.enter_context(running("--auto-approve", "alice", "--interval", "1"))
        house = House(home, portal)
        house.environ |= elsewhen.environ
        ask = shlex.join([sys.executable, "-I", "-m", "credtray", "credentials", "synderys-dns"])
        house.configure(more=f"\n[profile by-process]\ncredential_process = {ask}\n")
        stack.enter_context(house.agent())
        house.run("login")
        told = json.loads(house.run("endpoint", "synderys-dns", "--json").stdout)
        environ = {**house.environ, **told["environment"], "AWS_EC2_METADATA_DISABLED": "true"}
        assert NODE is not None
        programs = {
            "botocore": stack.enter_context(program(environ, sys.executable, PYTHON_READER, "by-process")),
            "JavaScript": stack.enter_context(program(environ, NODE, JS / "endpoint.mjs", "by-process")),
        }
        seen: dict[str, list[str]] = {}
        for _ in range(4):
            for name, each in programs.items():
                for way, keys in each.keys().items():
                    seen.setdefault(f"{name} by {way}", []).append(keys["key"])

                    assert keys["whole"], (name, way)
                    assert keys["left"] > 15 * 60, (name, way, keys)
            elsewhen.sleep(minutes=57)

        assert len(seen) == 5
        for way, keys_seen in seen.items():
            assert len(set(keys_seen)) == 4, way
        assert house.calls("GetRoleCredentials") <= 8
        assert len(house.visits()) == 1
