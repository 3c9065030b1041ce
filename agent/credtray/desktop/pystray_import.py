"""The one door to pystray: its import chooses a back-end, may connect to X and may raise, if not told better.

Imports nothing by itself; modules with subclasses of pystray's classes (``_sni``, ``_xembed``) are imported
after ``load_pystray`` only.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_VARIABLE = "PYSTRAY_BACKEND"


def load_pystray(platform: str = sys.platform) -> Any:
    """Return the module ``pystray``; on Linux without a back-end, because ours are chosen at run time.

    Takes about 0.1 s the first time (Pillow): call it in a worker, and in one thread at a time.

    Raises:
        ImportError: it is not installed, or (macOS, Windows) its back-end cannot be had.
    """
    if platform in {"darwin", "win32"}:
        import pystray  # late: heavy, and it chooses its back-end at import

        return pystray
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "dummy"
    try:
        import pystray  # late: heavy, and it chooses its back-end at import
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
    return pystray
