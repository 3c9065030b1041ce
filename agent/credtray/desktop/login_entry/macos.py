"""macOS: a LaunchAgent of the user. It takes effect at the next login.

launchd is asked whether a person has switched it off, and forgets it when it is removed. Nothing is started,
and an agent that runs is not ended.
"""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from credtray import __version__
from credtray.core.errors import AutostartRefused
from credtray.core.shell_words import command_line
from credtray.desktop.browser import child_environ
from credtray.desktop.login_entry import EntryFile, Found

LABEL = "io.credtray.agent"
MARK = "CredtrayVersion"
"""A key of ours, which launchd passes over."""
_PROGRAM = "/bin/launchctl"
_SECONDS = 5.0
_SWITCHED_OFF = re.compile(rf'^\s*"{re.escape(LABEL)}" => (?:disabled|true)$', re.MULTILINE)
"""A line of ``launchctl print-disabled``; before macOS 13 it says true."""
_RUNS = re.compile(r"^\tpid = \d+$", re.MULTILINE)
"""A line of ``launchctl print``."""


@dataclass(frozen=True, slots=True)
class Launchd:
    """What launchd knows of our label in one user's desktop session; asked through launchctl(1).

    Where it does not answer (no such session, as over ssh) nothing is known, and nothing is changed.
    """

    uid: int
    program: str = _PROGRAM

    def is_switched_off(self) -> bool:
        """Tell whether the label is disabled: such a job is not started at login, whatever its file says."""
        return _SWITCHED_OFF.search(self._asked("print-disabled", self._session)) is not None

    def switch_on(self) -> None:
        """Take back that it is disabled."""
        self._asked("enable", self._job)

    def forget(self) -> None:
        """Unload the job, unless it runs: unloading would end the agent, which nobody asked for."""
        known = self._asked("print", self._job)
        if known and not _RUNS.search(known):
            self._asked("bootout", self._job)

    @property
    def _session(self) -> str:
        return f"gui/{self.uid}"

    @property
    def _job(self) -> str:
        return f"{self._session}/{LABEL}"

    def _asked(self, *words: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, and words of ours
                [self.program, *words],
                capture_output=True,
                text=True,
                errors="replace",
                env=child_environ(os.environ),
                stdin=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class LaunchAgent:
    """Implements ``LoginEntry``."""

    home: Path
    launchctl: str = _PROGRAM

    @property
    def place(self) -> str:
        """The file."""
        return str(self._file.path)

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return the property list: started once, with the desktop, and not again when it ends."""
        document = {
            "Label": LABEL,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "LimitLoadToSessionType": "Aqua",
            "ProcessType": "Interactive",
            MARK: __version__,
        }
        return property_list(document, command)

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the command as a shell would take it."""
        return command_line(command, windows=False)

    def found(self) -> Found | None:
        """Return what stands in the file."""
        content = self._file.read()
        if content is None:
            return None
        document = document_in(content)
        words = document.get("ProgramArguments")
        command = [str(word) for word in words] if isinstance(words, list) else []
        return Found(
            content,
            ours=MARK in document,
            starts=command_line(command, windows=False),
            program=command[0] if command else None,
            words=tuple(command),
            switched_off=self._switched_off(document),
        )

    def write(self, content: bytes) -> None:
        """Write the file, and have launchd heed it again where a person has switched it off."""
        launchd = self._launchd
        if launchd.is_switched_off():
            launchd.switch_on()
            if launchd.is_switched_off():
                raise AutostartRefused(
                    "macOS keeps it turned off",
                    hint="Turn it on in System Settings > General > Login Items & Extensions.",
                )
        self._file.write(content)

    def remove(self) -> None:
        """Remove the file, and what launchd has read from it."""
        was_there = self._file.read() is not None
        self._file.remove()
        if was_there:
            self._launchd.forget()

    def _switched_off(self, document: dict[str, Any]) -> str | None:
        if document.get("Disabled") is True:
            return "its property list says Disabled"
        if self._launchd.is_switched_off():
            return "it is turned off in macOS (System Settings > General > Login Items & Extensions)"
        return None

    @property
    def _launchd(self) -> Launchd:
        return Launchd(self.home.stat().st_uid, self.launchctl)

    @property
    def _file(self) -> EntryFile:
        return EntryFile(self.home / "Library" / "LaunchAgents" / f"{LABEL}.plist")


def property_list(document: dict[str, Any], command: tuple[str, ...]) -> bytes:
    """Return the document as a property list that holds this command.

    Raises:
        AutostartRefused: the command has characters that no property list can hold.
    """
    try:
        return plistlib.dumps(document)
    except (ValueError, UnicodeEncodeError) as error:
        raise AutostartRefused(
            f"the path {command[0]!a} cannot be used in a property list",
            hint="Install credtray at a path with plain characters.",
        ) from error


def document_in(content: bytes) -> dict[str, Any]:
    """Return the property list, or an empty one for what is none: that is not ours."""
    try:
        document = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError, OverflowError, AttributeError):
        return {}
    return document if isinstance(document, dict) else {}
