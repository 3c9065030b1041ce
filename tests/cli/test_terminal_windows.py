"""Colours in a console of Windows, which shows escape sequences as they are until it is told to obey."""

from __future__ import annotations

import subprocess
import sys

import pytest

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

IN_A_CONSOLE = """
import ctypes, io, msvcrt, os, sys
from ctypes import wintypes
from credtray.cli import terminal

kernel = ctypes.WinDLL("kernel32")
kernel.CreateFileW.restype = wintypes.HANDLE
console = kernel.CreateFileW("CONOUT$", 0xC0000000, 3, None, 3, 0, None)
stream = open(msvcrt.open_osfhandle(console, os.O_WRONLY), "w", encoding="utf-8")
kernel.SetConsoleMode(wintypes.HANDLE(console), wintypes.DWORD(3))  # as cmd.exe leaves it
if sys.argv[1] == "legacy":
    class Old:
        GetConsoleMode = kernel.GetConsoleMode
        SetConsoleMode = staticmethod(lambda *_words: 0)
    ctypes.WinDLL = lambda *_words: Old

painted = terminal.paint("x", "good", stream)
mode = wintypes.DWORD()
kernel.GetConsoleMode(wintypes.HANDLE(console), ctypes.byref(mode))
drawn = terminal.screen(stream, 40)
print(ascii(painted), bool(mode.value & 4), drawn.legacy_windows, drawn.color_system, drawn.no_color)
"""


@pytest.mark.parametrize(
    ("console", "expected"),
    [
        ("new", r"'\x1b[38;5;28mx\x1b[0m' True False 256 False"),
        ("legacy", "'x' False True windows True"),
    ],
)
def test_console_is_asked_for_colours_and_one_that_refuses_gets_none(console: str, expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CONSOLE, console],
        capture_output=True,
        text=True,
        check=False,
        creationflags=subprocess.CREATE_NO_WINDOW,
        timeout=60,
    )

    assert done.stderr == ""
    assert done.stdout.strip() == expected
