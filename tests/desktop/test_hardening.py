from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.posix("limits and modes of processes")

ROOT = Path(__file__).parents[2]


def hardened(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a hardened process that was allowed to dump core before."""
    program = "from credtray.desktop.hardening import harden\nundone = harden()\n" + code
    generous = 'ulimit -c unlimited; exec "$0" -c "$1"'
    return subprocess.run(
        ["/bin/sh", "-c", generous, sys.executable, program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "agent")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_files_made_afterwards_are_private(tmp_path: Path) -> None:
    hardened("open('file', 'w').close()", tmp_path)

    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_crash_leaves_no_core(tmp_path: Path) -> None:
    done = hardened("import os; os.abort()", tmp_path)

    assert done.returncode == -signal.SIGABRT
    assert list(tmp_path.iterdir()) == []


def test_process_is_not_dumpable_and_may_not_write_a_core(tmp_path: Path) -> None:
    done = hardened(
        "import ctypes, resource\n"
        "print(undone, ctypes.CDLL(None).prctl(3), resource.getrlimit(resource.RLIMIT_CORE))",
        tmp_path,
    )

    assert done.stdout == "[] 0 (0, 0)\n"


def test_thousand_clients_fit_where_the_hard_limit_allows(tmp_path: Path) -> None:
    done = hardened("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])", tmp_path)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    assert int(done.stdout) >= min(hard, 4096)
