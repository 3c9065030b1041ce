"""Opens an address in the user's browser: implements ``ports.Browser``.

Must not use a shell, hand on AWS variables, or keep its caller waiting for longer than two seconds. Whether
the address may be opened at all is judged by the caller (core/addresses); here it is only made sure that it
cannot be taken for anything but a web address.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from credtray.core.errors import FileUnopened
from credtray.core.shell_words import command_words
from credtray.desktop.paths import windows_program

# The environment of programs we start for a person, such as a browser: no keys are in it. Starts nothing.


_KEPT_FROM_OTHERS = ("AWS_", "CREDTRAY_")


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return it without the variables of AWS's programs and our own."""
    return {name: value for name, value in environ.items() if not name.startswith(_KEPT_FROM_OTHERS)}


PATIENCE_SECONDS = 2.0

_WEB_ADDRESS = re.compile(
    r"https://[A-Za-z0-9.-]+(?::\d+)?(?:/[!-~]*)?|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/[!-~]*)?"
)
_NEVER = frozenset("\"'`\\<>^{|}")
_OPEN = "/usr/bin/open"
"""macOS's own."""


@dataclass(frozen=True, slots=True)
class _Command:
    """One way to open the address."""

    argv: tuple[str, ...]
    stays: bool
    """True: it may be the browser itself, so still running means opened. False: a launcher that hangs."""


class SystemBrowser:
    """The browser a caller names, the one ``BROWSER`` names, or the one this desktop prefers."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._environment = environment
        self._patience = patience

    def findable(self) -> bool:
        """Tell whether there is a command to open addresses with; none is started."""
        environment = os.environ if self._environment is None else self._environment
        if sys.platform == "win32" and not environment.get("BROWSER"):
            return True
        commands = _commands("https://localhost/", environment)
        return any(shutil.which(command.argv[0], path=environment.get("PATH")) for command in commands)

    def open(self, url: str, command: str | None = None) -> bool:
        """Return True when a browser took the address, as far as can be told within the patience.

        With a *command* only that is tried; it is run as it is, never by a shell.
        False also for a launcher that neither ends nor fails: then the caller shows the address as well.
        """
        if not _WEB_ADDRESS.fullmatch(url) or _NEVER & set(url):
            return False
        environment = os.environ if self._environment is None else self._environment
        deadline = time.monotonic() + self._patience
        told = child_environ(environment)
        if command is not None:
            argv = _browser_argv(command, url)
            return bool(argv) and _opened(_Command(argv, stays=True), told, deadline)
        if sys.platform == "win32" and not environment.get("BROWSER"):
            return _start_file(url, self._patience)
        return any(_opened(way, told, deadline) for way in _commands(url, environment))


def _commands(url: str, environment: Mapping[str, str]) -> list[_Command]:
    """Return the ways to try, first the user's own; the address is always one whole argument."""
    chosen = environment.get("BROWSER", "")
    if chosen:
        return [
            _Command(argv, stays=True)
            for entry in chosen.split(os.pathsep)
            if (argv := _browser_argv(entry, url))
        ]
    return [_Command((*launcher, url), stays=False) for launcher in _launchers(environment)]


def _browser_argv(entry: str, url: str) -> tuple[str, ...]:
    """Read a command as Python's webbrowser reads ``BROWSER``: ``cmd``, ``cmd %s`` or ``cmd %s &``."""
    try:
        words = command_words(entry, windows=sys.platform == "win32")
    except ValueError:  # an open quote
        return ()
    if words[-1:] == ["&"]:
        words = words[:-1]
    if not any("%s" in word for word in words[1:]):
        words = [*words, "%s"] if words else []
    return tuple(word.replace("%s", url) for word in words)


def _launchers(environment: Mapping[str, str]) -> Sequence[tuple[str, ...]]:
    found: Sequence[tuple[str, ...]] = ()
    if sys.platform == "darwin":
        found = ((_OPEN,),)
    elif environment.get("WSL_DISTRO_NAME"):
        found = (("wslview",), ("xdg-open",))
    elif environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        found = (("xdg-open",), ("gio", "open"), ("x-www-browser",))
    return found


def _opened(command: _Command, environment: Mapping[str, str], deadline: float) -> bool:
    left = deadline - time.monotonic()
    if left <= 0:
        return False
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; the address was checked and is one argument
            command.argv,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in our terminal must not close the user's browser
        )
    except (OSError, ValueError):
        return False
    try:
        return process.wait(left) == 0
    except subprocess.TimeoutExpired:
        # Left alone: it may be the first window of the browser. The thread only collects its exit status.
        threading.Thread(target=process.wait, name="browser-exit", daemon=True).start()
        return command.stays


def _start_file(url: str, patience: float) -> bool:
    """Let Windows open the address, in a thread: it may wait for the browser's DDE answer."""
    opened = threading.Event()

    def start() -> None:
        if sys.platform == "win32":
            with suppress(OSError):
                os.startfile(url)  # noqa: S606 - the checked address goes to the system's own handler
                opened.set()

    threading.Thread(target=start, name="browser-start", daemon=True).start()
    return opened.wait(patience)


# Opens one of our own files in the program this desktop prefers for it, because a person asked.
#
# Must not use a shell, and never keeps its caller waiting for longer than two seconds.


def open_file(path: Path, environ: Mapping[str, str], patience: float = PATIENCE_SECONDS) -> None:
    """Open a file that exists.

    A launcher that still runs after the patience counts as success: it may be the editor itself.

    Raises:
        FileUnopened: no program took it; the path is named, so that a person can open it.
    """
    if sys.platform == "win32":
        try:
            os.startfile(path)  # noqa: S606 - a path of ours goes to the system's own handler
        except OSError as error:  # WinError 1155: nothing is registered for .toml on a fresh Windows
            if not _taken([windows_program("notepad.exe", environ), str(path)], environ, patience):
                raise FileUnopened(f"{path} ({error.strerror})") from None
    elif not any(_taken([*launcher, str(path)], environ, patience) for launcher in _file_launchers(environ)):
        raise FileUnopened(str(path))


def _file_launchers(environ: Mapping[str, str]) -> Sequence[Sequence[str]]:
    found: Sequence[Sequence[str]] = ()
    if sys.platform == "darwin":
        found = ((_OPEN, "-t"),)
    elif environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        found = (("xdg-open",), ("gio", "open"))
    return found


def _taken(argv: Sequence[str], environ: Mapping[str, str], patience: float) -> bool:
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; a fixed launcher and a path of ours
            argv,
            env=child_environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in our terminal must not close the user's editor
        )
    except OSError:
        return False
    try:
        return process.wait(patience) == 0
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="editor-exit", daemon=True).start()
        return True
