"""Questions to a person in the terminal, by questionary, on stderr so that stdout stays the result's.

Decides nothing. Ctrl-C is KeyboardInterrupt, wherever it is pressed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import questionary
from prompt_toolkit.output import create_output
from prompt_toolkit.styles import Style

from credtray.cli.picker import pick
from credtray.cli.terminal import colourful, has_colours, question_styles, say, visible
from credtray.core.errors import CredtrayError

T = TypeVar("T")


def ask_text(question: str, default: str = "", check: Callable[[str], object] | None = None) -> str:
    """Ask for a line; what ``check`` raises is shown and the question stays."""

    def valid(text: str) -> bool | str:
        try:
            if check is not None:
                check(text.strip())
        except CredtrayError as error:
            return visible(error.detail or str(error))
        return True

    asked = questionary.text(
        question, default=default, validate=valid, validate_while_typing=False, **_manner()
    )
    return str(asked.unsafe_ask()).strip()


def ask_one(question: str, choices: Sequence[tuple[str, T]]) -> T:
    """Let a person pick one of (words, value)."""
    options = [questionary.Choice(visible(words), value=value) for words, value in choices]
    picked: T = questionary.select(question, choices=options, **_manner()).unsafe_ask()
    return picked


def ask_several(
    question: str, choices: Sequence[tuple[tuple[str, ...], T]], picked: Sequence[T] = ()
) -> list[T]:
    """Let a person pick at least one of (cells, value); typing searches the list."""
    rows = [tuple(visible(cell) for cell in cells) for cells, _ in choices]
    before = [at for at, (_, value) in enumerate(choices) if value in picked]
    manner = _manner()
    found = pick(question, rows, before, manner["output"], manner["style"])
    say(f"{question} {len(found)} picked")
    return [choices[at][1] for at in found]


def ask_yes(question: str, *, default: bool = True) -> bool:
    """Ask for yes or no."""
    return bool(questionary.confirm(question, default=default, **_manner()).unsafe_ask())


def _manner() -> dict[str, Any]:
    styles = question_styles(colours=colourful(sys.stderr) and has_colours(os.environ))
    return {"output": create_output(stdout=sys.stderr), "style": Style(list(styles.items()))}
