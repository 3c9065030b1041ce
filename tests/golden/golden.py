"""What crosses a border, as text files in this folder; ``UPDATE_SNAPSHOTS=1`` writes them anew.

Texts that have a picture elsewhere are not repeated: help, tables and doctor's pages in tests/cli/snapshots,
menus and notices in tests/core/snapshots, errors and findings in docs/reference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from credtray import __version__
from tests.cli.snapshot import snapshot

FOLDER = Path(__file__).parent


def holds(name: str, parts: Iterable[tuple[str, str]]) -> bool:
    """Compare a file with titled parts; the assertion shows the lines that differ."""
    text = "\n".join(f"# {title}\n{body.rstrip()}\n" for title, body in parts)
    expected = snapshot(name, text, FOLDER).splitlines()

    assert expected == text.splitlines()
    return True


def steady(text: str, home: Path | None = None) -> str:
    """Put in place of what is another at every run, or with every release, what is always the same."""
    text = text.replace(f'"pid":{os.getpid()}', '"pid":4711').replace(__version__, "VERSION")
    return text if home is None else text.replace(str(home), "HOME")


def readable(document: Any) -> str:
    """Write a document with a line for each field and for each element of a list; keys keep their order."""
    if not isinstance(document, Mapping):
        return _short(document)
    return "\n".join(line for name, value in document.items() for line in _field(name, value))


def _field(name: str, value: Any) -> list[str]:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [f"{name}:", *(f"  {_short(item)}" for item in value)]
    return [f"{name}: {_short(value)}"]


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
