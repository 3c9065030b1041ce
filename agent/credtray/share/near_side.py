"""The near side of `credtray share`: shares, and knows what is shared on this computer.

Each shared profile is a process with a socket of its own; they are found by asking those sockets.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.environment import region_of
from credtray.core.errors import CommandNotFound, CommandRefused, UsageError
from credtray.core.forms import Form
from credtray.core.models import Way
from credtray.core.protocol import Credentials
from credtray.core.shell_words import word
from credtray.core.state_words import clock_time
from credtray.desktop import paths
from credtray.files.directory_safety import private_directory

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

from credtray.share.link import Link, Told, Wanted  # noqa: E402 -- not on Windows

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", re.ASCII)
_ASK_SECONDS = 2.0
_MOST_BYTES = 65536


def carry_out(host: str, profile: str, region: str | None, seconds: float | None) -> None:
    """Share until Ctrl-C, ``--stop``, or the end of the time.

    Raises:
        CommandNotFound: there is no ssh.
        CommandRefused: the connection could not be made; why is in ssh's words.
        UsageError: it is shared with that machine already.
        CredtrayError: there are no keys of that profile.
    """
    program = shutil.which("ssh")
    if program is None:
        raise CommandNotFound("ssh")
    ask(Credentials(profile, Way.SHARE))  # what cannot be had is told before anything is connected
    wanted = Wanted(
        host,
        profile,
        _plain_name(profile),
        region or region_of(profile),
        _origin(),
        _place(host, profile),
    )
    link = Link(
        wanted,
        paths.asset("share/far.sh"),
        lambda: _keys(profile),
        Told(_Ready(wanted.host, profile), _broken),
        (program,),
    )
    why = asyncio.run(_until_stopped(link, seconds))
    if why is not None:
        raise CommandRefused(f"ssh: {why}", hint=f"Try: ssh {host}")
    terminal.say(f"{profile} is no longer shared with {host}.")


async def _until_stopped(link: Link, seconds: float | None) -> str | None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, link.stop)
    return await link.run(seconds)


def _keys(profile: str) -> bytes:
    return ask(Credentials(profile, Way.SHARE)).line()


class _Ready:
    """Tells a person what to type at the far end; after the first time, that it is there again."""

    def __init__(self, host: str, profile: str) -> None:
        self._host = host
        self._profile = profile
        self._told = False

    def __call__(self, file: str) -> None:
        if self._told:
            terminal.say(f"{_now()}  connected again")
            return
        self._told = True
        terminal.say(f"{self._profile} is shared with {self._host} while this runs. There, type:")
        terminal.show_exactly(f"  . {word(file, Form.POSIX)}\n")
        terminal.say("Ctrl-C ends it.")


def _broken(why: str, seconds: float) -> None:
    terminal.say(f"{_now()}  the connection broke ({why}); trying again in {seconds:.0f} s")


def _now() -> str:
    now = datetime.now(UTC)
    return clock_time(now, now, None)


def _plain_name(profile: str) -> str:
    """Return the profile as a word for files and for the config file at the far end."""
    if _WORD.fullmatch(profile):
        return profile
    return f"profile-{sha256(profile.encode()).hexdigest()[:8]}"


def _origin() -> str:
    name = socket.gethostname()
    return name if _WORD.fullmatch(name) else "the other computer"


# --- what is shared ---------------------------------------------------------------------------------


def _directory() -> Path:
    return paths.runtime_directory() / "share"


def _place(host: str, profile: str) -> Path:
    """Return where this one hands out keys.

    Raises:
        UsageError: it is shared with that machine already.
    """
    path = private_directory(_directory()) / f"{sha256(f'{host} {profile}'.encode()).hexdigest()[:12]}.sock"
    if _asked(path, "GET /about") is not None:
        raise UsageError(
            f"{profile} is shared with {host} already", hint="To end that: credtray share --stop"
        )
    path.unlink(missing_ok=True)  # of one that was killed
    return path


def running(host: str | None, *, stop: bool) -> Iterator[Mapping[str, Any]]:
    """Yield what is shared, with one machine or with all; with *stop*, that is the end of it.

    What does not answer is yielded empty, and goes on.

    Raises:
        AgentRefused: there is no place for sockets on this computer.
    """
    for path in sorted(_directory().glob("*.sock")):
        about = _asked(path, "GET /about")
        if about is None:
            path.unlink(missing_ok=True)  # of one that was killed
        elif not about or (host in {None, about.get("host")} and (not stop or _asked(path, "POST /stop"))):
            yield about


def _asked(path: Path, request: str) -> Mapping[str, Any] | None:
    """Ask a sharing process; None where there is none, nothing where it does not answer."""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as link:
        link.settimeout(_ASK_SECONDS)
        try:
            link.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        link.sendall(f"{request} HTTP/1.1\r\nHost: credtray\r\n\r\n".encode())
        answer = b""
        while len(answer) < _MOST_BYTES and (part := link.recv(_MOST_BYTES)):
            answer += part
        found = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found if isinstance(found, dict) else {}
    return {}
