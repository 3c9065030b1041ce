"""Commands that credtray prints, in the words of the shell that a person has, and command lines it reads.

Pure. Whatever is printed for a shell comes from here: on Windows it is for PowerShell, elsewhere for sh,
bash and zsh. What variables look like in each shell is in core/forms.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from sys import platform
from typing import NamedTuple

from credtray.core.forms import SYNTAX, Form, harmless

SYSTEM = Form.POWERSHELL if platform == "win32" else Form.POSIX
"""The form of what this system's usual shell reads; a command that another one started sets ``in_use``."""
GIT_BASH = False
"""A shell with POSIX words that starts programs of Windows (Git for Windows, MSYS2, Cygwin)."""
_USERS_MODULES = 3
"""Entries of PSModulePath: two are set for the machine, PowerShell adds the person's own."""


def under_powershell(environ: Mapping[str, str]) -> bool:
    """Return whether PowerShell is among those who started this, as far as its variable tells."""
    return len(environ.get("PSModulePath", "").split(";")) >= _USERS_MODULES


def in_use(environ: Mapping[str, str]) -> tuple[Form, bool]:
    """Return what to set ``SYSTEM`` and ``GIT_BASH`` to on Windows, by the environment of a command.

    Git Bash and its kind set MSYSTEM or SHELL. Only cmd puts PROMPT into the environment; where PowerShell is
    around as well, nobody can tell which of them started the other.
    """
    if environ.get("MSYSTEM") or re.search(
        r"(?:^|[/\\])(?:ba|z|da)?sh(?:\.exe)?\Z", environ.get("SHELL", "")
    ):
        return Form.POSIX, True
    if "PROMPT" in environ and not under_powershell(environ):
        return Form.CMD, False
    return Form.POWERSHELL, False


# Names and paths as words of the commands that credtray prints: each is to run as it stands there.


def word(name: str, form: Form | None = None) -> str:
    r"""Return text as one word: ``a b`` becomes ``'a b'``, a line feed ``$'\n'``.

    In PowerShell ``"a b"``, which cmd reads the same. A double quote inside reaches a program whole from
    PowerShell 7.3 on only (about_Parsing, "Passing arguments that contain quote characters").
    """
    form = form or SYSTEM
    if form is Form.POSIX:
        return shlex.quote(name) if name.isprintable() else f"$'{''.join(map(_escaped, name))}'"
    if name and harmless(name) and not name.startswith("-"):  # PowerShell parts -a.b before its point
        return name
    if form is Form.POWERSHELL:
        return f'"{_in_powershell(name)}"'
    return SYNTAX[form].quoted(name)


def program_word(path: str, form: Form | None = None) -> str:
    """Return the path of a program as the first word of a command; what is quoted PowerShell only prints."""
    first = word(path, form)
    return f"& {first}" if first != path and (form or SYSTEM) is Form.POWERSHELL else first


def argument(name: str, form: Form | None = None) -> str:
    """Return text as the last word of a command line, where a leading dash would make it an option.

    For showing to a person: cmd has no way to quote a double quote or a percent sign.
    """
    if name.startswith("="):  # zsh takes it for the path of a program
        return SYNTAX[form or SYSTEM].quoted(name)
    return f"-- {word(name, form)}" if name.startswith("-") else word(name, form)


def with_options(name: str, *options: str) -> str:
    """Return the last word of a command with options: behind it, or before a name with a leading dash."""
    return " ".join((*options, argument(name)) if name.startswith("-") else (word(name), *options))


def path_word(path: str, form: Form | None = None) -> str:
    r"""Return a path as one word; ``~`` and ``~/`` at its beginning still mean the home directory.

    Programs for Windows know no ``~``: it is ``$HOME``, in cmd ``%USERPROFILE%``, and ``\`` parts folders.
    """
    form = form or SYSTEM
    home, _, below = path.partition("/")
    inside = home == "~"
    if form is Form.CMD:
        whole = (f"%USERPROFILE%/{below}" if below else "%USERPROFILE%") if inside else path
        return f'"{whole.replace("/", _BACKSLASH)}"'
    if form is not Form.POWERSHELL:
        if inside:
            return f"~/{word(below, form)}" if below else path
        return word(f"./{path}" if path.startswith("-") else path, form)
    steps = (
        ["$HOME", *below.split("/") * bool(below)] if inside else [f".\\{path}" if path[:1] == "-" else path]
    )
    whole = "\\".join(steps)
    if _PLAIN_PATH.fullmatch(whole):
        return whole
    return f'"$HOME{_in_powershell(whole[5:])}"' if inside else word(whole, form)


_BACKSLASH = "\\"
_PLAIN_PATH = re.compile(r"(?:\$HOME)?[\w.:/\\-]*", re.ASCII)


def toml_word(path: str, form: Form | None = None) -> str:
    """Return the path of a setting, as TOML writes it, as one word.

    PowerShell before 7.3 loses double quotes on the way to a program: TOML takes single ones as well.
    """
    single = (form or SYSTEM) is Form.POWERSHELL and not {"'", "\\"} & {*path}
    return word(path.replace('"', "'") if single else path, form)


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def _in_powershell(text: str) -> str:
    """Return text as it stands between two double quotes of PowerShell."""
    if text.isprintable():
        return SYNTAX[Form.POWERSHELL].quoted(text)[1:-1]
    return "".join(_in_powershell(char) if char.isprintable() else _by_number(char) for char in text)


def _by_number(char: str) -> str:
    units = char.encode("utf-16-le", "surrogatepass")
    return "".join(f"$([char]{low + 256 * high})" for low, high in zip(units[::2], units[1::2], strict=True))


def variable(name: str, form: Form | None = None) -> str:
    """Return the value of an environment variable as a word that the shell fills in."""
    match form or SYSTEM:
        case Form.POWERSHELL:
            return f'"$env:{name}"'
        case Form.CMD:
            return f'"%{name}%"'
        case _:
            return f'"${name}"'


# Commands of the system, in the words of each shell.


class ShellCommand(NamedTuple):
    """One command; ``{path}`` in it is the path it is about."""

    posix: str
    powershell: str
    macos: str = ""
    """Empty: as elsewhere."""
    cmd: str = ""
    """Empty: as in PowerShell."""
    git_bash: str = ""
    """Empty: as elsewhere. ``//x`` is what a program gets as ``/x`` there; chmod and chown do nothing."""

    def on(self, path: str = "", form: Form | None = None) -> str:
        """Return the command, with this path as a word of it."""
        form = form or SYSTEM
        row = self._row(form)
        moved = path_word(f"{path}.moved", form)
        row = row.replace("{path}.moved", moved).replace(
            "{native}", f'"$(cygpath -w {path_word(path, form)})"'
        )
        return row.replace("{path}", path_word(path, form))

    def _row(self, form: Form) -> str:
        if form is Form.POWERSHELL:
            return self.powershell
        if form is Form.CMD:
            return self.cmd or self.powershell
        if GIT_BASH and self.git_bash:
            return self.git_bash
        return self.macos if platform == "darwin" and self.macos else self.posix


def first_on_path(directory: str) -> ShellCommand:
    """Return what lets the shell look for programs in this directory first."""
    inside = f"{word(directory, Form.POSIX)}:", _in_powershell(directory)
    return ShellCommand(
        f'export PATH={inside[0]}"$PATH"',
        f'$Env:PATH="{inside[1]};$Env:PATH"',
        cmd=f'set "PATH={directory};%PATH%"',
        git_bash=f'export PATH="$(cygpath -u {word(directory, Form.POSIX)}):$PATH"',
    )


def unset(*names: str) -> ShellCommand:
    """Return what takes variables out of the environment of the shell."""
    drives = ", ".join(f"Env:{name}" for name in names)
    return ShellCommand(
        " ".join(("unset", *names)),
        f"Remove-Item {drives} -ErrorAction Ignore",
        cmd=" & ".join(f'set "{name}="' for name in names),
    )


def end_process(pid: str) -> ShellCommand:
    """Return what ends a process without asking it."""
    return ShellCommand(
        f"kill -9 {pid}",
        f"Stop-Process -Force -Id {pid}",
        cmd=f"taskkill /F /PID {pid}",
        git_bash=f"taskkill //F //PID {pid}",
    )


FIND_AGENT = ShellCommand(
    "pgrep -fl credtray",
    "Get-Process *credtray*, python*",
    cmd='tasklist | findstr /i "credtray python"',
    git_bash='tasklist | grep -iE "credtray|python"',
)
LOOK = ShellCommand("ls -l {path}", "icacls {path}", git_bash="icacls {native}")
OPEN_TO_OWNER = ShellCommand("chmod u+rwX {path}", "icacls {path} /reset", git_bash="icacls {native} //reset")
WRITABLE = ShellCommand("chmod u+w {path}", "attrib -r {path}", git_bash="attrib -r {native}")
PRIVATE = ShellCommand(
    "chmod 600 {path}",
    'icacls {path} /inheritance:r /grant:r "${env:USERNAME}:F"',
    cmd='icacls {path} /inheritance:r /grant:r "%USERNAME%:F"',
    git_bash='icacls {native} //inheritance:r //grant:r "${USERNAME}:F"',
)
PRIVATE_DIRECTORY = ShellCommand(
    "chmod 700 {path}",
    'icacls {path} /inheritance:r /grant:r "${env:USERNAME}:(OI)(CI)F"',
    cmd='icacls {path} /inheritance:r /grant:r "%USERNAME%:(OI)(CI)F"',
    git_bash='icacls {native} //inheritance:r //grant:r "${USERNAME}:(OI)(CI)F"',
)
CLOSED_TO_OTHERS = ShellCommand(
    "chmod go-w {path}", "icacls {path} /reset", git_bash="icacls {native} //reset"
)
GIVE_BACK = ShellCommand(
    'sudo chown -R "$(id -un)" {path}',
    'icacls {path} /setowner "$env:USERNAME" /T',
    cmd='icacls {path} /setowner "%USERNAME%" /T',
    git_bash='icacls {native} //setowner "$USERNAME" //T',
)
CHANGEABLE = ShellCommand(
    "sudo chattr -i -a {path}",
    "attrib -r {path}",
    "sudo chflags nouchg,nouappnd,noschg,nosappnd {path}",
    git_bash="attrib -r {native}",
)
MOVE_AWAY = ShellCommand(
    "mv {path} {path}.moved", "Move-Item {path} {path}.moved", cmd="move {path} {path}.moved"
)
REMOVE = ShellCommand("rm {path}", "Remove-Item {path}", cmd="del {path}")
REMOVE_OTHERS = ShellCommand(
    "sudo rm -r {path}", "Remove-Item -Recurse {path}", cmd="rd /s {path}", git_bash="rm -r {path}"
)
HASH_CERTIFICATES = ShellCommand("openssl rehash {path}", "openssl rehash {path}")
SET_CLOCK = ShellCommand(
    "Linux: timedatectl set-ntp true; WSL: sudo hwclock -s",
    "w32tm /resync",
    "sudo systemsetup -setusingnetworktime on",
    git_bash="w32tm //resync",
)
# Packages of Linux, whatever the shell: only their POSIX words are ever printed.
PURGE_WITH_APT = ShellCommand("sudo apt purge credtray", "")
REMOVE_WITH_DNF = ShellCommand("sudo dnf remove credtray", "")
READ_IN = ShellCommand(". {path}", "Get-Content -Raw -Encoding UTF8 {path} | Invoke-Expression")
IN_UTF8 = ShellCommand("setx PYTHONUTF8 1", "setx PYTHONUTF8 1")

PROGRAMS = (
    "credtray|aws|chmod|chown|chattr|mv|ls|rm|sudo|unset|eval|export|openssl|chflags|kill|pgrep|timedatectl|systemctl|"
    "brew|pipx|uv|icacls|attrib|Move-Item|Remove-Item|Get-Content|Get-Process|Stop-Process|w32tm|setx|"
    'tasklist|taskkill|(?:set|move|del|rd /s)(?= ")'
)
"""What a command that is printed begins with, as a regular expression."""


# The words of a command line that a person, or a program, has written down.


_PIECE = re.compile(r'(?P<escapes>\\*)"|(?P<gap>[ \t]+)|\\+|[^\\" \t]+')


def posix_word(name: str) -> str:
    """Return text as a word that ``shlex`` reads back, on every system: a name in a header of an AWS file."""
    return shlex.quote(name)


def command_line(words: Iterable[str], *, windows: bool) -> str:
    """Return the command line that ``command_words`` splits into these words."""
    return " ".join(map(_for_c_runtime if windows else shlex.quote, words))


_PLAIN_IN_CMD = re.compile(r"[\w.~:/\\+@-]+", re.ASCII)
_SPECIAL_IN_CMD = re.compile("[ \t&|<>^(),;=]")
"""Between quotes they are letters to cmd as well. (A percent sign is never.)"""


def plain_in_cmd(word: str) -> bool:
    """Return whether every program, cmd included, takes this for one word and leaves it as it is."""
    return _PLAIN_IN_CMD.fullmatch(word) is not None


def with_short_names(path: str, short: str) -> str:
    r"""Return a path of Windows, the folders that are not plain in cmd by their short names.

    Args:
        path: such as ``C:\My Apps\site-packages``.
        short: the same, as the drive shortens each folder: ``C:\MYAPPS~1\SITE-P~1``.
    """
    pairs = list(zip(path.split("\\"), short.split("\\"), strict=False))
    if len(pairs) != path.count("\\") + 1 or len(pairs) != short.count("\\") + 1:
        return path
    return "\\".join(
        brief if plain_in_cmd(brief) and not plain_in_cmd(name) else name for name, brief in pairs
    )


def _for_c_runtime(word: str) -> str:
    escaped = re.sub(r'(\\*)"', r"\1\1\"", word)
    if word and not _SPECIAL_IN_CMD.search(word):
        return escaped
    end = escaped[len(escaped.rstrip("\\")) :]  # before the quote that ends the word each counts half
    return f'"{escaped}{end}"'


def command_words(text: str, *, windows: bool) -> list[str]:
    """Split a command line as the system does that starts it; on Windows a backslash parts folders.

    POSIX: as `sh` does, by ``shlex``. Windows: the rules of the C runtime (learn.microsoft.com, "Parsing
    C command-line arguments"), as botocore splits `credential_process` there (compat.py, 1.40).

    Raises:
        ValueError: it has an open quote.
    """
    if not windows:
        return shlex.split(text)
    words: list[str] = []
    word, quoted = None, False
    for piece in _PIECE.finditer(text):
        if piece["gap"] and not quoted:
            words += [] if word is None else [word]
            word = None
            continue
        said = piece[0]
        if (escapes := piece["escapes"]) is not None:
            literal = len(escapes) % 2 == 1
            quoted = quoted if literal else not quoted
            said = "\\" * (len(escapes) // 2) + ('"' if literal else "")
        word = (word or "") + said
    if quoted:
        raise ValueError("No closing quotation")
    return words if word is None else [*words, word]
