"""Stands in for a browser whose user is signed in by itself: follows the redirects, remembers each visit.

Run as BROWSER="python browser.py JOURNAL %s": appends the address to JOURNAL and goes there.
"""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path


def main(journal: str, url: str) -> None:
    with Path(journal).open("a") as file:
        file.write(url + "\n")
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - whatever a browser is told to open
        answer.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
