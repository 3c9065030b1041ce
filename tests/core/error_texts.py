"""Reads the error texts of ``tests/fixtures``; how they are written down is said in the files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FIXTURES = Path(__file__).parents[1] / "fixtures"


@dataclass(frozen=True)
class ErrorText:
    """One text; ``cause`` is what stands behind it as long as nothing is known of the computer."""

    source: str
    text: str
    cause: str


def _lines(name: str) -> Iterator[str]:
    for line in (FIXTURES / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def _unescaped(text: str) -> str:
    pieces = text.split("\\\\")
    return "\\".join(piece.replace("\\n", "\n").replace("\\t", "\t") for piece in pieces)


def _error_texts() -> Iterator[ErrorText]:
    source = ""
    for line in _lines("error_texts.txt"):
        if line.startswith("== "):
            source = line.removeprefix("== ")
            continue
        cause, _, text = line.partition("\t")
        yield ErrorText(source, _unescaped(text), cause)


def _foreign() -> Iterator[tuple[str | None, str]]:
    for line in _lines("foreign_texts.txt"):
        whose, _, text = line.partition("\t")
        yield (None if whose == "-" else whose), _unescaped(text)


ERROR_TEXTS = tuple(_error_texts())
FOREIGN = tuple(_foreign())
"""Whose it is, as far as the text shows it; and the text."""
