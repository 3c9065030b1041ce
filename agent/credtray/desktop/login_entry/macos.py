"""macOS: a LaunchAgent of the user. It takes effect at the next login; launchd itself is not spoken to."""

from __future__ import annotations

import plistlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from credtray import __version__
from credtray.core.errors import AutostartRefused
from credtray.desktop.login_entry import EntryFile, Found

LABEL = "io.credtray.agent"
MARK = "CredtrayVersion"
"""A key of ours, which launchd passes over."""


@dataclass(frozen=True, slots=True)
class LaunchAgent:
    """Implements ``LoginEntry``."""

    home: Path

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
        try:
            return plistlib.dumps(document)
        except (ValueError, UnicodeEncodeError) as error:
            raise AutostartRefused(
                f"the path {command[0]!a} cannot be used in a property list",
                hint="Install credtray at a path with plain characters.",
            ) from error

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the command as a shell would take it."""
        return shlex.join(command)

    def found(self) -> Found | None:
        """Return what stands in the file."""
        content = self._file.read()
        if content is None:
            return None
        document = _document(content)
        words = document.get("ProgramArguments")
        command = [str(word) for word in words] if isinstance(words, list) else []
        return Found(
            content,
            ours=MARK in document,
            starts=shlex.join(command),
            program=command[0] if command else None,
            words=tuple(command),
            switched_off="its property list says Disabled" if document.get("Disabled") is True else None,
        )

    def write(self, content: bytes) -> None:
        """Write the file."""
        self._file.write(content)

    def remove(self) -> None:
        """Remove the file."""
        self._file.remove()

    @property
    def _file(self) -> EntryFile:
        return EntryFile(self.home / "Library" / "LaunchAgents" / f"{LABEL}.plist")


def _document(content: bytes) -> dict[str, Any]:
    """Return the property list, or an empty one for what is none: that is not ours."""
    try:
        document = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError, OverflowError, AttributeError):
        return {}
    return document if isinstance(document, dict) else {}
