"""Makes a text one that panels and notification daemons show as it stands. Words nothing itself."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from credtray.core.plain import plain

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


def without_markup(text: str, length: int) -> str:
    """Return the text in one line of at most ``length`` characters that everybody shows as it stands."""
    return plain(text, length).translate(_LOOK_ALIKES)
