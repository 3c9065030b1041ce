"""`credtray demo` as people run it: a real process, real children, the caller's home beside it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.portal import ROOT

PATIENCE_SECONDS = 280.0
"""The story takes half a minute on an idle machine."""
STEPS = [
    "portal",
    "set up",
    "signed in",
    "agent",
    "kept",
    "switched",
    "asked",
    "asked",
    "ran",
    "refreshed",
    "warned",
    "warned",
    "ended",
    "signed in",
    "kept",
    "asked",
    "signed out",
    "removed",
    "stopped",
]
MODULE = ["-I", "-m", "credtray", "demo"]


@pytest.fixture
def caller(home: Path) -> Path:
    """A home that somebody uses: nothing in it may change."""
    aws = home / ".aws"
    (aws / "sso" / "cache").mkdir(parents=True)
    (aws / "config").write_text("[profile mine]\nregion = eu-west-1\n")
    (aws / "credentials").write_text("[mine]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n")
    (aws / "sso" / "cache" / "token.json").write_text("{}")
    return home


def everything_in(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (directory, *directory.rglob("*"))
    }


def labels(output: str) -> list[str]:
    """Return the second column of the timeline."""
    return [found[1].strip() for found in re.finditer(r"^ \d\d:\d\d  (.{10})", output, re.MULTILINE)]


def steps(output: str) -> list[str]:
    """Return the labels; of the many refreshes only the first."""
    found = labels(output)
    return [label for at, label in enumerate(found) if label != "refreshed" or "refreshed" not in found[:at]]


def told_home(output: str) -> Path:
    """Return the throw-away home the demo told of."""
    found = re.search(r"All of it in (\S+)\. ", output)
    assert found is not None, output
    return Path(found[1])


def agent_pid(output: str) -> int:
    found = re.search(r"credtray run \(pid (\d+)\)", output)
    assert found is not None, output
    return int(found[1])


def gone(pid: int, within: float = 60.0) -> bool:
    """Wait until there is no such process."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the demo, without a desktop unless the test gives one."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Read what it prints until a line holds the word."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


ALONE = ["--unattended"] if sys.platform == "win32" else []
"""Without a display it is unattended by itself; Windows has one always."""


def test_unattended_demo_tells_the_whole_story_and_leaves_no_trace(caller: Path) -> None:
    before = everything_in(caller)

    with running(*MODULE, *ALONE) as demo:
        output, _ = demo.communicate(timeout=PATIENCE_SECONDS)

    assert demo.returncode == 0, output
    assert steps(output) == STEPS
    assert labels(output).count("refreshed") >= 4
    assert re.search(r"warned +synderys: sign-in ends in about (28|29|30) min", output)
    assert re.search(r"warned +synderys: sign-in ends in about (8|9|10) min", output)
    assert re.search(r"^2 sign-ins, 2 browser windows, [5-9] silent refreshes", output, re.MULTILINE)
    assert "secrets on screen and in the log: 0" in output
    assert "CANARY" not in output
    assert "Your real home was not touched." in output
    assert everything_in(caller) == before
    assert not told_home(output).exists()
    assert gone(agent_pid(output))


@pytest.mark.posix("signals")
def test_ctrl_c_ends_everything_and_removes_the_home(caller: Path) -> None:
    before = everything_in(caller)

    with running(*MODULE, "--unattended") as demo:
        output = read_until(demo, "credtray run (pid")
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=30)

    assert demo.returncode == 130, rest
    assert rest.endswith("Ended early; nothing is left behind.\n")
    assert "Traceback" not in rest
    assert gone(agent_pid(output))
    assert not told_home(output).exists()
    assert everything_in(caller) == before


@pytest.mark.posix("signals")
def test_agent_ends_when_the_demo_is_killed(caller: Path) -> None:
    with running(*MODULE, "--unattended") as demo:
        output = read_until(demo, "credtray run (pid")
        demo.kill()
        demo.communicate(timeout=30)

    assert gone(agent_pid(output))
    shutil.rmtree(told_home(output))


BROKEN = """
import sys
from credtray.demo.__main__ import main
from credtray.demo.identity_center.faults import Status
sys.exit(main({arguments}, prepare=lambda portal: portal.inject({operation!r}, {fault})))
"""
DENIED = """Status(403, '{"message":"No access"}', "application/json")"""
INVALID = """Status(400, '{"error":"invalid_request"}', "application/json")"""


@pytest.mark.parametrize(
    ("operation", "fault", "step", "told"),
    [
        ("RegisterClient", INVALID, "set up", ["portal"]),
        ("GetRoleCredentials", DENIED, "kept", ["portal", "set up", "signed in", "agent"]),
    ],
)
def test_portal_that_refuses_fails_the_demo_at_that_step(
    caller: Path, operation: str, fault: str, step: str, told: list[str]
) -> None:
    arguments = ["--unattended", "--keep"]
    code = BROKEN.format(arguments=arguments, operation=operation, fault=fault)

    with running("-c", code) as demo:
        output, _ = demo.communicate(timeout=PATIENCE_SECONDS)
    kept = told_home(output)

    assert demo.returncode == 1, output
    assert labels(output) == [*told, "failed"]
    assert f"failed      {step}: " in output
    assert "CANARY" not in output
    assert (kept / ("env.ps1" if sys.platform == "win32" else "env")).exists()  # --keep
    shutil.rmtree(kept)
