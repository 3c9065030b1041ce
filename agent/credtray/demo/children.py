"""The processes of the demo: the real `credtray`, the agent and programs, all ended with the demo.

Each runs in a session of its own, so that Ctrl-C reaches the demo alone, which then ends them in good order.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

_GRACE_SECONDS = 4.0
"""How long a process may take to end by itself: the agent promises three seconds."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended."""

    code: int
    out: str
    talk: str
    """What it wrote to standard error."""


class Child:
    """One process whose output is read line by line while it runs; ``begin`` makes one."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        readers: tuple[threading.Thread, ...],
        out: list[str],
        talk: list[str],
    ) -> None:
        self._process = process
        self._readers = readers
        self._out = out
        self._talk = talk

    @classmethod
    def begin(
        cls,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        hear: Callable[[str], None] = lambda _line: None,
        talk: Callable[[str], None] = lambda _line: None,
    ) -> Self:
        """Start a process.

        Args:
            arguments: of this Python, which nothing of the caller's folder or PYTHON* variables reaches.
            environment: all of it.
            hear: called in a thread with each line of standard output.
            talk: called in a thread with each line of standard error.
        """
        process = subprocess.Popen(  # noqa: S603 - this Python with arguments of our own
            [sys.executable, "-I", *arguments],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        out: list[str] = []
        said: list[str] = []
        readers = (_reader(process.stdout, out, hear), _reader(process.stderr, said, talk))
        return cls(process, readers, out, said)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    @property
    def talk(self) -> str:
        """What it wrote to standard error so far."""
        return "".join(self._talk)

    def finish(self, within: float) -> Finished:
        """Wait until it has ended, at most so many seconds.

        Raises:
            subprocess.TimeoutExpired: it has not.
        """
        code = self._process.wait(within)
        for reader in self._readers:
            reader.join(_GRACE_SECONDS)
        return Finished(code, "".join(self._out), self.talk)

    def end(self) -> None:
        """Make sure that it is gone: politely, then by force."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for reader in self._readers:
            reader.join(_GRACE_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _reader(stream: IO[str] | None, lines: list[str], hear: Callable[[str], None]) -> threading.Thread:
    def read() -> None:
        if stream is not None:
            with stream:
                for line in stream:
                    lines.append(line)
                    hear(line.rstrip("\n"))

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    return thread
