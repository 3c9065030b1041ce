"""Tells in what two builds differ, file by file; ends with 1 if they do.

    python packaging/compare_builds.py FOLDER FOLDER
    python packaging/compare_builds.py --modes FOLDER FOLDER

Compares names, contents and where links lead; with --modes, modes and times as well, as packages carry them.
Needs nothing but Python: whoever doubts a release can run it beside a build of their own.
"""

from __future__ import annotations

import argparse
import stat
import sys
from collections.abc import Iterator
from pathlib import Path


def differences(first: Path, second: Path, *, modes: bool) -> Iterator[str]:
    """Yield a line for each path that is not the same in both folders."""
    names = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*")} for folder in (first, second)
    ]
    if not names[0]:
        yield f"{first} is empty"
    for name in sorted(names[0] ^ names[1]):
        yield f"{name}: only in {first if name in names[0] else second}"
    for name in sorted(names[0] & names[1]):
        yield from (f"{name}: {what}" for what in _differs(first / name, second / name, modes=modes))


def _differs(first: Path, second: Path, *, modes: bool) -> Iterator[str]:
    one, other = first.lstat(), second.lstat()
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(other.st_mode):
        yield "a file, a folder or a link, and something else"
        return
    if modes and one.st_mode != other.st_mode:
        yield f"mode {stat.filemode(one.st_mode)}, {stat.filemode(other.st_mode)}"
    if modes and int(one.st_mtime) != int(other.st_mtime):
        yield f"time {one.st_mtime:.0f}, {other.st_mtime:.0f}"
    if stat.S_ISLNK(one.st_mode) and first.readlink() != second.readlink():
        yield f"leads to {first.readlink()}, {second.readlink()}"
    if stat.S_ISREG(one.st_mode):
        yield from _contents(first.read_bytes(), second.read_bytes())


def _contents(one: bytes, other: bytes) -> Iterator[str]:
    if one == other:
        return
    if len(one) != len(other):
        yield f"{len(one)} bytes, {len(other)}"
    shorter = min(len(one), len(other))
    place = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    near = slice(max(place - 8, 0), place + 24)  # for a first guess
    yield f"differs from byte {place} on: {one[near]!r}, {other[near]!r}"


def main() -> int:
    """Compare what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--modes", action="store_true")
    given = parser.parse_args()
    found = list(differences(given.first, given.second, modes=given.modes))
    print("\n".join(found) or f"{given.first} and {given.second} are equal, byte for byte")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
