"""A command in a pseudo-terminal: a test reads what a person would see and types what a person would type."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from types import TracebackType
from typing import Protocol, Self

from tests.cli.real_world import ROOT, SECONDS

if sys.platform != "win32":
    import pty
    import termios
    from fcntl import ioctl

ENTER, SPACE, TAB, ESCAPE, DOWN, CTRL_A, CTRL_C = "\r", " ", "\t", "\x1b", "\x1b[B", "\x01", "\x03"
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])")


class Inhabited(Protocol):
    """A user's home, in which commands run."""

    @property
    def environment(self) -> dict[str, str]: ...
    def command(self, *words: str) -> list[str]: ...


class TerminalSession:
    """Ends the command with the block, however the block ends."""

    def __init__(self, world: Inhabited, *words: str, **variables: str) -> None:
        self._environment = {**world.environment, "PROMPT_TOOLKIT_NO_CPR": "1", **variables}
        self._command = world.command(*words)
        self._seen = b""
        self._looked = 0

    def __enter__(self) -> Self:
        self._terminal, inside = pty.openpty()
        ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            preexec_fn=lambda: ioctl(inside, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- Ctrl-C needs the terminal
        )
        os.close(inside)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def type(self, *keys: str) -> None:
        for key in keys:
            os.write(self._terminal, key.encode())
            time.sleep(0.05)  # a pasted burst is read as one; a person's keys come one by one

    def stopped_and_resumed(self) -> None:
        """Do as Ctrl-Z and `fg`: meanwhile a shell sets the terminal up for itself."""
        before = termios.tcgetattr(self._terminal)
        self._process.send_signal(signal.SIGSTOP)
        usual = [*before[:3], before[3] | termios.ECHO | termios.ICANON, *before[4:]]
        termios.tcsetattr(self._terminal, termios.TCSANOW, usual)
        self._process.send_signal(signal.SIGCONT)

    @property
    def echoes(self) -> bool:
        """Whether what is typed shows."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    def expect(self, text: str) -> None:
        """Wait until the text appears below what was expected before."""
        until = time.monotonic() + SECONDS
        while (found := self.screen.find(text, self._looked)) < 0:
            assert time.monotonic() < until, f"{text!r} did not appear in:\n{self.screen}"
            assert self._read(until), f"it ended before {text!r} in:\n{self.screen}"
        self._looked = found + len(text)

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        until = time.monotonic() + SECONDS
        while self._read(until):
            pass
        return self._process.wait(SECONDS)

    @property
    def screen(self) -> str:
        """Everything that was printed, without escapes."""
        return _ESCAPE.sub(b"", self._seen).decode(errors="replace").replace("\r\n", "\n")

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self._seen += data
        return bool(data)
