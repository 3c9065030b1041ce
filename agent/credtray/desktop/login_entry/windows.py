"""Windows: a value of the user's ``Run`` key. Starts nothing by itself, and needs no administrator."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Protocol

from credtray.core.errors import AutostartRefused
from credtray.desktop.login_entry import Found

NAME = "credtray"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
"""Here the task manager notes what a person has switched off: the first byte of the value is odd."""
LONGEST = 260
"""Characters of a command; Windows starts no longer one (documentation of the Run keys)."""

_OURS = re.compile(r"(?: -m (?:credtray|agent)|[\\/](?:credtray|agent)[\\/]__main__\.py\"?) run$")
"""Also as earlier versions wrote it."""
_PROGRAM = re.compile(r'"(?P<quoted>[^"]+)"|(?P<plain>\S+)')
_SWITCHED_OFF = "it is turned off in the task manager"


class Registry(Protocol):
    """The part of the registry that belongs to this user. Every method raises AutostartRefused."""

    def get(self, key: str, name: str) -> str | bytes | None:
        """Return a value; None: there is none."""
        ...

    def put(self, key: str, name: str, value: str) -> None:
        """Write a text."""
        ...

    def delete(self, key: str, name: str) -> None:
        """Remove a value, if it is there."""
        ...


@dataclass(frozen=True, slots=True)
class RunValue:
    """Implements ``LoginEntry``."""

    registry: Registry

    @property
    def place(self) -> str:
        """Key and value."""
        return rf"HKEY_CURRENT_USER\{RUN}\{NAME}"

    def content(self, command: tuple[str, ...]) -> bytes:
        """Return the value's text as UTF-8."""
        text = self.starts(command)
        if len(text) > LONGEST:
            raise AutostartRefused(
                f"the command has {len(text)} characters, Windows allows at most {LONGEST}",
                hint="Install credtray at a shorter path.",
            )
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise AutostartRefused(f"the path {command[0]!a} is not valid text", hint="") from error

    def starts(self, command: tuple[str, ...]) -> str:
        """Return the command by the rules of the C runtime; the program is always quoted.

        Without quotes Windows would try ``C:/Program.exe`` for a path below ``C:/Program Files``.
        """
        program, *arguments = command
        if any(character in '"%' or not character.isprintable() for character in program):
            # No path has a quote; %NAME% might be taken for a variable on the way.
            raise AutostartRefused(
                f"the path {program!a} cannot be used in a command",
                hint="Install credtray at a path with plain characters.",
            )
        return f'"{program}" {subprocess.list2cmdline(arguments)}'

    def found(self) -> Found | None:
        """Return what the value says."""
        value = self.registry.get(RUN, NAME)
        if value is None:
            return None
        text = value if isinstance(value, str) else ""
        program = _PROGRAM.match(text)
        approved = self.registry.get(APPROVED, NAME)
        off = isinstance(approved, bytes) and bool(approved) and bool(approved[0] & 1)
        return Found(
            text.encode(errors="replace"),
            ours=_OURS.search(text) is not None,
            starts=text,
            program=None if program is None else program["quoted"] or program["plain"],
            # Paths have no quotes, so these words are those of the C runtime.
            words=tuple(each["quoted"] or each["plain"] for each in _PROGRAM.finditer(text)),
            switched_off=_SWITCHED_OFF if off else None,
        )

    def write(self, content: bytes) -> None:
        """Write the value, and forget that it was switched off."""
        self.registry.put(RUN, NAME, content.decode())
        self.registry.delete(APPROVED, NAME)

    def remove(self) -> None:
        """Remove the value, and what the task manager noted of it."""
        self.registry.delete(RUN, NAME)
        self.registry.delete(APPROVED, NAME)


if sys.platform == "win32":
    import winreg
    from collections.abc import Iterator
    from contextlib import contextmanager

    class UserRegistry:
        """Implements ``Registry`` with HKEY_CURRENT_USER."""

        def get(self, key: str, name: str) -> str | bytes | None:
            """Return a value; None: there is none, or it is neither text nor bytes."""
            with _refused(key):
                try:
                    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                        value, _kind = winreg.QueryValueEx(opened, name)
                except FileNotFoundError:
                    return None
            return value if isinstance(value, str | bytes) else None

        def put(self, key: str, name: str, value: str) -> None:
            """Write a text (REG_SZ: nothing in it is expanded)."""
            with _refused(key), winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)

        def delete(self, key: str, name: str) -> None:
            """Remove a value, if it is there."""
            with _refused(key):
                try:
                    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as opened:
                        winreg.DeleteValue(opened, name)
                except FileNotFoundError:
                    pass

    @contextmanager
    def _refused(key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            detail = rf"HKEY_CURRENT_USER\{key}: {error.strerror or 'unknown reason'}"
            raise AutostartRefused(detail, hint="") from error

    def user_registry() -> Registry:
        """Return the registry of this user."""
        return UserRegistry()
