"""The shells credtray writes for, one row each, and the forms in which variables are written for them.

Pure, and cheap to import: completing a word must not pay for more. ways_out/shells writes in a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Self


class Form(Enum):
    """How role credentials, and variables that lead to them, are written."""

    POSIX = "posix"
    """bash, zsh and sh."""
    FISH = "fish"
    POWERSHELL = "powershell"
    CMD = "cmd"
    DOTENV = "dotenv"
    """``NAME=value`` lines that docker, python-dotenv, systemd and sh read alike."""
    JSON = "json"
    """One object of variables."""
    SECTION = "section"
    """A section of the credentials file."""


_EVAL = 'eval "$({})"'


class Shell(StrEnum):
    """The table of shells, and of two files that are no shell's. Its values are what ``--shell`` takes.

    For a new shell add a row here; if it does not read the form of another one, also a ``Form`` and its
    ``SYNTAX``.
    """

    form: Form
    """How text for it is written."""
    programs: tuple[str, ...]
    """Names of its programs, in lower case."""
    taken_in: str
    """How it takes in what a command (``{}``) prints; empty where nothing does."""
    menu: str
    """Its name in the tray's menu; empty: it is not offered there by itself."""
    script: str
    """The ending of its completion script in ``assets/completion``; empty: it has none."""

    def __new__(
        cls, name: str, form: Form, programs: str = "", taken_in: str = "", menu: str = "", script: str = ""
    ) -> Self:
        """Make a member of one row."""
        row = str.__new__(cls, name)
        row._value_ = name
        row.form, row.programs, row.taken_in = form, tuple(programs.split()), taken_in
        row.menu, row.script = menu, script
        return row

    BASH = "bash", Form.POSIX, "bash rbash", _EVAL, "bash", "bash"
    ZSH = "zsh", Form.POSIX, "zsh rzsh", _EVAL, "zsh", "zsh"
    SH = "sh", Form.POSIX, "sh dash ash busybox ksh ksh93 mksh osh yash", _EVAL
    FISH = "fish", Form.FISH, "fish", "{} | source", "fish", "fish"
    POWERSHELL = (
        "powershell",
        Form.POWERSHELL,
        "pwsh pwsh-preview powershell powershell_ise",
        "{} | Out-String | Invoke-Expression",
        "PowerShell",
        "ps1",
    )
    CMD = "cmd", Form.CMD, "cmd", "FOR /F \"delims=\" %i IN ('{}') DO @%i", "cmd"
    DOTENV = "dotenv", Form.DOTENV
    JSON = "json", Form.JSON


if TYPE_CHECKING:
    ShellWithScript = Shell
else:  # a choice of fewer for `credtray completion`
    ShellWithScript = StrEnum("ShellWithScript", [(each.name, each.value) for each in Shell if each.script])

ALL_BUT_JSON = ", ".join(each for each in Shell if each is not Shell.JSON)
"""The list for people, but for its last word: something may go before it."""


# --- how variables are written -----------------------------------------------------------------------


class Syntax(NamedTuple):
    """How a form sets variables, every line ended."""

    assignment: Callable[[str, str], str]
    """Sets a variable (name, value)."""
    removal: Callable[[str], str] | None
    """Takes a variable away; None: the form can only set."""
    quoted: Callable[[str], str]
    """Writes a value as one word."""


_HARMLESS_TO_CMD = re.compile(r"[A-Za-z0-9+/=._:-]*", re.ASCII)
_FISH_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'"})
_POWERSHELL_ESCAPES = str.maketrans({char: f"`{char}" for char in '`$"\u201c\u201d\u201e'})
"""PowerShell takes typographic double quotes for quotes, too (its language specification, 2.3.5.2)."""


def harmless(word: str) -> bool:
    """Tell whether every shell reads a word as it stands."""
    return _HARMLESS_TO_CMD.fullmatch(word) is not None


def _posix_quoted(value: str) -> str:
    inside = value.replace("'", "'\"'\"'")
    return f"'{inside}'"


def _fish_quoted(value: str) -> str:
    return f"'{value.translate(_FISH_ESCAPES)}'"


def _powershell_quoted(value: str) -> str:
    return f'"{value.translate(_POWERSHELL_ESCAPES)}"'


def _cmd(name: str, value: str) -> str:
    """Write for cmd's prompt, where ``%`` cannot be doubled: a caret inside makes the name unknown.

    Before every character, so that no part between two percent signs names a variable, whatever is set.
    """
    return f"SET {name}={value if harmless(value) else ''.join(f'^{char}' for char in value)}\r\n"


SYNTAX: Mapping[Form, Syntax] = MappingProxyType(
    {
        Form.POSIX: Syntax(
            lambda name, value: f"export {name}={_posix_quoted(value)}\n",
            lambda name: f"unset {name}\n",
            _posix_quoted,
        ),
        Form.FISH: Syntax(
            lambda name, value: f"set -gx {name} {_fish_quoted(value)}\n",
            lambda name: f"set -eg {name}\n",
            _fish_quoted,
        ),
        # Windows' own line ends: its older console takes a lone line feed for Ctrl+J.
        Form.POWERSHELL: Syntax(
            lambda name, value: f"$Env:{name}={_powershell_quoted(value)}\r\n",
            lambda name: f"Remove-Item Env:{name} -ErrorAction Ignore\r\n",
            _powershell_quoted,
        ),
        Form.CMD: Syntax(_cmd, lambda name: f"SET {name}=\r\n", lambda value: f'"{value}"'),
        Form.DOTENV: Syntax(lambda name, value: f"{name}={value}\n", None, _posix_quoted),
    }
)
"""Of the forms that have a line for each variable."""
