"""The throw-away home of the demo, the environment that leads into it, and a look at the caller's own files.

Writes nothing outside its one directory.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import credtray
from credtray.aws.locations import locate
from credtray.core import shell_words
from credtray.core.forms import Form
from credtray.core.shell_words import command_line, first_on_path
from credtray.demo import own_browser, person
from credtray.demo.own_browser import replaced
from credtray.desktop import paths
from credtray.ways_out.shells import assignments

PROGRAM = "credtray"
_DOOR = Path(credtray.__file__).parent / "__main__.py"
FOLDER = Path(credtray.__file__).parents[1]
"""Where credtray and what it needs are imported from; credtray.pyz has unpacked itself there."""

_LONGEST = 60
"""Bytes in the directory's path, so that a socket's path below it fits (104 bytes on macOS)."""

_DROPPED = ("AWS_", "CREDTRAY_", "XDG_", "BROWSER", "PYTHON")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})

FOREIGN_SECTION = b"""\
# A section of somebody else, with the keys of the AWS documentation: credtray leaves it alone.
[old-script]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""


@dataclass(frozen=True, slots=True)
class ThrowAwayHome:
    """A home directory that is not the person's."""

    directory: Path

    @classmethod
    def make(cls) -> ThrowAwayHome:
        """Make one, with a credentials file in it that somebody else wrote.

        Raises:
            OSError: there is no place for it.
        """
        place = tempfile.gettempdir()
        if len(os.fsencode(place)) > _LONGEST and Path("/tmp").is_dir():  # noqa: S108 - mkdtemp makes it safe
            place = "/tmp"  # noqa: S108 - as above
        home = cls(Path(tempfile.mkdtemp(prefix="credtray-", dir=place)))
        for directory in (home.directory / "run", home.credentials.parent):
            directory.mkdir(mode=0o700)
        home.credentials.write_bytes(FOREIGN_SECTION)
        home.credentials.chmod(0o600)
        return home

    @property
    def config(self) -> Path:
        """The AWS config file."""
        return self.directory / ".aws" / "config"

    @property
    def credentials(self) -> Path:
        """The AWS credentials file."""
        return self.directory / ".aws" / "credentials"

    @property
    def pace(self) -> Path:
        """The file of the demo's clock."""
        return self.directory / "pace.json"

    @property
    def env_file(self) -> Path:
        """What another terminal reads to join in."""
        return self.directory / ("env.ps1" if shell_words.SYSTEM is Form.POWERSHELL else "env")

    def replacements(self, portal: str, browser: str) -> dict[str, str]:
        """Return the variables that lead into this home and to the portal.

        Args:
            portal: address of the Identity Center.
            browser: command for ``BROWSER``.
        """
        home = str(self.directory)
        return {
            "HOME": home,
            "USERPROFILE": home,
            "LOCALAPPDATA": home,  # on Windows the agent's lock and the note of its pipe lie there
            "WIN_PD_OVERRIDE_APPDATA": home,  # platformdirs asks Windows, not the environment
            "WIN_PD_OVERRIDE_LOCAL_APPDATA": home,
            "XDG_RUNTIME_DIR": str(self.directory / "run"),
            "XDG_CONFIG_HOME": str(self.directory / ".config"),
            "XDG_STATE_HOME": str(self.directory / ".local" / "state"),
            "XDG_CACHE_HOME": str(self.directory / ".cache"),
            "XDG_DATA_HOME": str(self.directory / ".local" / "share"),
            "AWS_CONFIG_FILE": str(self.config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials),
            "AWS_ENDPOINT_URL": portal,
            "AWS_ENDPOINT_URL_SIGNIN": portal,
            "AWS_EC2_METADATA_DISABLED": "true",
            "BROWSER": browser,
        }

    def write_env_file(self, replacements: Mapping[str, str]) -> None:
        """Write what the shell of another terminal takes in to use the running demo."""
        commands = self.directory / "bin"
        commands.mkdir(exist_ok=True)
        windows = sys.platform == "win32"
        door = command_line([sys.executable, "-I", str(_DOOR)], windows=windows)
        if windows:
            (commands / f"{PROGRAM}.cmd").write_text(f"@{door.replace('%', '%%')} %*\n", "oem", "replace")
        else:
            (commands / PROGRAM).write_text(f'#!/bin/sh\nexec {door} "$@"\n', "utf-8")
            (commands / PROGRAM).chmod(0o700)
        path = first_on_path(str(commands)).on()
        self.env_file.write_bytes(f"{assignments(replacements, shell_words.SYSTEM)}{path}\n".encode())

    def scripted_browser(self, user: str, password: str) -> str:
        """Return the command of a browser with a person in front of it."""
        return _command(person.__file__, user, password)

    def persons_browser(self, caller: Mapping[str, str]) -> str:
        """Return the command that opens an address as the caller's own desktop would."""
        file = self.directory / "caller.json"
        file.write_text(json.dumps(replaced(caller)), "utf-8")
        return _command(own_browser.__file__, file.as_posix())

    def log_text(self) -> str:
        """Return everything the agent has logged."""
        files = sorted(self.directory.rglob("agent.log*"))
        return "".join(file.read_text("utf-8", "replace") for file in files)

    def remove(self) -> None:
        """Remove it with everything in it."""
        shutil.rmtree(self.directory, ignore_errors=True)


def _command(script: str, *arguments: str) -> str:
    """Return a command line as ``BROWSER`` holds it; Python's own rules take no backslash."""
    words = [Path(sys.executable).as_posix(), "-I", Path(script).as_posix(), *arguments, "%s"]
    return command_line(words, windows=sys.platform == "win32")


def environment(caller: Mapping[str, str], replacements: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the demo's processes: the caller's, led into the throw-away home."""
    kept = {
        name: value
        for name, value in caller.items()
        if not name.startswith(_DROPPED) and name.lower() not in _PROXIES
    }
    return {**kept, **replacements}


IconState = Mapping[str, tuple[int, int, int]]
"""File -> inode, size and modification time in ns."""


def look_at_own_files() -> IconState:
    """Look at the caller's own files that credtray would use without the demo. Reads no content."""
    aws = locate(os.environ, Path.home())
    ours = {paths.settings_file().parent, paths.state_directory(), paths.log_file().parent}
    return _stamps({Path.home() / ".aws", aws.config, aws.credentials, *ours})


def _stamps(places: set[Path]) -> dict[str, tuple[int, int, int]]:
    found = {}
    for place in places:
        for file in (place, *place.rglob("*")):
            try:
                stamp = file.lstat()
            except OSError:
                continue
            found[str(file)] = (stamp.st_ino, stamp.st_size, stamp.st_mtime_ns)
    return found
