"""Finds the files that belong to credtray and are no code: the icon's geometry and its pictures.

Reads only; knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

from agent.core.errors import AssetMissing


def asset(name: str) -> bytes:
    """Return the content of one file of ``assets/``.

    A wheel carries the folder inside the package (``agent/assets``); in a checkout it lies beside it.

    Raises:
        AssetMissing: there is no such file, or it cannot be read.
    """
    package = Path(__file__).parent.parent
    reason = "there is no such file"
    for folder in (package / "assets", package.parent / "assets"):
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = error.strerror or reason
    raise AssetMissing(f"{package / 'assets' / name}: {reason}")
