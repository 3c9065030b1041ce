"""What one error text of the table is, and how texts are compared with it.

Nothing here looks at how things are on a computer; see ``explanation`` for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from credtray.core.diagnosis.finding import Kind


@dataclass(frozen=True, slots=True)
class Symptom:
    """One error text, in the words of all programs that say the same."""

    text: str
    """As people see it, for the reference; ``...`` stands for names."""
    pattern: re.Pattern[str]
    """Searched in the text with all blanks made one."""
    squeezed: re.Pattern[str]
    """The same for a text without any blank: a terminal wraps lines in the middle of words."""
    causes: tuple[Kind, ...]
    """The most likely one first, as long as nothing is known of this computer."""
    wraps: bool
    """It only says that something failed; what it quotes is the cause, where it quotes something known."""
    general: bool
    """Programs that have nothing to do with AWS say it as well; see ``foreign``."""


_NAME = re.compile(r"(?<![\w\\])(?:[A-Z][a-z]+){2,}")
"""The name of an error: without the blanks of a sentence, "access denied" would be one."""


def seen(text: str, words: str, *causes: Kind, wraps: bool = False, general: bool = False) -> Symptom:
    """Return one row of the table.

    Args:
        text: for the reference.
        words: a regular expression; a blank in it stands for any blanks, in a wrapped line for none. It must
            have no blank in a set of characters.
        causes: the most likely first.
        wraps: see ``Symptom``.
        general: see ``Symptom``.
    """
    pattern = re.compile(words, re.IGNORECASE)
    squeezed = re.compile(_NAME.sub(_as_written, words.replace(" ", "").replace(r"\b", "")), re.IGNORECASE)
    return Symptom(text, pattern, squeezed, causes, wraps, general)


def _as_written(name: re.Match[str]) -> str:
    return f"(?-i:{name[0]}|{name[0].upper()})"
