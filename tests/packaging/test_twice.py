"""What fails among all tests gets a second run alone: `packaging/twice.sh`, as `make test` calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.posix("a script for sh")

ROOT = Path(__file__).parents[2]
MODULE = """\
import os
import pathlib
import pytest

RUNS = pathlib.Path(__file__).with_name("runs")


@pytest.mark.parametrize("number", range(6))
def test_it(number: int) -> None:
    with RUNS.open("a") as file:
        file.write(f"{number} ")
    often = RUNS.read_text().split().count(str(number))
    assert number >= FAILING or often > FAILURES
"""


def run(folder: Path, *, failing: int, failures: int) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run six tests, of which the first *failing* fail so many times; also return which ran, in order."""
    (folder / ".venv").mkdir()
    module = folder / "test_it.py"
    module.write_text(MODULE.replace("FAILING", str(failing)).replace("FAILURES", str(failures)), "utf-8")
    pytest_here = [sys.executable, "-m", "pytest", "-q", "-p", "tests.whole_run", "-p", "no:randomly"]
    done = subprocess.run(
        ["sh", ROOT / "packaging" / "twice.sh", module.name, *pytest_here],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'agent'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, (folder / "runs").read_text().split()


def test_nothing_runs_again_where_nothing_failed(tmp_path: Path) -> None:
    done, ran = run(tmp_path, failing=0, failures=0)

    assert (done.returncode, len(ran)) == (0, 6), done.stdout
    assert "twice" not in done.stdout


def test_one_that_passes_when_alone_is_named_in_the_last_line(tmp_path: Path) -> None:
    done, ran = run(tmp_path, failing=1, failures=1)

    assert (done.returncode, ran) == (0, [*"012345", "0"]), done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("test_it.py::test_it[0]")


def test_one_that_fails_when_alone_has_failed(tmp_path: Path) -> None:
    done, ran = run(tmp_path, failing=1, failures=2)

    assert (done.returncode, ran) == (1, [*"012345", "0"])


@pytest.mark.parametrize(("failing", "again"), [(3, 3), (4, 0)])
def test_more_than_three_get_no_second_run(tmp_path: Path, failing: int, again: int) -> None:
    done, ran = run(tmp_path, failing=failing, failures=1)

    assert (done.returncode, len(ran)) == (int(failing > 3), 6 + again), done.stdout
