"""The tests' hand in Windows: starts programs there, finds windows and sends them messages.

Run by a Python for Windows as ``python hand.py PORT``: does what it reads from that port of this machine, one
JSON line each, until the connection ends; then whatever it started ends, too. As ``python hand.py visit
JOURNAL URL`` it is a browser whose user is signed in by itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import urllib.request
import winreg
from ctypes import wintypes
from pathlib import Path
from typing import Any

EXPLORER = r"Software\Wine\Explorer"


def show_taskbar(size: str) -> None:
    """Have Wine's desktop be a window with a taskbar, in every program that starts from now on."""
    registry: Any = winreg
    values = [(EXPLORER, "Desktop", "shell"), (EXPLORER + r"\Desktops", "shell", size)]
    for key, name, value in values:
        with registry.CreateKey(registry.HKEY_CURRENT_USER, key) as opened:
            registry.SetValueEx(opened, name, 0, registry.REG_SZ, value)


class Hand:
    """What can be asked for; each method's name is what is asked."""

    def __init__(self) -> None:
        self.programs: dict[int, subprocess.Popen[bytes]] = {}
        libraries: Any = ctypes
        self._user32 = libraries.WinDLL("user32")
        for name in ("SendMessageW", "PostMessageW"):
            call = getattr(self._user32, name)
            call.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t]
        self._user32.SendMessageW.restype = ctypes.c_ssize_t

    def start(self, words: list[str], environ: dict[str, str], output: str) -> int:
        """Start Python with these words; return its process id."""
        with Path(output).open("ab") as file:
            program = subprocess.Popen(
                [sys.executable, *words],
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.programs[program.pid] = program
        return program.pid

    def python(self) -> str:
        """Return where python.exe is."""
        return sys.executable

    def kill(self, pid: int) -> None:
        """End a program, if it has not ended."""
        self.programs[pid].kill()

    def wait(self, pid: int, seconds: float) -> int | None:
        """Return a program's exit code; None: it has not ended in time."""
        try:
            return self.programs[pid].wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def windows(self, pid: int) -> list[tuple[int, str]]:
        """Return a program's top-level windows and the names of their classes."""
        owner = wintypes.DWORD()
        found = []
        for window, name in self._all_windows():
            self._user32.GetWindowThreadProcessId(ctypes.c_void_p(window), ctypes.byref(owner))
            if owner.value == pid:
                found.append((window, name))
        return found

    def _all_windows(self) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        libraries: Any = ctypes
        name = ctypes.create_unicode_buffer(100)

        def each(window: int, _: int) -> int:
            self._user32.GetClassNameW(ctypes.c_void_p(window), name, len(name))
            found.append((window, name.value))
            return 1

        procedure = libraries.WINFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_ssize_t)
        self._user32.EnumWindows(procedure(each), 0)
        return found

    def hide_balloon(self) -> None:
        """Hide the balloon: Wine lets nobody take it away for ten seconds."""
        for window, name in self._all_windows():
            if name == "tooltips_class32":
                self._user32.ShowWindow(ctypes.c_void_p(window), 0)

    def send(self, window: int, message: int, wparam: int, lparam: int) -> int:
        """Send a message and return the answer."""
        return int(self._user32.SendMessageW(window, message, wparam, lparam))

    def post(self, window: int, message: int, wparam: int, lparam: int) -> int:
        """Post a message."""
        return int(self._user32.PostMessageW(window, message, wparam, lparam))

    def end(self) -> None:
        """End whatever was started, and Wine's own programs of this C: drive."""
        for program in self.programs.values():
            program.kill()
        subprocess.run(["wineboot.exe", "--kill"], check=False)


def serve(port: int) -> None:
    """Do what the test asks."""
    hand = Hand()
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rwb") as lines:
            for line in lines:
                asked = json.loads(line)
                answer = getattr(hand, asked.pop("do"))(**asked)
                lines.write(json.dumps(answer).encode() + b"\n")
                lines.flush()
    finally:
        hand.end()


def visit(journal: str, url: str) -> None:
    """Note the address and go there."""
    with Path(journal).open("a", encoding="utf-8") as file:
        file.write(url + "\n")
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - whatever a browser is told to open
        answer.read()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["visit", journal, url]:
            visit(journal, url)
        case ["taskbar", size]:
            show_taskbar(size)
        case [port]:
            serve(int(port))
