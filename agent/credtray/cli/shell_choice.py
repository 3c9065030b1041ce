"""Which shell the text is for: the one given, or the one this process was started from.

Looks at names only; writes no text for a shell itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from credtray.core.errors import UsageError
from credtray.core.forms import ALL_BUT_JSON, Shell
from credtray.core.words import did_you_mean

_PROGRAMS: Mapping[str, Shell] = {program: shell for shell in Shell for program in shell.programs}
_OTHERS = frozenset({"csh", "tcsh", "nu", "xonsh", "elvish"})
"""Shells that read none of the forms: to write for an outer one would do nothing, or harm."""
_VERSION = re.compile(r"[-_]?\d+(\.\d+)*$")
_USERS_MODULES = 3
"""Entries of PSModulePath: two are set for the machine, PowerShell adds the person's own."""


def complete_shell(incomplete: str) -> list[str]:
    """Return the values of ``--shell`` that begin like this."""
    return [shell.value for shell in Shell if shell.value.startswith(incomplete)]


ShellOption = Annotated[
    str | None,
    typer.Option(
        "--shell",
        metavar="SHELL",
        help=f"{ALL_BUT_JSON} or json; otherwise the shell you run this in.",
        autocompletion=complete_shell,
        show_default=False,
    ),
]


def chosen(word: str | None) -> Shell:
    """Return the shell with that name, or the one this process was started from where none is given.

    Raises:
        UsageError: there is no such shell, or none can be seen.
    """
    if word is None:
        from credtray.cli.ancestors import ancestors  # completing an option must not pay for it

        return detected(os.environ, ancestors())
    named = _PROGRAMS.get(word.lower())
    if named is not None:
        return named
    try:
        return Shell[word.upper()]
    except KeyError:
        known = f"{', '.join(Shell)}.{did_you_mean(word, Shell)}"
        raise UsageError(f"{word!r} is not one of the shells {known}") from None


def detected(environ: Mapping[str, str], parents: Iterable[str]) -> Shell:
    """Return the shell that will read our output.

    The nearest of the *parents* (programs, our own parent first) that is a shell; where none is to
    be seen the login shell, and on Windows what the environment tells.

    Raises:
        UsageError: it is a shell credtray does not write for, or there is no telling.
    """
    for program in parents:
        shell = _shell_called(program)
        if shell is not None:
            return shell
    login = _shell_called(environ.get("SHELL", ""))
    if login is not None:
        return login
    if len(environ.get("PSModulePath", "").split(";")) >= _USERS_MODULES:
        return Shell.POWERSHELL
    if "COMSPEC" in environ:
        return Shell.CMD
    raise UsageError(f"Cannot tell which shell this is: choose one with --shell: {', '.join(Shell)}")


def _shell_called(program: str) -> Shell | None:
    name = re.split(r"[/\\]", program.strip())[-1].lower().removesuffix(".exe").lstrip("-")
    name = name if name in _PROGRAMS else _VERSION.sub("", name)
    if name in _OTHERS:
        raise UsageError(f"{name} is not one of the shells {', '.join(Shell)}: choose one with --shell")
    return _PROGRAMS.get(name)
