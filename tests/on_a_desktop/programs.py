"""One program of the test desktop, from its start to its end, ended by its own id and with all it started.

Knows nothing about desktops.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

GRACE_SECONDS = 3.0

# Should the tests themselves be killed, nothing of the desktop stays behind.
_DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")


class Program:
    """A running program that leads a process group of its own."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environ: dict[str, str],
        output: Path,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = Path(command[0]).name
        self._output = output
        with output.open("ab") as file:
            self._process = subprocess.Popen(
                [*_DIES_WITH_US, *command],
                env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file, pass_fds=pass_fds,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """What it printed, for the message of a failed test."""
        return self._output.read_text(errors="replace")

    def suspend(self) -> None:
        """Let it hang: its connections stay open and nothing is answered."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_group(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does."""
        self._finish()

    def end(self) -> None:
        """Ask it to end; make it end when it does not listen."""
        if self._process.returncode is None:
            self.resume()
            self._signal_group(signal.SIGTERM)
            self._ended_within(GRACE_SECONDS)
            self._finish()

    def _ended_within(self, seconds: float) -> bool:
        # A pidfd tells the end without reaping: until then the id of the group is nobody else's.
        descriptor = os.pidfd_open(self.pid)
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)

    def _finish(self) -> None:
        if self._process.returncode is None:
            self._signal_group(signal.SIGKILL)
            self._process.wait(GRACE_SECONDS)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
