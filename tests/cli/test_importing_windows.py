"""Pasting keys into a console of Windows: nothing shows, and the console is as it was afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

IN_A_CONSOLE = """
import ctypes, msvcrt, os, signal, sys
from ctypes import wintypes
from credtray.pasted.command import _quiet_console

kernel = ctypes.WinDLL("kernel32")
kernel.CreateFileW.restype = wintypes.HANDLE
console = kernel.CreateFileW("CONIN$", 0xC0000000, 3, None, 3, 0, None)
sys.stdin = open(msvcrt.open_osfhandle(console, os.O_RDONLY), "r")

def mode():
    found = wintypes.DWORD()
    assert kernel.GetConsoleMode(wintypes.HANDLE(console), ctypes.byref(found))
    return found.value

before, heard = mode(), []
try:
    with _quiet_console():
        heard.append(mode())
        signal.raise_signal(getattr(signal, sys.argv[1]))
except KeyboardInterrupt:
    heard.append("interrupted")
print(bool(before & 4), before & ~4 == heard[0], heard[1:], mode() == before, flush=True)
"""


@pytest.mark.parametrize("interrupt", ["SIGINT", "SIGBREAK"])
def test_the_console_does_not_echo_and_shows_again_after_an_interrupt(interrupt: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CONSOLE, interrupt],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        creationflags=subprocess.CREATE_NO_WINDOW,
        timeout=60,
    )

    assert done.stdout.split("\n")[0].strip() == "True True ['interrupted'] True"
