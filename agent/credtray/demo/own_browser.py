"""The browser of an attended demo: opens an address as the person's own desktop would.

The commands of the demo live in a throw-away home; a browser started there would be an empty, foreign one.
Started by its path as the command ``BROWSER`` names. Usage: ``own_browser.py FILE ADDRESS``; the file is JSON
and holds the variables that were replaced for the demo. Touches nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PATIENCE_SECONDS = 1.5
"""Below the two seconds the agent waits for its browser command."""

REPLACED = ("HOME", "USERPROFILE", "LOCALAPPDATA", "BROWSER", "XDG_")
"""What a desktop needs to find its browser and what the demo replaces; none of it is a secret."""


def replaced(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's variables that must be put back for a browser."""
    return {name: value for name, value in environ.items() if name.startswith(REPLACED)}


def restored(environ: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with those variables as they were."""
    kept = {name: value for name, value in environ.items() if not name.startswith(REPLACED)}
    return {**kept, **before}


def main(arguments: list[str]) -> int:
    """Open the address; exit code 1 when no browser took it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # started by path: make the package found
    from credtray.desktop.browser import SystemBrowser  # only now is the package to be found

    file, address = arguments
    before = json.loads(Path(file).read_text("utf-8"))
    environment = restored(os.environ, before)
    return 0 if SystemBrowser(environment, _PATIENCE_SECONDS).open(address) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
