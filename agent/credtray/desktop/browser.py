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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType

from credtray.core.errors import FileUnopened
from credtray.core.shell_words import command_words
from credtray.desktop import paths
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

    def open_clean(self, url: str) -> bool:
        """Return True when a browser with an empty profile took the address; see ``_clean_browsers``."""
        if not _WEB_ADDRESS.fullmatch(url) or _NEVER & set(url):
            return False
        environment = os.environ if self._environment is None else self._environment
        told = child_environ(environment)
        for program, words, base in _clean_browsers(environment):
            try:
                profile = _empty_profile(base)
            except OSError:
                continue
            argv = (program, *(word.format(profile=profile) for word in words), url)
            if _opened(_Command(argv, stays=True), told, time.monotonic() + self._patience):
                return True
        return False


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


# A browser with an empty profile of its own: whoever is signed in in the person's usual one is not there.
#
# Which browser is used does not matter: its profile is empty anyway. The preferred one comes first.


_CHROMIUM = ("--user-data-dir={profile}", "--no-first-run", "--no-default-browser-check")
_FIREFOX = ("--new-instance", "--profile", "{profile}")
_EMPTY_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "firefox": _FIREFOX,
        "firefox-esr": _FIREFOX,
        "librewolf": _FIREFOX,
        "google-chrome": _CHROMIUM,
        "google-chrome-stable": _CHROMIUM,
        "chromium": _CHROMIUM,
        "chromium-browser": _CHROMIUM,
        "brave-browser": _CHROMIUM,
        "microsoft-edge": _CHROMIUM,
        "microsoft-edge-stable": _CHROMIUM,
        "vivaldi": _CHROMIUM,
    }
)
"""Program on the PATH, and what makes it start with a profile of its own."""
_EMPTY_WORDS_OF_APPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Google Chrome.app/Contents/MacOS/Google Chrome": _CHROMIUM,
        "Firefox.app/Contents/MacOS/firefox": _FIREFOX,
        "Microsoft Edge.app/Contents/MacOS/Microsoft Edge": _CHROMIUM,
        "Brave Browser.app/Contents/MacOS/Brave Browser": _CHROMIUM,
        "Chromium.app/Contents/MacOS/Chromium": _CHROMIUM,
    }
)
_EMPTY_WORDS_ON_WINDOWS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Google/Chrome/Application/chrome.exe": _CHROMIUM,
        "Mozilla Firefox/firefox.exe": _FIREFOX,
        "BraveSoftware/Brave-Browser/Application/brave.exe": _CHROMIUM,
        "Microsoft/Edge/Application/msedge.exe": _CHROMIUM,
    }
)
_PROFILES = "clean-browser"
_KEPT_PROFILE = 24 * 3600.0
"""Seconds: an older one that nothing was written to is no longer used."""


def _clean_browsers(environment: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    """Yield the browsers that are here: the program, its words, and where its profile can lie."""
    own = paths.state_directory() / _PROFILES
    if sys.platform == "win32":
        names = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        folders = [Path(environment[name]) for name in names if environment.get(name)]
        yield from _installed(folders, _EMPTY_WORDS_ON_WINDOWS, own)
    elif sys.platform == "darwin":
        yield from _installed(
            [Path("/Applications"), Path.home() / "Applications"], _EMPTY_WORDS_OF_APPS, own
        )
    elif environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        preferred = _preferred(environment)
        for name in sorted(_EMPTY_WORDS, key=lambda name: name != preferred):
            program = shutil.which(name, path=environment.get("PATH"))
            if program is not None:
                yield program, _EMPTY_WORDS[name], _base(name, own)


def _installed(
    folders: Sequence[Path], known: Mapping[str, tuple[str, ...]], base: Path
) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    for place, words in known.items():
        for folder in folders:
            if (folder / place).is_file():
                yield str(folder / place), words, base


def _preferred(environment: Mapping[str, str]) -> str:
    """Return the program that this desktop opens addresses with, by the name of its entry; empty: unknown."""
    chosen = environment.get("BROWSER", "").split(os.pathsep)[0].partition(" ")[0]
    if chosen:
        return Path(chosen).name
    asked = ("xdg-settings", "get", "default-web-browser")
    try:
        told = subprocess.run(  # noqa: S603 - fixed words
            asked,
            env=child_environ(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    name = told.stdout.decode("utf-8", "replace").strip().removesuffix(".desktop")
    return name.partition("_")[0] if name.count("_") == 1 else name  # a snap's entry: firefox_firefox


def _base(name: str, own: Path) -> Path:
    """Return where the profile of a program may lie: a snap sees no hidden folder of the home."""
    shared = Path.home() / "snap" / name / "common"
    return shared / f"credtray-{_PROFILES}" if shared.is_dir() else own


def _empty_profile(base: Path) -> Path:
    """Make an empty folder that only this user can read, and take away those of earlier sign-ins.

    Raises:
        OSError: it cannot be made.
    """
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in base.iterdir():
        with suppress(OSError):
            if not old.is_symlink() and time.time() - old.stat().st_mtime > _KEPT_PROFILE:
                shutil.rmtree(old, ignore_errors=True)
    return Path(mkdtemp(prefix="", dir=base))


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
