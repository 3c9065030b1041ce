"""Writes the lock of a release: all that credtray needs, and credtray itself, by their hashes.

    python packaging/release_lock.py dist 0.1.0          writes dist/credtray.lock from the packages there

pip checks the hashes in a constraints file: pipx install --pip-args="--constraint credtray.lock" credtray.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

RUNTIME = Path(__file__).resolve().parents[1] / "requirements" / "runtime.txt"
NAME = "credtray.lock"


def lock_of(version: str, packages: Iterable[Path]) -> str:
    """Return the lock of this version, of which these are the wheels and the source package."""
    hashes = sorted(hashlib.sha256(package.read_bytes()).hexdigest() for package in packages)
    if not hashes:
        raise SystemExit(f"no package of version {version}: nothing to lock")
    lines = (f"credtray=={version}", *(f"    --hash=sha256:{digest}" for digest in hashes))
    return RUNTIME.read_text("utf-8") + " \\\n".join(lines) + "\n"


def main(dist: Path, version: str) -> int:
    """Write it and return 0."""
    packages = (*dist.glob(f"credtray-{version}-*.whl"), *dist.glob(f"credtray-{version}.tar.gz"))
    (dist / NAME).write_text(lock_of(version, packages), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
