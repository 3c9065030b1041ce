"""A program that was forked behaves as one that was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm_start
from tests.end_to_end.house import House
from tests.portal import running

ENVIRON = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "Asia/Kolkata", "ODD": "ä=\n"}

pytestmark = [
    pytest.mark.posix("fork"),
    pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only"),
]


def both(module: str, *words: str, environ: dict[str, str]) -> list[tuple[int, str, str]]:
    """Return exit code, output and errors: of a forked program, and of a started one."""
    forked = warm_start.start(module, *words, env=environ, cold=False)
    out, err = forked.communicate(timeout=60)
    started = subprocess.run(
        [sys.executable, "-I", "-m", module, *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return [(forked.wait(), out, err), (started.returncode, started.stdout, started.stderr)]


@pytest.mark.parametrize(
    "words",
    [("version", "--json"), ("nonesuch",), ("status", "--json", "--what"), ("profiles",), ("explain", "ä")],
)
def test_it_says_the_same_and_ends_the_same(home: Path, words: tuple[str, ...]) -> None:
    forked, started = both("credtray", *words, environ={**ENVIRON, "HOME": str(home)})

    assert forked == started


@pytest.mark.parametrize("environ", [ENVIRON, {"PATH": os.environ["PATH"]}])
def test_environment_folder_and_words_are_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    look = "import os, sys, time; print(sorted(os.environ.items()), os.getcwd(), sys.argv[1:], time.tzname)"
    forked, started = both("timeit", "-n1", "-r1", "-s", look, "'an odd word'", environ=environ)

    assert forked[0] == started[0] == 0
    assert forked[1].splitlines()[0] == started[1].splitlines()[0]


def test_signals_reach_it_and_its_end_is_told(home: Path) -> None:
    with running() as found:
        house = House(home, found, cold=False)
        house.configure("synderys-dns")
        with house.agent() as agent:
            assert house.status()["agent"]["pid"] == agent.pid
            assert agent.poll() is None
            agent.send_signal(signal.SIGKILL)

            assert agent.wait(60) == -signal.SIGKILL
            assert agent.poll() == -signal.SIGKILL


def test_one_that_goes_on_is_not_waited_for_longer_than_said(home: Path) -> None:
    with warm_start.start("http.server", "0", env={**ENVIRON, "HOME": str(home)}, cold=False) as forked:
        with pytest.raises(subprocess.TimeoutExpired):
            forked.wait(0.01)
        with pytest.raises(subprocess.TimeoutExpired):
            forked.communicate(timeout=0.01)
        forked.terminate()

        assert forked.wait(60) == -signal.SIGTERM


def test_what_only_a_start_reads_is_started() -> None:
    assert warm_start.can_start(ENVIRON)
    assert not warm_start.can_start({**ENVIRON, "LD_PRELOAD": "/some/shim.so"})
    assert not warm_start.can_start({**ENVIRON, "PYTHONWARNINGS": "error"})
