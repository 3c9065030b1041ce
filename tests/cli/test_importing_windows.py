"""Pasting keys into a console of Windows: nothing shows or is lost, and it is as it was afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

IN_A_CONSOLE = """
import ctypes, msvcrt, os, signal, sys
from ctypes import wintypes
from credtray.pasted import command

kernel = ctypes.WinDLL("kernel32")
kernel.CreateFileW.restype = wintypes.HANDLE
console = kernel.CreateFileW("CONIN$", 0xC0000000, 3, None, 3, 0, None)
sys.stdin = open(msvcrt.open_osfhandle(console, os.O_RDONLY), "r", encoding="utf-8")

def mode():
    found = wintypes.DWORD()
    assert kernel.GetConsoleMode(wintypes.HANDLE(console), ctypes.byref(found))
    return found.value

class Key(ctypes.Structure):
    # INPUT_RECORD (wincon.h) of a KEY_EVENT
    _fields_ = (
        ("event", wintypes.WORD), ("down", wintypes.BOOL), ("repeated", wintypes.WORD),
        ("key", wintypes.WORD), ("scan", wintypes.WORD), ("char", wintypes.WCHAR), ("state", wintypes.DWORD),
    )

def typed(text):
    for at in range(0, len(text), 200):
        keys = [Key(1, True, 1, 0, 0, each, 0) for each in text[at : at + 200]]
        written = wintypes.DWORD()
        assert kernel.WriteConsoleInputW(
            wintypes.HANDLE(console), (Key * len(keys))(*keys), len(keys), ctypes.byref(written)
        )
        assert written.value == len(keys)
"""
INTERRUPTED = """
before, heard = mode(), []
try:
    with command._quiet_console():
        heard.append(mode())
        signal.raise_signal(getattr(signal, sys.argv[1]))
except KeyboardInterrupt:
    heard.append("interrupted")
print(before & 6, before & ~6 == heard[0], heard[1:], mode() == before, flush=True)
"""
PASTED = """
token = "x" * 5_000
typed(f"aws_access_key_id=ASIA\\raws_session_token={token}\\rü\\r\\x1aleft over")
read = command.read_paste(None, clipboard=False).decode()
wanted = f"aws_access_key_id=ASIA|aws_session_token={token}|ü|"
left = wintypes.DWORD()
kernel.GetNumberOfConsoleInputEvents(wintypes.HANDLE(console), ctypes.byref(left))
print(read.replace("\\n", "|") == wanted, left.value, ascii(read[-40:]), flush=True)
"""


def in_a_console(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", IN_A_CONSOLE + script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        creationflags=subprocess.CREATE_NO_WINDOW,
        timeout=60,
    )


@pytest.mark.parametrize("interrupt", ["SIGINT", "SIGBREAK"])
def test_the_console_does_not_echo_and_shows_again_after_an_interrupt(interrupt: str) -> None:
    done = in_a_console(INTERRUPTED, interrupt)

    assert done.stdout.split("\n")[0].strip() == "6 True ['interrupted'] True"


def test_a_paste_ends_with_ctrl_z_whatever_the_length_of_its_lines_and_the_rest_is_gone() -> None:
    done = in_a_console(PASTED)

    assert done.stdout.split("\n")[0].strip().startswith("True 0 ")
    assert "Ctrl-Z" in done.stderr
