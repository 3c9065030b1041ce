"""The few colours of the terminal, and what each means. The only place that names one.

They are taken from the part of the 256 colours that no theme of a terminal changes (16 to 255), each about
as far from black as from white. A terminal that knows fewer colours gets none: its sixteen are the user's,
and no text in yellow can be read on every background.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GOOD, BAD, WARNING, ACCENT, QUIET = 28, 196, 130, 31, 243
"""Numbers of the 256 colours (xterm, "256colres.h")."""
NUMBERS = {"good": GOOD, "bad": BAD, "warning": WARNING, "accent": ACCENT, "quiet": QUIET}

THEME: Mapping[str, str] = {
    **{name: f"color({number})" for name, number in NUMBERS.items()},
    **{f"strong {name}": f"bold color({number})" for name, number in NUMBERS.items()},
}
"""Styles of rich by their meaning; beside them there is only ``bold``."""

CODES: Mapping[str, str] = {
    "error": f"1;38;5;{BAD}",
    "warning": f"1;38;5;{WARNING}",
    "hint": f"38;5;{ACCENT}",
    "good": f"38;5;{GOOD}",
    "strong": "1",
}
"""What ``terminal.paint`` writes (ECMA-48, "select graphic rendition")."""

_BOLD, _PLAIN = "bold", ""
_HELP: Mapping[str, str] = {
    "STYLE_OPTION": _BOLD,
    "STYLE_SWITCH": _BOLD,
    "STYLE_NEGATIVE_OPTION": _BOLD,
    "STYLE_NEGATIVE_SWITCH": _BOLD,
    "STYLE_COMMANDS_TABLE_FIRST_COLUMN": _BOLD,
    "STYLE_USAGE": _PLAIN,
    "STYLE_USAGE_COMMAND": _BOLD,
    "STYLE_HELPTEXT": _PLAIN,
    "STYLE_TYPES": THEME["quiet"],
    "STYLE_TYPES_SEPARATOR": THEME["quiet"],
    "STYLE_OPTION_DEFAULT": THEME["quiet"],
    "STYLE_OPTION_ENVVAR": THEME["quiet"],
    "STYLE_OPTIONS_PANEL_BORDER": THEME["quiet"],
    "STYLE_COMMANDS_PANEL_BORDER": THEME["quiet"],
    "STYLE_ERRORS_SUGGESTION": THEME["quiet"],
    "STYLE_DEPRECATED": THEME["bad"],
    "STYLE_DEPRECATED_COMMAND": THEME["quiet"],
    "STYLE_REQUIRED_SHORT": THEME["bad"],
    "STYLE_REQUIRED_LONG": THEME["bad"],
    "STYLE_ERRORS_PANEL_BORDER": THEME["bad"],
    "STYLE_ABORTED": THEME["bad"],
}


def dress_help(*, colours: bool) -> None:
    """Give typer's help our styles; without colours it is plain."""
    from typer import rich_utils

    settings: dict[str, Any] = dict(_HELP)
    for name, style in settings.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, style)
    rich_utils.COLOR_SYSTEM = "auto" if colours else None


def question_styles(*, colours: bool) -> dict[str, str]:
    """Return the classes of the questions, in terms of prompt_toolkit."""
    quiet = "#767676" if colours else _PLAIN  # the number 243
    return {
        "qmark": "noinherit bold",
        "question": "noinherit bold",
        "answer": "noinherit",
        "pointer": "noinherit reverse",
        "highlighted": "noinherit bold",
        "selected": "noinherit",
        "text": "noinherit",
        "instruction": f"noinherit {quiet}",
        "hint": quiet,
        "picked": "bold",
        "remark": "bold",
    }
