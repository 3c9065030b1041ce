"""How long the texts of a notification may be, and what its body says where there are no buttons.

Must not word anything else.
"""

from __future__ import annotations

from typing import Final

from credtray.desktop.shown_text import without_markup

TITLE_LENGTH: Final = 120
BODY_LENGTH: Final = 500
LABEL_LENGTH: Final = 40
"""Characters; buttons stand side by side."""
USE_THE_MENU: Final = "To act, use the tray menu."


def body_text(body: str, *, length: int = BODY_LENGTH, without_buttons: bool = False) -> str:
    """Return a notification's body; where buttons were meant to be and cannot, it says what to do instead."""
    told = [USE_THE_MENU] if without_buttons else []
    if body.strip():
        told.insert(0, without_markup(body, length - sum(len(text) + 1 for text in told)))
    return " ".join(told)


def moved_to_body(title: str, body: str, longest: int) -> tuple[str, str]:
    """Return title and body for a server that cuts titles after so many characters: nothing said is lost.

    Of ``corp: sign-in ended`` the title keeps the name, and the body begins with the rest. A title that
    cannot be parted stays, and the body begins with the whole of it.
    """
    if len(title) <= longest:
        return title, body
    name, colon, rest = title.partition(": ")
    parted = bool(colon) and len(name) <= longest
    told = rest[:1].upper() + rest[1:] if parted else title
    return (name if parted else title), f"{told}. {body}".strip()
