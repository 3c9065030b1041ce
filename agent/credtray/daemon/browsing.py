"""Opens a page in the browser a session's settings name, or in the desktop's own when that does not work.

Decides nothing about the address; the caller has judged it, and tells a person the outcome.
"""

from __future__ import annotations

import logging
from enum import Enum

from credtray.core.ports import Browser

_log = logging.getLogger(__name__)

BROKEN_COMMAND = "The browser command of this session did not work; the desktop's own browser was used."
"""For a person. The command itself is not quoted: it may hold a name or an address."""


class Opened(Enum):
    """What became of a page."""

    AS_WISHED = "as_wished"
    BY_ANOTHER = "by_another"
    """The command of the settings did not work; the desktop's own browser took it."""
    NOT_AT_ALL = "not_at_all"


def open_page(browser: Browser, url: str, command: str | None) -> Opened:
    """Open *url* by *command*; where that is None or broken, as the desktop prefers. Blocks for seconds."""
    if command is not None and browser.open(url, command):
        return Opened.AS_WISHED
    taken = browser.open(url)
    if command is None:
        return Opened.AS_WISHED if taken else Opened.NOT_AT_ALL
    _log.info("the browser command of the settings did not work")
    return Opened.BY_ANOTHER if taken else Opened.NOT_AT_ALL
