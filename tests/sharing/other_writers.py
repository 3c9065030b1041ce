"""Programs that edit the credentials file and know nothing of credtray; run as a process of their own.

``python other_writers.py in_place|renaming PATH FIRST COUNT``: each edit adds one key to ``[user]``.
"""

from __future__ import annotations

import configparser
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

CHANCE = Random(11)


def edited(text: str, number: int) -> str:
    """Add one line to [user], as an editor would."""
    header, found, rest = text.partition("[user]\n")
    if not found:
        sys.exit(f"[user] is missing: the file was {len(text)} characters long")
    return f"{header}{found}edit_{number} = {number}\n{rest}"


def in_place(path: Path, number: int) -> None:
    """Read, truncate, pause, write: what `aws configure set` does, slowed down."""
    text = edited(path.read_text(), number)
    time.sleep(CHANCE.random() * 0.02)
    with path.open("w") as file:
        time.sleep(CHANCE.random() * 0.03)
        middle = len(text) // 2
        file.write(text[:middle])
        file.flush()
        time.sleep(CHANCE.random() * 0.01)
        file.write(text[middle:])


def renaming(path: Path, number: int) -> None:
    """Write another file and rename it over; starts over when the file changed meanwhile, as good ones do."""
    while True:
        before = path.stat()
        text = edited(path.read_text(), number)
        time.sleep(CHANCE.random() * 0.005)
        draft = path.with_name("theirs")
        draft.write_text(text)
        now = path.stat()
        if (before.st_ino, before.st_mtime_ns) == (now.st_ino, now.st_mtime_ns):
            draft.rename(path)
            return


def main() -> None:
    """Edit COUNT times, checking each time that the file is whole."""
    kinds: dict[str, Callable[[Path, int], None]] = {"in_place": in_place, "renaming": renaming}
    kind, path, first, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    for number in range(first, first + count):
        kinds[kind](path, number)
        configparser.RawConfigParser().read_string(path.read_text())
        time.sleep(CHANCE.random() * 0.08)


if __name__ == "__main__":
    main()
