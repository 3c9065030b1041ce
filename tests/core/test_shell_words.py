"""Names and paths in printed commands: a shell gets back exactly what was meant."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core.shell_words import argument, path_word, with_options, word

pytestmark = pytest.mark.posix("bash reads the words")
"""bash reads the words."""
NASTY = (
    "a b",
    "it's",
    'say "hi"',
    "$HOME",
    "`id`",
    "a\\b",
    "*",
    "ünï 日本",
    "-rf",
    "!x",
    "a\nb",
    "~",
    "#x",
    "{a,b}",
)


def read_back(text: str, **more: str) -> bytes:
    """Return the last word of a command line as bash hands it to a program."""
    done = subprocess.run(
        ["bash", "--norc", "-c", f"printf '%s\\0' {text}"],
        capture_output=True,
        check=True,
        env={"HOME": "/h", **more},
    )
    return done.stdout.split(b"\0")[-2]


@pytest.mark.met("F12")
@pytest.mark.parametrize("name", NASTY)
def test_word_is_read_as_it_was(name: str) -> None:
    assert read_back(word(name)) == name.encode()


@pytest.mark.met("F12")
@pytest.mark.parametrize("name", ["", ".aws", *(f".aws/{name}/cache" for name in NASTY)])
def test_path_below_home_still_begins_with_it(name: str) -> None:
    assert read_back(path_word(f"~/{name}")) == f"/h/{name}".encode()


@pytest.mark.parametrize("path", ["/x y/~/z", "/x/$HOME", "relative", "-x"])
def test_other_paths_are_not_touched_by_the_shell(path: str) -> None:
    assert read_back(path_word(path)).removeprefix(b"./").decode() == path


def test_home_alone_is_home() -> None:
    assert read_back(path_word("~")) == b"/h"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12))
def test_any_text_is_read_as_it_was(name: str) -> None:
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "surrogateescape") if name.isascii() else b""
    if raw:
        assert read_back(word(name)) == raw


@pytest.mark.parametrize(("name", "text"), [("-x", "-- -x"), ("corp", "corp"), ("-a b", "-- '-a b'")])
def test_a_leading_dash_makes_no_option(name: str, text: str) -> None:
    assert argument(name) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("corp", "corp --fresh --device"),
        ("a b", "'a b' --fresh --device"),
        ("-x", "--fresh --device -- -x"),
        ("-a b", "--fresh --device -- '-a b'"),
    ],
)
def test_options_stand_where_they_are_options(name: str, text: str) -> None:
    assert with_options(name, "--fresh", "--device") == text
