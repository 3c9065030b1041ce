"""Stands in for a browser whose user is signed in by itself: follows the redirects, remembers each visit.

Run as BROWSER="python browser.py JOURNAL %s": appends the address to JOURNAL and goes there. On a page that
asks whether the present sign-in may be ended it presses the first button, unless JOURNAL.hesitates exists.
"""

from __future__ import annotations

import os
import re
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

_BUTTON = re.compile(r'<form method="post" action="(/sign-in/[^"]+)">')


def main(journal: str, url: str) -> None:
    with Path(journal).open("a") as file:
        file.write(url + "\n")
    if os.fork():
        return  # as xdg-open does: the browser has the address, and nobody has to wait
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - whatever a browser is told to open
        asked = _BUTTON.search(answer.read().decode())
    if asked is not None and not Path(f"{journal}.hesitates").exists():
        with urllib.request.urlopen(urljoin(url, asked[1]), b"", timeout=60) as answer:  # noqa: S310 - as above
            answer.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
