from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.words import LIMIT, NAMELESS, plain

_ODD = st.one_of(
    st.text(st.characters(), max_size=120),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn", "Lo", "So"]), max_size=120),
)
_CLEAN = st.text(st.sampled_from("aé ü&_%<>.-/Ωжש日😀"), min_size=1, max_size=LIMIT)


@given(_ODD, st.integers(9, 60))
def test_any_text_becomes_one_visible_line_within_the_limit(text: str, limit: int) -> None:
    found = plain(text, limit)

    assert found.isprintable()
    assert 0 < len(found) <= limit
    assert any(unicodedata.category(char)[0] not in "MZ" for char in found)
    found.encode()


@given(_ODD)
def test_plain_text_stays_plain(text: str) -> None:
    once = plain(text)

    assert once == plain(once)


@given(_CLEAN)
def test_clean_names_come_through_as_they_are(name: str) -> None:
    expected = name.strip() or NAMELESS

    assert expected == plain(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dev\nsign out", "dev sign out"),
        ("tab\there\r", "tab here"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("a\u2066b\u2069c\u200fd", "abcd"),
        ("zero\u200bwidth\u2060\ufeff", "zerowidth"),
        ("line\u2028break\u2029s\x85s", "line break s s"),
        ("wide\u00a0blank\u3000", "wide blank"),
        ("half\ud800", "half\N{REPLACEMENT CHARACTER}"),
        ("own\ue000", "own\N{REPLACEMENT CHARACTER}"),
        ("&File _x %s <b>", "&File _x %s <b>"),
        ("", NAMELESS),
        (" \t\n", NAMELESS),
        ("\u3164\u2800\u200d", NAMELESS),
        ("\u0301\u0301", NAMELESS),
        ("שלום", "שלום"),
    ],
)
def test_what_hides_reorders_or_breaks_is_out(text: str, shown: str) -> None:
    assert shown == plain(text)


def test_long_names_keep_their_two_ends() -> None:
    assert plain("abcdefghijklmnopqrstuvwxyz", 17) == "abcdefgh…stuvwxyz"


def test_cut_never_leaves_a_mark_on_the_ellipsis() -> None:
    assert plain("a" * 20 + "e\u0301aaa", 9) == "aaaa…aaa"


def test_towers_of_marks_are_pulled_down_even_with_hidden_characters_between() -> None:
    assert plain("a" + "\u0301\u200d" * 30 + "b") == "a" + "\u0301" * 4 + "b"
