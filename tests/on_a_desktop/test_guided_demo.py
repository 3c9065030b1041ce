"""`credtray demo` on a desktop: it waits for clicks, and a person gives them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from credtray.demo import person
from tests.on_a_desktop.seat import Seat

SPEED = "360"


def read_until(demo: subprocess.Popen[str], word: str) -> str:
    """Read what it prints until a line holds the word."""
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def test_what_it_asks_for_is_done_by_clicks(seat: Seat, tmp_path: Path) -> None:
    browser = shlex.join([sys.executable, "-I", person.__file__, "alice", "demo"])
    kept = {name: seat.house.environ[name] for name in ("PATH", "HOME")}
    environ = {**seat.desktop.environ, **kept, "BROWSER": f"{browser} %s &", "LANG": "C.UTF-8"}
    environ.pop("LD_PRELOAD", None)
    with subprocess.Popen(
        [sys.executable, "-I", "-m", "credtray", "demo", "--speed", SPEED],
        env=environ, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as demo:  # fmt: skip
        try:
            told = read_until(demo, "Default profile > synderys-dns")
            seat.desktop.find_icon()
            seat.choose("Default profile", "synderys-dns")
            told += read_until(demo, "click Sign in on the notification")
            seat.clear_popups()
            seat.choose("Sign in")
            told += read_until(demo, "Sign out > Yes")
            seat.clear_popups()
            seat.choose("Sign out", "Yes, sign out of synderys")
            rest, _ = demo.communicate(timeout=120)
        finally:
            demo.kill()
    told += rest

    assert demo.returncode == 0, told
    assert "2 sign-ins, 2 browser windows" in told
    assert "switched    [default] is synderys-dns now" in told
    assert "Your real home was not touched." in told
