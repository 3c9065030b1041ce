"""Printed text kept in files beside the tests; ``UPDATE_SNAPSHOTS=1`` writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "snapshots"


def snapshot(name: str, text: str, folder: Path = _FOLDER) -> str:
    """Return what *text* should be: the kept text, or *text* itself while the files are written anew."""
    path = folder / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")
