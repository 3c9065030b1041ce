"""Builds credtray.pyz: credtray and its dependencies in one file for Linux, two processors and four Pythons.

    python packaging/one_file.py dist/credtray.pyz
    python packaging/one_file.py /tmp/credtray.pyz --only cp311-x86_64

An archive as Python's own zipapp makes it, of few members: `__main__.py` (packaging/one_file/) and one inner
archive of each part. What is compiled differs by Python and processor; all the rest is there once.
docs/adr/0057-one-file.md says why it is not shiv's.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import stat
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from site_packages import ROOT, epoch, fill

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
PROCESSORS = ("x86_64", "aarch64")
DIFFER = re.compile(r"\.dist-info/(RECORD|WHEEL|sboms/.*)$")
"""Differ by wheel, and nothing reads them here: the list of parts of the whole names every wheel."""
_FIRST_YEAR_OF_ZIP = 315_532_800


def build(target: Path, wanted: tuple[str, ...]) -> None:
    """Write the one file."""
    with tempfile.TemporaryDirectory() as place:
        trees = {tag: Path(place, tag) for tag in wanted}
        for tag, folder in trees.items():
            version, processor = tag.removeprefix("cp3").split("-")
            fill(folder, f"{processor}-manylinux_2_28", f"3.{version}")
        parts = {name: archive(files) for name, files in sorted(split(trees).items())}
    digest = hashlib.sha256(b"".join(parts.values())).hexdigest()[:16]
    first = (ROOT / "packaging" / "one_file" / "__main__.py").read_text("utf-8")
    first = first.replace('BUILD = ""', f"BUILD = {digest!r}").replace("PARTS = ()", f"PARTS = {wanted!r}")
    members = {"__main__.py": first.encode()} | {f"{name}.zip": content for name, content in parts.items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive(members, zipfile.ZIP_STORED, b"#!/usr/bin/env python3\n"))
    target.chmod(0o755)


def split(trees: Mapping[str, Path]) -> dict[str, dict[str, bytes]]:
    """Return part -> file -> content: what all trees share, what those of a processor do, and the rest."""
    found: dict[str, dict[bytes, list[str]]] = defaultdict(lambda: defaultdict(list))
    for tag, folder in trees.items():
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not DIFFER.search(name):
                found[name][path.read_bytes()].append(tag)
    parts: dict[str, dict[str, bytes]] = {"all": {}}
    for processor in {tag.partition("-")[2] for tag in trees}:
        parts[processor] = {}
    parts |= {tag: {} for tag in trees}
    for name, contents in found.items():
        for content, tags in contents.items():
            for part in _covering(tags, tuple(trees)):
                parts[part][name] = content
    return parts


def _covering(tags: list[str], every: tuple[str, ...]) -> list[str]:
    """Return the fewest parts that bring a file to exactly these trees."""
    if len(tags) == len(every):
        return ["all"]
    parts = []
    for processor in sorted({tag.partition("-")[2] for tag in tags}):
        mine = [tag for tag in tags if tag.endswith(f"-{processor}")]
        whole = [tag for tag in every if tag.endswith(f"-{processor}")]
        parts += [processor] if mine == whole else mine
    return parts


def archive(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, head: bytes = b"") -> bytes:
    """Return the same archive for the same files, wherever and whenever it is made."""
    out = io.BytesIO()
    out.write(head)  # first, so that the places in the archive's table are right
    moment = time.gmtime(max(epoch(), _FIRST_YEAR_OF_ZIP))[:6]
    with zipfile.ZipFile(out, "w", method, compresslevel=9) as made:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, moment)
            info.compress_type = method
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            made.writestr(info, content)
    return out.getvalue()


def main() -> int:
    """Build the file named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("--only", action="append", help="a part such as cp311-x86_64; may be repeated")
    given = parser.parse_args()
    every = tuple(f"cp{version.replace('.', '')}-{each}" for each in PROCESSORS for version in VERSIONS)
    build(given.target, tuple(given.only or every))
    return 0


if __name__ == "__main__":
    sys.exit(main())
