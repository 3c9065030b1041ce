"""The log while another program has it open, on Windows itself."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from credtray.daemon.log import PrivateLogFile

assert sys.platform == "win32"

pytestmark = pytest.mark.windows


def _emit(handler: PrivateLogFile, first: int, last: int) -> None:
    for number in range(first, last):
        text = f"{number:08d}"
        handler.emit(logging.LogRecord("credtray.test", logging.INFO, __file__, 1, text, None, None))


def test_log_that_an_editor_has_open_loses_no_line_and_rotates_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "agent.log"
    handler = PrivateLogFile(path, limit=100, copies=3)
    _emit(handler, 0, 36)
    with path.open("rb"):
        _emit(handler, 36, 44)
    _emit(handler, 44, 46)
    handler.close()
    files = sorted(tmp_path.iterdir(), reverse=True)
    kept = [line for file in files for line in file.read_text().split()]

    assert kept[-18:] == [f"{number:08d}" for number in range(28, 46)]
    assert [file.name for file in files] == ["agent.log.3", "agent.log.2", "agent.log.1", "agent.log"]
