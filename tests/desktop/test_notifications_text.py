"""Whatever a name contains, a notification daemon gets one plain line that is not too long."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.desktop.notifications.text import (
    BODY_LENGTH,
    TITLE_LENGTH,
    USE_THE_MENU,
    body_text,
    moved_to_body,
)
from credtray.desktop.tray.painting import without_markup

ODD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("<>&;\"'/\\%-\n\r\t\x00\x1b\x7f\u202e\u2066\u200f\u200b\u2028\ufeff\ud800\U0001f680"),
    ),
    max_size=700,
)


def is_plain(text: str) -> bool:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not set(text) & set("<>&") and not {unicodedata.category(letter) for letter in text} & hidden


@given(ODD)
def test_a_title_is_plain_and_short(text: str) -> None:
    shown = without_markup(text, TITLE_LENGTH)

    assert is_plain(shown)
    assert 0 < len(shown) <= TITLE_LENGTH
    assert shown.encode()


@given(ODD, st.booleans())
def test_a_body_is_plain_and_short_and_keeps_its_advice(text: str, without_buttons: object) -> None:
    shown = body_text(text, without_buttons=bool(without_buttons))

    assert is_plain(shown)
    assert len(shown) <= BODY_LENGTH
    assert shown.endswith(USE_THE_MENU) or not without_buttons


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("R&D", "R+D"),
        ("<b>", "\u2039b\u203a"),
        ("&lt;b&gt;", "+lt;b+gt;"),
        ("no\nbreak", "no break"),
        ("prod\u202egnp.exe", "prodgnp.exe"),
        ("100 % sure_", "100 % sure_"),
    ],
)
def test_names_are_shown_like_this(name: str, shown: str) -> None:
    assert without_markup(name, TITLE_LENGTH) == shown


def test_an_empty_body_stays_empty() -> None:
    assert (body_text(""), body_text("", without_buttons=True)) == ("", USE_THE_MENU)


def test_a_text_that_fits_exactly_is_not_shortened() -> None:
    assert without_markup("x" * TITLE_LENGTH, TITLE_LENGTH) == "x" * TITLE_LENGTH
    assert len(without_markup("x" * (TITLE_LENGTH + 1), TITLE_LENGTH)) == TITLE_LENGTH


@pytest.mark.met("M4")
@pytest.mark.parametrize(
    ("title", "body", "shown"),
    [
        ("corp: sign-in ended", "At 9.", ("corp: sign-in ended", "At 9.")),
        (
            "corp-production: sign-in ends in about 30 min",
            "At 9.",
            ("corp-production", "Sign-in ends in about 30 min. At 9."),
        ),
        (
            "The credentials file is broken, so every AWS tool fails",
            "Fix it.",
            (
                "The credentials file is broken, so every AWS tool fails",
                "The credentials file is broken, so every AWS tool fails. Fix it.",
            ),
        ),
        ("n" * 39 + ": sign-in ended", "", ("n" * 39 + ": sign-in ended", "n" * 39 + ": sign-in ended.")),
        ("x" * 38, "", ("x" * 38, "")),
        (
            "You now have Admin in lab: add a profile?",
            "At corp.",
            ("You now have Admin in lab", "Add a profile? At corp."),
        ),
    ],
)
def test_what_a_title_has_no_room_for_is_said_in_the_body(
    title: str, body: str, shown: tuple[str, str]
) -> None:
    assert moved_to_body(title, body, 38) == shown
