"""`credtray completion`: the script a shell needs, and what that script asks at each key press.

Edits no file of the shell: the person decides where the script goes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from credtray.cli.completing import Kind, Offer, offer
from credtray.cli.terminal import let_go, visible
from credtray.core.errors import UsageError
from credtray.core.forms import Shell, ShellWithScript
from credtray.desktop.paths import asset

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
