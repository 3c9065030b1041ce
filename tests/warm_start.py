"""Starts programs of this checkout without paying for an interpreter and its imports each time.

One process (tests/forker.py) has imported credtray and its portal and forks for each program. What it forks
is a process like any other: its own pid, signals, environment, descriptors, folder and exit code. Only /proc
shows arguments and environment of the process it came from. Tests that look there start programs cold, and so
does all of ``make soak`` (ADR 50).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from tests.soak import SOAK

_ONLY_A_START_READS = ("LD_", "PYTHON", "MALLOC_", "LC_", "LANGUAGE")
_EVERYTHING = 1 << 20

FORKER = Path(__file__).resolve().with_name("forker.py")


class Program:
    """A program that was forked: of ``subprocess.Popen[str]`` that which the tests use."""

    def __init__(self, words: list[str], life: socket.socket, ends: tuple[int, int, int]) -> None:
        self.args = words
        self.stdin, self.stdout, self.stderr = (
            None if end < 0 else open(end, mode, encoding="utf-8")  # noqa: PTH123, SIM115 -- a descriptor, not a path
            for end, mode in zip(ends, ("w", "r", "r"), strict=True)
        )
        self.returncode: int | None = None
        self._life = life
        self.pid = self._told()

    def _told(self) -> int:
        """Read one number: the pid at first, at the end the exit code."""
        told = self._life.recv(64)
        if not told:
            raise ChildProcessError("the process that forks has gone")
        return int(told)

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._life.settimeout(timeout)
            try:
                self.returncode = self._told()
            except (TimeoutError, BlockingIOError) as error:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from error
            self._life.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return what is left to read of output and errors, when it has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        found: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        with selectors.DefaultSelector() as open_ends:
            for name in found:
                if (end := getattr(self, name)) is not None and not end.closed:
                    open_ends.register(end, selectors.EVENT_READ, name)
            while open_ends.get_map():
                left = None if deadline is None else deadline - time.monotonic()
                ready = open_ends.select(left)
                if not ready:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
                for key, _ in ready:
                    part = os.read(key.fd, _EVERYTHING)
                    found[key.data] += part
                    if not part:
                        open_ends.unregister(key.fileobj)
                        getattr(self, key.data).close()
        self.wait(None if deadline is None else max(deadline - time.monotonic(), 0.1))
        return found["stdout"].decode(), found["stderr"].decode()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.stdin, self.stdout, self.stderr):
            if end is not None:
                end.close()
        self.wait()


Process = subprocess.Popen[str] | Program


def can_start(environ: Mapping[str, str]) -> bool:
    """Tell whether a fork would live as the environment says, and not only a new interpreter."""
    return sys.platform == "linux" and not any(name.startswith(_ONLY_A_START_READS) for name in environ)


def start(
    module: str,
    *words: str,
    env: Mapping[str, str],
    stdin: int | IO[Any] = subprocess.DEVNULL,
    stdout: int | IO[Any] = subprocess.PIPE,
    stderr: int | IO[Any] = subprocess.PIPE,
    cold: bool = SOAK,
) -> Process:
    """Start ``python -I -m MODULE WORDS`` with that environment, in the caller's folder."""
    if not cold and can_start(env):
        return _forked([module, *words], env, (stdin, stdout, stderr))
    command = [sys.executable, "-I", "-m", module, *words]
    asked = env.get("PYTHONIOENCODING", "").partition(":")[0] or None  # without it, the system's own
    return subprocess.Popen(
        command, env=env, stdin=stdin, stdout=stdout, stderr=stderr, text=True, encoding=asked
    )


def _forked(words: list[str], env: Mapping[str, str], streams: tuple[int | IO[Any], ...]) -> Program:
    theirs: list[int] = []
    ours: list[int] = []
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number, wanted in enumerate(streams):
        ends = (-1, null)
        if wanted == subprocess.PIPE:
            read, write = os.pipe()
            ends = (write, read) if number == 0 else (read, write)
        elif wanted != subprocess.DEVNULL:
            ends = (-1, wanted if isinstance(wanted, int) else wanted.fileno())
        ours.append(ends[0])
        theirs.append(ends[1])
    life, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps numbers apart
    wish = json.dumps({"words": words, "env": dict(env), "cwd": os.fspath(Path.cwd())})
    with other:
        socket.send_fds(_forker(), [b"+"], [other.fileno(), *theirs])
    for end in {null, *(end for end, our in zip(theirs, ours, strict=True) if our >= 0)}:
        os.close(end)
    life.send(wish.encode())
    return Program(words, life, (ours[0], ours[1], ours[2]))


@functools.cache
def _forker() -> socket.socket:
    """Return the line to the process that forks: one for this process, which ends with it."""
    ours, theirs = socket.socketpair()
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/nonexistent"}
    command = [sys.executable, "-I", str(FORKER), str(theirs.fileno())]
    with theirs:
        process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    process.returncode = 0  # nobody waits for it: it ends when this process does
    atexit.register(ours.close)
    return ours
