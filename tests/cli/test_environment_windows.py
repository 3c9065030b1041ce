"""On Windows `credtray env` sees which shell it was started from, and writes lines that this one takes in."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

assert sys.platform == "win32"

pytestmark = pytest.mark.windows
COMMAND = [sys.executable, "-I", "-m", "credtray", "env", "--unset"]
SHELLS = r"C:\windows\system32\WindowsPowershell\v1.0\Modules;C:\Program Files\WindowsPowerShell\Modules"


def printed(*command: str, **variables: str) -> str:
    environ = {**os.environ, **variables}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()[0]


def test_without_a_shell_above_it_is_cmd_that_every_windows_has() -> None:
    assert printed(*COMMAND, PSModulePath=SHELLS) == "SET AWS_ACCESS_KEY_ID="


def test_powershell_is_known_by_the_modules_of_the_person() -> None:
    mine = rf"C:\Users\me\Documents\WindowsPowerShell\Modules;{SHELLS}"

    assert printed(*COMMAND, PSModulePath=mine) == "Remove-Item Env:AWS_ACCESS_KEY_ID -ErrorAction Ignore"


def test_cmd_above_it_counts_before_the_variables_of_an_outer_powershell() -> None:
    mine = rf"C:\Users\me\Documents\WindowsPowerShell\Modules;{SHELLS}"

    assert (
        printed("cmd", "/c", subprocess.list2cmdline(COMMAND), PSModulePath=mine) == "SET AWS_ACCESS_KEY_ID="
    )
