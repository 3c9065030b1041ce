"""The near side of `credtray share`: shares one profile, in this process, until it is stopped.

What is shared on this computer, by whichever process, is known by ``shared``.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.environment import region_of
from credtray.core.errors import CommandNotFound, CommandRefused, FileContended, UsageError
from credtray.core.forms import Form
from credtray.core.models import Way
from credtray.core.protocol import Credentials
from credtray.core.shell_words import word
from credtray.core.state_words import clock_time
from credtray.desktop import paths
from credtray.files.directory_safety import private_directory
from credtray.files.file_lock import FileLock
from credtray.share.shared import directory, tell_the_agent

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

from credtray.share.hand_out import Doors, HandOut  # noqa: E402 -- not on Windows
from credtray.share.link import Link, Scripts, Told, Wanted  # noqa: E402 -- as above

_OTHER_SHELLS = (".fish", ".csh")
"""What the file is called for a shell that knows no dot."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", re.ASCII)


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
    with _place(host, profile) as doors:
        why = asyncio.run(
            _shared(_Share(host, profile, region or region_of(profile), doors), program, seconds)
        )
    if why is not None:
        raise CommandRefused(f"ssh: {why}", hint=f"Try: ssh {host}")
    terminal.say(f"{profile} is no longer shared with {host}.")


@dataclass(frozen=True, slots=True)
class _Share:
    """Which profile is shared with whom, and where."""

    host: str
    profile: str
    region: str | None
    doors: Doors


async def _shared(share: _Share, program: str, seconds: float | None) -> str | None:
    """Share it until it is stopped; return as ``Link.run`` does."""
    host, profile = share.host, share.profile
    about = {"host": host, "profile": profile}
    hand_out = HandOut(share.doors, about, lambda: _keys(profile), lambda: _flooded(host))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, hand_out.stop)
    wanted = Wanted(host, _plain_name(profile), share.region, _origin(), share.doors.keys)
    scripts = Scripts(paths.asset("share/far.sh"), paths.asset("share/get.sh"))
    return await Link(wanted, scripts, hand_out, Told(_Ready(host, profile), _broken), (program,)).run(
        seconds
    )


@contextmanager
def _place(host: str, profile: str) -> Iterator[Doors]:
    """Hold the place of one shared profile: two processes for it would take it from each other.

    Raises:
        UsageError: it is shared with that machine already.
    """
    place = private_directory(directory())
    name = sha256(f"{host}\0{profile}".encode()).hexdigest()[:12]
    doors = Doors(place / f"{name}.keys", place / f"{name}.sock")
    try:
        with FileLock(place / f"{name}.lock", timeout=0):
            for path in (doors.keys, doors.control):
                path.unlink(missing_ok=True)  # of one that was killed
            yield doors
    except FileContended:
        raise UsageError(
            f"{profile} is shared with {host} already", hint="To end that: credtray share --stop"
        ) from None
    finally:
        tell_the_agent()


def _keys(profile: str) -> bytes:
    return ask(Credentials(profile, Way.SHARE)).line()


class _Ready:
    """Tells a person what to type at the far end; after the first time, that it is there again."""

    def __init__(self, host: str, profile: str) -> None:
        self._host = host
        self._profile = profile
        self._told = False

    def __call__(self, file: str) -> None:
        tell_the_agent()
        if self._told:
            terminal.say(f"{_now()}  connected again")
            return
        self._told = True
        terminal.say(f"{self._profile} is shared with {self._host} while this runs. There, type:")
        source = "source" if file.endswith(_OTHER_SHELLS) else "."
        terminal.show_exactly(f"  {source} {word(file, Form.POSIX)}\n")
        terminal.say("Ctrl-C ends it.")


def _flooded(host: str) -> None:
    terminal.say(f"{_now()}  {host} asks for keys again and again; what is too much is refused")


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
