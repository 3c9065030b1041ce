"""Finds the picture that stands beside our notifications. Does not read it: the desktop does."""

from __future__ import annotations

from pathlib import Path


def picture() -> Path | None:
    """Return the absolute path of our application icon, or None when it was not installed.

    A wheel carries ``assets`` inside the package; in a checkout the folder lies beside it.
    """
    package = Path(__file__).resolve().parent.parent
    places = (folder / "assets" / "credtray-64.png" for folder in (package, package.parent))
    return next((place for place in places if place.is_file()), None)
