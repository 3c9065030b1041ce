"""A command whose output nobody reads any more, on Windows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from credtray.core.errors import CredtrayError

assert sys.platform == "win32"

pytestmark = pytest.mark.windows


@pytest.mark.parametrize("words", [("version",), ("--help",), ("status", "--json")])
@pytest.mark.usefixtures("home")
def test_command_whose_reader_has_gone_ends_without_a_word(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-I", "-m", "credtray", *words]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)

    assert done.stderr == b""
    assert done.returncode not in {0, CredtrayError.exit_code}
