"""`credtray completion`: the script a shell needs, and what that script asks at each key press.

Edits no file of the shell: the person decides where the script goes.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from credtray.cli.main import COMMANDS, HIDDEN, command_line, command_named
from credtray.cli.terminal import let_go, visible
from credtray.core.errors import UsageError
from credtray.core.forms import Shell, ShellWithScript
from credtray.desktop.paths import asset

# What could stand at the cursor: commands, options, and what each of them takes.
#
# Asks no agent and no network, raises nothing and prints nothing: a key press must not bring up an error.


_FILES = frozenset({"FILE", "PATH", "DIRECTORY"})
_COMMANDS = frozenset({"CMD", "COMMAND"})
"""Words in a metavar that say what the shell itself completes."""


class Kind(Enum):
    """Who knows what could stand there."""

    WORDS = "words"
    """We do."""
    FILES = "files"
    """The shell: a file name."""
    COMMAND = "command"
    """The shell: a whole command line of its own begins in here."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that could stand there."""

    value: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What to tell the shell."""

    kind: Kind = Kind.WORDS
    candidates: tuple[Candidate, ...] = ()
    before: int = 0
    """With COMMAND: how many words stand between the program's name and that command line."""


@dataclass(slots=True)
class _Read:
    """The words of one command, as far as they are complete."""

    given: set[str] = field(default_factory=set)
    """Names of the options."""
    arguments: list[str] = field(default_factory=list)
    waiting: Any = None
    """The option whose value comes next."""
    ended: bool = False
    """After ``--``: no option comes any more."""


def offer(words: Sequence[str], incomplete: str, *, described: bool = True) -> Offer:
    """Return what could stand at the cursor.

    *words* are those before it, without the program's name; *incomplete* is the part of the word that is
    there already. *described*: commands with their summaries, which takes a look at each one's source.
    """
    at = next((place for place, word in enumerate(words) if not word.startswith("-")), None)
    if at is None:
        root = command_line()
        if incomplete.startswith("-"):
            return Offer(candidates=tuple(_options(root, set(words), incomplete)))
        return Offer(candidates=tuple(_commands(incomplete, described=described)))
    if words[at] not in COMMANDS:
        return Offer()
    return _within(command_named(words[at]), words, at + 1, incomplete)


def _commands(incomplete: str, *, described: bool) -> Iterator[Candidate]:
    for name, (module, _) in COMMANDS.items():
        if name.startswith(incomplete) and name not in HIDDEN:
            yield Candidate(name, _summary(name, module) if described else "")


def _summary(name: str, module: str) -> str:
    """Return the first line of a command's docstring without importing it: some commands import a lot."""
    source = Path(__file__).parents[1].joinpath(*module.split(".")).with_suffix(".py")
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):  # where only compiled modules are installed
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in {name.replace("-", "_"), f"{name}_"}:
            return (ast.get_docstring(node) or "").partition("\n")[0].replace("\\[", "[")
    return ""


# --- inside one command ------------------------------------------------------------------------------


def _within(command: Any, words: Sequence[str], first: int, incomplete: str) -> Offer:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = {name: param for param in command.params for name in _names(param)}
    read = _Read()
    for place in range(first, len(words)):
        if _is_command(_expected(arguments, len(read.arguments))) and (
            read.ended or not words[place].startswith("-")
        ):
            return Offer(Kind.COMMAND, before=place)
        _take(read, words[place], options)
    if read.waiting is not None:
        return _values(command, read.waiting, incomplete)
    if not read.ended and incomplete.startswith("-"):
        return _option(command, options, read, incomplete)
    expected = _expected(arguments, len(read.arguments))
    if _is_command(expected):
        return Offer(Kind.COMMAND, before=len(words))
    return Offer() if expected is None else _without(_values(command, expected, incomplete), read)


def _option(command: Any, options: dict[str, Any], read: _Read, incomplete: str) -> Offer:
    name, equals, value = incomplete.partition("=")
    if not equals or name not in options or options[name].is_flag:
        return Offer(candidates=tuple(_options(command, read.given, incomplete)))
    found = _values(command, options[name], value)
    joined = (Candidate(f"{name}={each.value}", each.help) for each in found.candidates)
    return Offer(found.kind, tuple(joined))


def _take(read: _Read, word: str, options: dict[str, Any]) -> None:
    if read.waiting is not None:
        read.waiting = None
    elif read.ended or not word.startswith("-") or word == "-":
        read.arguments.append(word)
    elif word == "--":
        read.ended = True
    else:
        name, equals, _ = word.partition("=")
        option = options.get(name)
        read.given.add(name)
        if option is not None and not option.is_flag and not equals:
            read.waiting = option


def _expected(arguments: Sequence[Any], given: int) -> Any:
    """Return the argument that comes after so many; the last one may take any number."""
    if given < len(arguments):
        return arguments[given]
    return arguments[-1] if arguments and arguments[-1].nargs == -1 else None


def _is_command(param: Any) -> bool:
    return param is not None and not _COMMANDS.isdisjoint(_metavars(param))


def _metavars(param: Any) -> list[str]:
    return re.findall(r"[A-Z]+", param.metavar or "")


def _names(param: Any) -> list[str]:
    if param.param_type_name == "argument":
        return []
    return [*param.opts, *param.secondary_opts]


def _options(command: Any, given: set[str], incomplete: str) -> Iterator[Candidate]:
    for param in (*command.params, command.get_help_option(_context(command))):
        names = _names(param)
        if not names or param.hidden or (given.intersection(names) and not param.multiple):
            continue
        for name in names:
            # One spelling per option unless another one is typed: the long one says what it is.
            if name.startswith(incomplete) and (name.startswith("--") or incomplete == name):
                yield Candidate(name, param.help or "")


def _values(command: Any, param: Any, incomplete: str) -> Offer:
    if not _FILES.isdisjoint(_metavars(param)):
        return Offer(Kind.FILES)
    items = param.shell_complete(_context(command), incomplete)
    if any(item.type in {"file", "dir"} for item in items):
        return Offer(Kind.FILES)
    found = (Candidate(str(item.value), item.help or "") for item in items)
    return Offer(candidates=tuple(each for each in found if each.value.startswith(incomplete)))


def _without(found: Offer, read: _Read) -> Offer:
    """Leave out what was given already, and what would be taken for an option where it stands."""
    left = (each for each in found.candidates if each.value not in read.arguments)
    return Offer(found.kind, tuple(each for each in left if read.ended or not each.value.startswith("-")))


def _context(command: Any) -> Any:
    return typer.Context(command, info_name=command.name, resilient_parsing=True)


# The line before the cursor as bash reads it, and completed words as its readline wants to insert them.
#
# Pure. Bash hands over the raw line and replaces only what follows the last of its word breaks.


_PLAIN = frozenset("_./:=@%+,-")
_ESCAPED_IN_DOUBLE_QUOTES = frozenset('"$`\\')


@dataclass(slots=True)
class Typed:
    """The text to the left of the cursor."""

    words: list[str] = field(default_factory=list)
    """The complete words, without quotes; the program's name first."""
    raw: str = ""
    """The word under the cursor as it was typed."""
    value: str = ""
    """The same without quotes."""
    quote: str = ""
    """The quote that is still open in it."""
    kept: int = 0
    """How much of ``raw`` readline leaves alone."""


def read(line: str, breaks: str) -> Typed:
    """Read a command line up to the cursor; *breaks* is COMP_WORDBREAKS."""
    typed, escaped = Typed(), False
    for char in line:
        if not typed.raw and char.isspace():
            continue
        if not escaped and not typed.quote and char.isspace():
            typed.words.append(typed.value)
            typed.raw, typed.value, typed.kept = "", "", 0
            continue
        typed.raw += char
        if escaped:
            keeps = typed.quote == '"' and char not in _ESCAPED_IN_DOUBLE_QUOTES
            typed.value += f"\\{char}" if keeps else char
            escaped = False
        elif char == "\\" and typed.quote != "'":
            escaped = True
        elif char == typed.quote or (not typed.quote and char in "'\""):
            typed.quote = "" if typed.quote else char
            typed.kept = len(typed.raw)
        else:
            typed.value += char
            if not typed.quote and char in breaks:
                typed.kept = len(typed.raw)
    return typed


def inserted(typed: Typed, value: str) -> str:
    """Return what bash has to insert for a whole word that begins with what was typed."""
    return typed.raw[typed.kept :] + _quoted(value[len(typed.value) :], typed.quote)


def _quoted(rest: str, quote: str) -> str:
    if quote == "'":
        return rest.replace("'", "'\\''")
    if quote == '"':
        return "".join(f"\\{char}" if char in _ESCAPED_IN_DOUBLE_QUOTES else char for char in rest)
    return "".join(char if char.isalnum() or char in _PLAIN else f"\\{char}" for char in rest)


WORDS_VARIABLE = "_CREDTRAY_WORDS"
"""The words, a line each, where a shell cannot hand arguments on unchanged: PowerShell before 7.3."""
GIVE_UP_SECONDS = 1.0
"""A home directory that hangs must not hold up a key press."""


def completion(
    shell: Annotated[ShellWithScript, typer.Argument(help="Your shell.", show_default=False)],
) -> None:
    """Print the completion script of a shell.

    It completes commands and options, and the names of profiles and sessions.

    Examples:
      eval "$(credtray completion bash)"       (in ~/.bashrc)
      eval "$(credtray completion zsh)"        (in ~/.zshrc, after compinit)
      credtray completion fish > ~/.config/fish/completions/credtray.fish
      credtray completion powershell | Out-String | Invoke-Expression
    """
    sys.stdout.write(asset(f"completion/credtray.{Shell[shell.name].script}").decode())


def answer(arguments: Sequence[str]) -> int:
    """Print what could stand at the cursor for one of the scripts, and return 0 whatever happens.

    The first line is ``words``, ``files`` or ``command N`` (a command line of its own begins after N words);
    with ``words`` a candidate per line follows, a tab and its description behind it, or for bash as
    readline inserts it.
    """
    threading.Thread(target=_give_up, name="give up", daemon=True).start()
    try:
        lines = _lines(arguments[0], arguments[1:])
        text = "".join(f"{line}\n" for line in lines)
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 -- nobody wants an error in the middle of the line being typed
        let_go(sys.stdout)
    return 0


def _give_up() -> None:
    time.sleep(GIVE_UP_SECONDS)
    os._exit(0)


def _lines(shell: str, arguments: Sequence[str]) -> Iterator[str]:
    if shell == Shell.BASH:
        line, breaks = arguments
        typed = read(line, breaks)
        found = offer(typed.words[1:], typed.value, described=False)
        yield _head(found)
        yield from (inserted(typed, each.value) for each in found.candidates)
        return
    *words, incomplete = _words(shell, arguments)
    if shell == Shell.FISH and not incomplete.startswith("-"):
        incomplete = ""  # its own matching finds more: parts of a word, other case
    found = offer(words, incomplete)
    yield _head(found)
    for each in found.candidates:
        yield f"{each.value}\t{' '.join(visible(each.help).split())}"


def _words(shell: str, arguments: Sequence[str]) -> Sequence[str]:
    if shell not in set(ShellWithScript):
        raise UsageError(f"There is no completion for {shell!r}")
    return os.environ[WORDS_VARIABLE].split("\n") if shell == Shell.POWERSHELL else arguments


def _head(found: Offer) -> str:
    return f"command {found.before}" if found.kind is Kind.COMMAND else found.kind.value
