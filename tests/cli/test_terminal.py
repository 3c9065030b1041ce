from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.cli import terminal

DEVICE = "Opening the sign-in page in your browser. If it does not open, go to this address on this machine:"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_prose_is_folded_between_words() -> None:
    lines = terminal.folded(DEVICE, 60).split("\n")

    assert max(map(len, lines)) <= 60
    assert " ".join(lines) == DEVICE


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Nothing is lost. Run it again later: credtray login 'a b' --fresh", "credtray login 'a b' --fresh"),
        ("Setup was cancelled: `credtray setup synderys` goes on.", "`credtray setup synderys`"),
        ("Take it from the others first. Run: chmod go-w ~/.aws; then look", "chmod go-w ~/.aws;"),
        (
            "credtray activate some-profile-with-a-long-name --section x",
            "credtray activate some-profile-with",
        ),
        ("Open it: https://d-9067000001.awsapps.com/start/#/?tab=accounts", "https://d-9067000001.awsapps"),
    ],
)
def test_a_command_or_address_is_never_folded(text: str, whole: str) -> None:
    found = terminal.folded(text, 30)

    assert any(whole in line for line in found.split("\n"))


def test_indented_lines_stay_indented_and_short_ones_as_they_are() -> None:
    text = "short\n\n    indented words that do not fit\n  │ a  box │"

    assert terminal.folded(text, 20) == "short\n\n    indented words\n    that do not fit\n  │ a  box │"


@given(st.text(alphabet="ab .:`;,'\n", max_size=60), st.integers(1, 40))
def test_folding_loses_no_character_but_blanks(text: str, width: int) -> None:
    assert "".join(terminal.folded(text, width).split()) == "".join(text.split())


def test_a_terminal_gets_folded_prose_and_a_pipe_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    seen, piped = Terminal(), io.StringIO()
    for stream in (seen, piped):
        monkeypatch.setattr(sys, "stderr", stream)
        terminal.complain(DEVICE, f"{DEVICE} Run: credtray login")

    assert max(map(len, terminal_lines(seen))) <= 40
    assert piped.getvalue() == f"error: {DEVICE}\nhint: {DEVICE} Run: credtray login\n"


def terminal_lines(seen: Terminal) -> list[str]:
    plain = seen.getvalue()
    for code in ("\x1b[1;38;5;196m", "\x1b[38;5;31m", "\x1b[0m"):
        plain = plain.replace(code, "")
    return plain.split("\n")


def test_a_result_in_words_is_folded_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    seen = Terminal()
    monkeypatch.setattr(sys, "stdout", seen)
    terminal.show_words("Signed in to corp until about 06:29. Nothing to do.")

    assert seen.getvalue() == "Signed in to corp until about 06:29.\nNothing to do.\n"
