"""The near side of `credtray share`: shares one profile, in this process, until it is stopped.

With a machine through ssh, or with containers of this computer, which get a directory.

What is shared on this computer, by whichever process, is known by ``shared``.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from credtray.cli import terminal
from credtray.cli.backend import ask
from credtray.cli.environment import region_of
from credtray.core.errors import CommandNotFound, CommandRefused, FileContended, UsageError
from credtray.core.forms import Form
from credtray.core.models import Way
from credtray.core.protocol import Credentials
from credtray.core.shell_words import argument, word
from credtray.core.state_words import clock_time
from credtray.desktop import paths
from credtray.files.directory_safety import private_directory, translated
from credtray.files.file_lock import FileLock
from credtray.share.containers import compose_words, container_config, container_host, docker_words
from credtray.share.shared import directory, tell_the_agent

assert sys.platform != "win32"  # noqa: S101 -- the form that type checkers understand

from credtray.share.hand_out import Doors, HandOut  # noqa: E402 -- not on Windows
from credtray.share.link import Link, Scripts, Told, Wanted  # noqa: E402 -- as above

_OTHER_SHELLS = (".fish", ".csh")
"""What the file is called for a shell that knows no dot."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """What is to be shared."""

    profile: str
    region: str | None
    seconds: float | None
    """When it ends by itself."""


def carry_out(host: str, share: Share) -> None:
    """Share with a machine until Ctrl-C, ``--stop``, or the end of the time.

    Raises:
        CommandNotFound: there is no ssh.
        CommandRefused: the connection could not be made; why is in ssh's words.
        UsageError: it is shared with that machine already.
        CredtrayError: there are no keys of that profile.
    """
    program = shutil.which("ssh")
    if program is None:
        raise CommandNotFound("ssh")
    ask(Credentials(share.profile, Way.SHARE))  # what cannot be had is told before anything is connected
    already = UsageError(
        f"{share.profile} is shared with {host} already",
        hint=f"To end that: credtray share {argument(host)} --stop",
    )
    with _place(f"{host}\0{share.profile}", already) as place:
        why = asyncio.run(_linked(host, share, Doors(place.with_suffix(".keys"), place), program))
    if why is not None:
        raise CommandRefused(f"ssh: {why}", hint=f"Try: ssh {host}")
    terminal.say(f"{share.profile} is no longer shared with {host}.")


async def _linked(host: str, share: Share, doors: Doors, program: str) -> str | None:
    """Share it until it is stopped; return as ``Link.run`` does."""
    hand_out = _hand_out(host, share.profile, doors)
    wanted = Wanted(host, _plain_name(share.profile), _region(share), _origin(), doors.keys)
    scripts = Scripts(paths.asset("share/far.sh"), paths.asset("share/get.sh"))
    told = Told(_Ready(host, share.profile), _broken)
    return await Link(wanted, scripts, hand_out, told, (program,)).run(share.seconds)


def carry_out_for_containers(name: str, share: Share) -> None:
    """Share with the containers of this computer that get a certain directory, as long as ``carry_out`` does.

    The directory stays: a container keeps the one that it was started with.

    Raises:
        UsageError: that directory is in use.
        CredtrayError: there are no keys of that profile.
    """
    ask(Credentials(share.profile, Way.SHARE))
    host = container_host(name)
    already = UsageError(
        f"{host} has keys already", hint=f"To end that: credtray share {argument(name)} --container --stop"
    )
    with _place(host, already) as control:
        place = private_directory(private_directory(directory().parent / "containers") / name)
        keys = place / "keys.sock"
        files = {
            "keys.get": paths.asset("share/get.sh"),
            "config": container_config(_region(share), _origin()),
        }
        try:
            for file, content in files.items():
                _put_new(place / file, content)
            with translated(keys, "making"):
                keys.unlink(missing_ok=True)
            asyncio.run(_mounted(host, share, Doors(keys, control)))
        finally:
            for file in files:
                with suppress(OSError):
                    (place / file).unlink()
    terminal.say(f"{share.profile} is no longer shared with {host}.")


def _put_new(path: Path, content: bytes) -> None:
    """Write a file where a container may have put one, or a link: nothing that lies there is followed.

    Raises:
        FileUnwritable: something is in the way, such as a directory; or the disk is full.
    """
    with translated(path, "writing"):
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)


async def _mounted(host: str, share: Share, doors: Doors) -> None:
    hand_out = _hand_out(host, share.profile, doors)
    async with hand_out.serving(share.seconds):
        tell_the_agent()
        terminal.say(f"While this runs, {share.profile} can be used in a container that is started so:")
        terminal.show_exactly(f"  {docker_words(doors.keys.parent)}\n")
        terminal.say("As a service of a compose file:")
        terminal.show_exactly(compose_words(doors.keys.parent))
        terminal.say("Ctrl-C ends it.")
        await hand_out.stopping.wait()


def _hand_out(host: str, profile: str, doors: Doors) -> HandOut:
    """Return what hands out the keys, and ends on a signal."""
    about = {"host": host, "profile": profile}
    hand_out = HandOut(doors, about, lambda: _keys(profile), lambda: _flooded(host))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, hand_out.stop)
    return hand_out


def _region(share: Share) -> str | None:
    return share.region or region_of(share.profile)


@contextmanager
def _place(key: str, already: UsageError) -> Iterator[Path]:
    """Hold the place of one shared profile: two processes for it would take it from each other.

    Raises:
        UsageError: another process holds it.
    """
    place = private_directory(directory()) / f"{sha256(key.encode()).hexdigest()[:12]}.sock"
    try:
        with FileLock(place.with_suffix(".lock"), timeout=0):
            for path in (place, place.with_suffix(".keys")):
                path.unlink(missing_ok=True)  # of one that was killed
            yield place
    except FileContended:
        raise already from None
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
