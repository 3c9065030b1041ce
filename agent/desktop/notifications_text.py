"""Makes texts fit for a notification daemon: no markup, nothing invisible, not too long.

Must not word anything itself, apart from saying where to act when there are no buttons.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from agent.core.plain import plain

TITLE_LENGTH: Final = 120
BODY_LENGTH: Final = 500
LABEL_LENGTH: Final = 40
"""Characters; buttons stand side by side."""
USE_THE_MENU: Final = "To act, use the tray menu."

# Daemons disagree about markup: some interpret tags without saying so in their capabilities, some say so and
# show `&amp;` as it stands. These look-alikes mean nothing to any of them and are in every font; the
# full-width ampersand is in few, so "R&D" becomes "R+D", which reads the same.
_LOOK_ALIKES: Final = MappingProxyType(
    {
        0x3C: "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        0x3E: "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        0x26: "+",
    }
)


def daemon_text(text: str, length: int) -> str:
    """Return the text in one line of at most ``length`` characters that every daemon shows as it stands."""
    return plain(text, length).translate(_LOOK_ALIKES)


def body_text(body: str, *, length: int = BODY_LENGTH, without_buttons: bool = False) -> str:
    """Return a notification's body; where buttons were meant to be and cannot, it says what to do instead."""
    told = [USE_THE_MENU] if without_buttons else []
    if body.strip():
        told.insert(0, daemon_text(body, length - sum(len(text) + 1 for text in told)))
    return " ".join(told)
